package fallback

import (
	"math"

	"edged"
)

// halves views a float16 tensor as its bit patterns.
func halves(t *tensor) []uint16 { return edged.View[uint16](t.data) }

// float16 converts an IEEE 754 half, exactly.
func float16(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exp, frac := uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch {
	case exp == 0x1f: // infinity and NaN
		return math.Float32frombits(sign | 0xff<<23 | frac<<13)
	case exp == 0: // zero and subnormals: frac * 2^-24
		return math.Float32frombits(sign | math.Float32bits(float32(frac)*0x1p-24))
	}
	const rebias = 127 - 15
	return math.Float32frombits(sign | (exp+rebias)<<23 | frac<<13)
}

// toFloat16 rounds half to even.
func toFloat16(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits >> 16 & 0x8000)
	abs := bits &^ (1 << 31)
	switch {
	case abs > 0x7f800000:
		return sign | 0x7e00
	case abs >= 0x47800000: // 65536 and above; rounding may still carry up to it below
		return sign | 0x7c00
	case abs < 0x38800000: // below the smallest normal half, 2^-14
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(abs))*0x1p24))
	}
	const rebias = (127 - 15) << 23
	v := abs - rebias
	return sign | uint16((v+0xfff+v>>13&1)>>13)
}
