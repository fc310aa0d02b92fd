package edged

import (
	"encoding/binary"
	"fmt"
	"math"
)

// NotFinite is the index of the first element of a tensor's memory that is no
// finite number (NaN or an infinity), -1 where there is none. Elements of types
// that hold whole numbers always are finite. An output that fails here is no
// result at all, wherever the element stands: a NaN in a channel that loses
// says that the channel was not computed.
func NotFinite(t DType, b []byte) int {
	lanes, ok := floatLanes[t]
	if !ok {
		return -1
	}
	const block = 4096 // bytes; a multiple of every size and of orLanes' step
	for at := 0; at < len(b); at += block {
		part := b[at:min(at+block, len(b))]
		if orLanes(part, lanes.magnitude, lanes.one)&^lanes.magnitude == 0 {
			continue
		}
		if i := lanes.find(part, t.Size()); i >= 0 {
			return (at + i) / t.Size()
		}
	}
	return -1
}

// lanes are the elements of one type that lie side by side in 64 bits: of each
// the magnitude's bits, the exponent's, and the exponent's lowest.
type lanes struct{ magnitude, exponent, one uint64 }

var floatLanes = map[DType]lanes{
	Float16: {0x7fff_7fff_7fff_7fff, 0x7c00_7c00_7c00_7c00, 0x0400_0400_0400_0400},
	Float32: {0x7fffffff_7fffffff, 0x7f800000_7f800000, 0x00800000_00800000},
	Float64: {0x7fffffff_ffffffff, 0x7ff00000_00000000, 0x00100000_00000000},
}

// orLanes is the OR over all lanes x of (x & magnitude) + one. The sum reaches
// the sign's place, and nothing beyond, where the exponent is all ones: those
// are the NaNs and the infinities. Four chains, so that none waits for another.
func orLanes(b []byte, magnitude, one uint64) uint64 {
	var s, t, u, v uint64
	for len(b) >= 32 {
		w := b[:32:32]
		s |= binary.LittleEndian.Uint64(w)&magnitude + one
		t |= binary.LittleEndian.Uint64(w[8:])&magnitude + one
		u |= binary.LittleEndian.Uint64(w[16:])&magnitude + one
		v |= binary.LittleEndian.Uint64(w[24:])&magnitude + one
		b = b[32:]
	}
	for len(b) > 0 {
		var w [8]byte
		b = b[copy(w[:], b):]
		s |= binary.LittleEndian.Uint64(w[:])&magnitude + one
	}
	return s | t | u | v
}

// find is the offset of the first element of size bytes with an exponent of
// ones, -1 without any.
func (l lanes) find(b []byte, size int) int {
	exponent := l.exponent << (64 - 8*size) >> (64 - 8*size)
	for i := 0; i+size <= len(b); i += size {
		var w [8]byte
		copy(w[:], b[i:i+size])
		if binary.LittleEndian.Uint64(w[:])&exponent == exponent {
			return i
		}
	}
	return -1
}

// NumberError is an output that holds no number somewhere.
type NumberError struct {
	Tensor string
	Value  float64 // NaN or an infinity
	At     []int   // one index per axis
}

func (e *NumberError) Error() string {
	return fmt.Sprintf("not a number: tensor %q holds %v at %v", e.Tensor, e.Value, e.At)
}

// CheckFinite is a *NumberError where the memory b of the tensor that s
// describes holds no finite number somewhere, and else nil.
func CheckFinite(s Spec, b []byte) error {
	i := NotFinite(s.Type, b)
	if i < 0 {
		return nil
	}
	e := &NumberError{Tensor: s.Name, Value: math.NaN(), At: make([]int, len(s.Shape))}
	lanes, size := floatLanes[s.Type], s.Type.Size()
	var w [8]byte
	copy(w[:], b[i*size:][:size])
	bits, top := binary.LittleEndian.Uint64(w[:]), 64-8*size
	if bits<<top&^(1<<63) == lanes.exponent<<top&^(1<<63) { // no fraction
		e.Value = math.Inf(1 - 2*int(bits<<top>>63))
	}
	for k := len(s.Shape) - 1; k >= 0; k-- {
		d := max(s.Shape[k], 1)
		e.At[k], i = i%d, i/d
	}
	return e
}
