package model

import (
	"encoding/binary"
	"math"
)

// Ints widens the elements of an integer tensor. Other types, and data that
// are no whole number of elements, are errors.
func Ints(t TensorType, data []byte) ([]int64, error) {
	le := binary.LittleEndian
	var get func(b []byte) int64
	switch t {
	case TypeInt8:
		get = func(b []byte) int64 { return int64(int8(b[0])) }
	case TypeUint8, TypeBool:
		get = func(b []byte) int64 { return int64(b[0]) }
	case TypeInt16:
		get = func(b []byte) int64 { return int64(int16(le.Uint16(b))) }
	case TypeUint16:
		get = func(b []byte) int64 { return int64(le.Uint16(b)) }
	case TypeInt32:
		get = func(b []byte) int64 { return int64(int32(le.Uint32(b))) }
	case TypeUint32:
		get = func(b []byte) int64 { return int64(le.Uint32(b)) }
	case TypeInt64:
		get = func(b []byte) int64 { return int64(le.Uint64(b)) }
	default:
		return nil, unsupported("%v where integers are asked for", t)
	}
	return collect(t, data, get)
}

// Floats widens the elements of a float16, float32 or float64 tensor; others
// are errors. No value is rounded except float64's.
func Floats(t TensorType, data []byte) ([]float32, error) {
	le := binary.LittleEndian
	var get func(b []byte) float32
	switch t {
	case TypeFloat16:
		get = func(b []byte) float32 { return Float16(le.Uint16(b)) }
	case TypeFloat32:
		get = func(b []byte) float32 { return math.Float32frombits(le.Uint32(b)) }
	case TypeFloat64:
		get = func(b []byte) float32 { return float32(math.Float64frombits(le.Uint64(b))) }
	default:
		return nil, unsupported("%v where floats are asked for", t)
	}
	return collect(t, data, get)
}

func collect[T any](t TensorType, data []byte, get func([]byte) T) ([]T, error) {
	size := t.Size()
	if len(data)%size != 0 {
		return nil, malformed("%d bytes are no whole number of %v elements", len(data), t)
	}
	out := make([]T, len(data)/size)
	for i := range out {
		out[i] = get(data[i*size : i*size+size])
	}
	return out, nil
}

// Float16 widens an IEEE 754 half-precision number.
func Float16(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exponent := uint32(h>>10) & 0x1f
	fraction := uint32(h) & 0x3ff
	switch exponent {
	case 0: // zero or subnormal: fraction * 2^-24
		f := float32(fraction) / (1 << 24)
		return math.Float32frombits(math.Float32bits(f) | sign)
	case 0x1f: // infinity or NaN
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// ToFloat16 rounds to half precision, to nearest, ties to even; what is too
// large becomes infinite.
func ToFloat16(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits>>16) & 0x8000
	abs := math.Float32frombits(bits &^ (1 << 31))
	switch {
	case f != f:
		return sign | 0x7e00
	case abs >= 65520: // half way between the largest number, 65504, and 2^16
		return sign | 0x7c00
	case abs < 1.0/(1<<14): // subnormal: multiples of 2^-24
		return sign | uint16(math.RoundToEven(float64(abs)*(1<<24)))
	}
	mantissa := math.Float32bits(abs) - (127-15)<<23
	mantissa += 0xfff + mantissa>>13&1 // ties to even
	return sign | uint16(mantissa>>13)
}
