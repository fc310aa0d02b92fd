package edged

import (
	"encoding/binary"
	"fmt"
	"math"
)

// NotFinite is the index of the first element of a tensor's memory that is no
// finite number (NaN or an infinity), -1 where there is none. The greatest
// float32 and its negative count as none either: engines clamp to them, as
// TFLite does without an activation, so that they are what an overflow leaves.
// Elements of types that hold whole numbers always are finite. An output that
// fails here is no result at all, wherever the element stands: a NaN in a
// channel that loses says that the channel was not computed.
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
// the bits of its magnitude, and what lifts the least magnitude that is none
// into the sign's place.
type lanes struct{ magnitude, one uint64 }

var floatLanes = map[DType]lanes{
	Float16: {0x7fff_7fff_7fff_7fff, 0x0400_0400_0400_0400}, // from 0x7c00, infinity
	Float32: {0x7fffffff_7fffffff, 0x00800001_00800001},     // from 0x7f7fffff, the greatest
	Float64: {0x7fffffff_ffffffff, 0x00100000_00000000},     // from 0x7ff00000_00000000, infinity
}

// orLanes is the OR over all lanes x of (x & magnitude) + one, which reaches
// the sign's place, and nothing beyond it, where x is no finite number. Four
// chains, so that none waits for another.
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

// find is the offset of the first element of size bytes that is none, -1
// without any.
func (l lanes) find(b []byte, size int) int {
	for i := 0; i+size <= len(b); i += size {
		if orLanes(b[i:i+size], l.magnitude, l.one)&^l.magnitude != 0 {
			return i
		}
	}
	return -1
}

// NumberError is an output that holds no number somewhere.
type NumberError struct {
	Tensor string
	Value  float64 // NaN, an infinity, or what an engine clamps that to
	At     []int   // one index per axis
}

func (e *NumberError) Error() string {
	what := fmt.Sprint(float32(e.Value))
	if math.Abs(e.Value) == math.MaxFloat32 {
		what += ", which NaN or an overflow was clamped to,"
	}
	return fmt.Sprintf("not a number: tensor %q holds %s at %v", e.Tensor, what, e.At)
}

// CheckFinite is a *NumberError where the memory b of the tensor that s
// describes holds no finite number somewhere, and else nil.
func CheckFinite(s Spec, b []byte) error {
	i := NotFinite(s.Type, b)
	if i < 0 {
		return nil
	}
	e := &NumberError{Tensor: s.Name, Value: floatAt(s.Type, b[i*s.Type.Size():]), At: make([]int, len(s.Shape))}
	for k := len(s.Shape) - 1; k >= 0; k-- {
		d := max(s.Shape[k], 1)
		e.At[k], i = i%d, i/d
	}
	return e
}

// floatAt is the value at the start of b; float16, whose numbers pass, is NaN.
func floatAt(t DType, b []byte) float64 {
	switch t {
	case Float32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case Float64:
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
	return math.NaN()
}
