package fallback

import (
	"math"

	"edged/internal/kernel/vec"
	"edged/model"
)

func planExp(c *opContext) error {
	return planUnary(func(k *vec.Routines, dst, src []float32) { k.ExpF32(dst, src, 0, 1) }, nil)(c)
}
func planLog(c *opContext) error {
	return planUnary(each(func(x float32) float32 { return float32(math.Log(float64(x))) }), nil)(c)
}
func planSqrt(c *opContext) error { return planUnary(each(sqrt32), nil)(c) }
func planRsqrt(c *opContext) error {
	return planUnary(each(func(x float32) float32 { return 1 / sqrt32(x) }), nil)(c)
}

func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// planAbs plans ABS: floats, int32, and 8-bit values.
func planAbs(c *opContext) error {
	if isType(model.TypeInt32, c.in[0], c.out[0]) {
		return unaryInt(c, (*tensor).i32, func(v int32) int32 { return max(v, -v) })
	}
	return planUnary(each(func(x float32) float32 { return float32(math.Abs(float64(x))) }), quantAbs)(c)
}

func quantAbs(c *opContext) (func(q int32) int32, error) {
	in, out := c.in[0], c.out[0]
	if err := c.scaled(in, out); err != nil {
		return nil, err
	}
	lo, hi := out.bounds()
	zi, zo := in.quant.zero0(), out.quant.zero0()
	same := in.quant.scale[0] == out.quant.scale[0]
	m := newMultiplier(float64(in.quant.scale[0]) / float64(out.quant.scale[0]))
	return func(q int32) int32 {
		v := max(q-zi, zi-q)
		if !same {
			v = m.apply(v)
		}
		return min(max(v+zo, lo), hi)
	}, nil
}

// planNeg plans NEG: floats, int32 and int64.
func planNeg(c *opContext) error {
	switch c.in[0].typ {
	case model.TypeInt32:
		return unaryInt(c, (*tensor).i32, func(v int32) int32 { return -v })
	case model.TypeInt64:
		return unaryInt(c, (*tensor).i64, func(v int64) int64 { return -v })
	}
	return planUnary(each(func(x float32) float32 { return -x }), nil)(c)
}

func unaryInt[T int32 | int64](c *opContext, of func(*tensor) []T, f func(T) T) error {
	in, out := c.in[0], c.out[0]
	if in.typ != out.typ {
		return c.types()
	}
	n := in.elems()
	c.emit("pointwise integers", pieces(n), n, c.in[:1], func(_ *worker, lo, hi int) {
		lo, hi = cut(lo, hi, n)
		dst := of(out)[lo:hi]
		for i, v := range of(in)[lo:hi] {
			dst[i] = f(v)
		}
	})
	return c.shape(0, in.shape...)
}

// planGelu plans GELU, exact or by the tanh approximation.
func planGelu(c *opContext) error {
	o, err := options[model.GeluOptions](c)
	if err != nil {
		return err
	}
	f := func(x float32) float32 {
		return 0.5 * x * (1 + float32(math.Erf(float64(x)*math.Sqrt2/2)))
	}
	if o.Approximate {
		f = func(x float32) float32 {
			const root = 0.7978845608028654 // sqrt(2/pi)
			return 0.5 * x * (1 + tanh32(root*(x+0.044715*x*x*x)))
		}
	}
	return planUnary(each(f), quantByFloat(f))(c)
}

// planLeakyRelu plans LEAKY_RELU.
func planLeakyRelu(c *opContext) error {
	o, err := options[model.LeakyReluOptions](c)
	if err != nil {
		return err
	}
	f := func(k *vec.Routines, dst, src []float32) { k.LeakyReluF32(dst, src, o.Alpha) }
	return planUnary(f, func(c *opContext) (func(q int32) int32, error) {
		in, out := c.in[0], c.out[0]
		if err := c.scaled(in, out); err != nil {
			return nil, err
		}
		lo, hi := out.bounds()
		zi, zo := in.quant.zero0(), out.quant.zero0()
		si, so := in.quant.scale[0], out.quant.scale[0]
		identity, slope := newMultiplier(float64(si/so)), newSignedMultiplier(float64(si*o.Alpha/so))
		return func(q int32) int32 {
			m := slope
			if q >= zi {
				m = identity
			}
			return min(max(m.apply(q-zi)+zo, lo), hi)
		}, nil
	})(c)
}

// newSignedMultiplier allows a negative factor.
func newSignedMultiplier(factor float64) multiplier {
	m := newMultiplier(math.Abs(factor))
	if factor < 0 {
		m.mul = -m.mul
	}
	return m
}
