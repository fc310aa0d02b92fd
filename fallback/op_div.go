package fallback

import (
	"math"
	"math/bits"

	"edged/internal/kernel/vec"
	"edged/model"
)

// planDiv plans DIV: floats, int32, and uint8.
func planDiv(c *opContext) error {
	quant := quantDiv
	if c.in[0].typ != model.TypeUint8 {
		quant = nil // TFLite has none for int8
	}
	return planBinary(vec.DivPair, func(a, b int32) int32 {
		if b == 0 {
			return 0 // TFLite refuses the frame
		}
		return a / b
	}, nil, quant)(c)
}

// quantDiv multiplies by a fixed-point reciprocal, found by three steps of
// Newton's method. Division by zero gives the largest quotient.
func quantDiv(c *opContext, lo, hi int32) (func(a, b int32) int32, error) {
	x, y, out := c.in[0], c.in[1], c.out[0]
	if err := c.scaled(x, y, out); err != nil {
		return nil, err
	}
	m := newMultiplier(float64(x.quant.scale[0] / (y.quant.scale[0] * out.quant.scale[0])))
	zx, zy, zo := x.quant.zero0(), y.quant.zero0(), out.quant.zero0()
	return func(a, b int32) int32 {
		a, b = a-zx, b-zy
		if b < 0 {
			a, b = -a, -b
		}
		if b == 0 {
			b = 1
		}
		inverse, over := reciprocal(b)
		room := signBits(a)
		quotient := vec.DoublingHighMul(a<<room, inverse)
		shift := m.shift - over - room
		if shift > 0 {
			return hi
		}
		v := divideFar(vec.DoublingHighMul(quotient, m.mul), -shift)
		return min(max(v+zo, lo), hi)
	}, nil
}

// divideFar is vec.DivideByPOT, but beyond 31 bits it gives what TFLite's
// code compiles to on amd64, where a shift counts modulo 32 and the mask of the
// remainder is all ones: quotients near zero come out wrong there, and so here.
func divideFar(x, exponent int32) int32 {
	if exponent <= 31 {
		return vec.DivideByPOT(x, exponent)
	}
	q := x >> (exponent & 31)
	if x >= 0 {
		q++
	}
	return q
}

// signBits is the number of bits after the sign that repeat it.
func signBits(v int32) int32 {
	if v < 0 {
		v = ^v
	}
	return int32(bits.LeadingZeros32(uint32(v))) - 1
}

// reciprocal is 1/x as raw/2^31 / 2^over, for x > 0.
func reciprocal(x int32) (raw, over int32) {
	room := int32(bits.LeadingZeros32(uint32(x)))
	fraction := int32(uint32(x)<<room - 1<<31)
	return oneOverOnePlus(fraction), 31 - room
}

// oneOverOnePlus is 1/(1+a) for a in [0, 1), both with 31 fractional bits.
// x, with 29 fractional bits, converges to the reciprocal of (1+a)/2.
func oneOverOnePlus(a int32) int32 {
	half := int32((int64(a) + math.MaxInt32 + 1) / 2)
	const (
		start = 1515870810  // 48/17
		slope = -1010580540 // -32/17
		one   = 1 << 29
	)
	x := start + vec.DoublingHighMul(half, slope)
	for range 3 {
		rest := one - vec.DoublingHighMul(half, x)
		x += saturate32(int64(vec.DoublingHighMul(x, rest)) << 2)
	}
	return saturate32(int64(x) << 1)
}

func saturate32(v int64) int32 { return int32(min(max(v, math.MinInt32), math.MaxInt32)) }
