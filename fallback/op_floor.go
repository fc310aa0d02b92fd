package fallback

import (
	"errors"
	"math"

	"edged/model"
)

// The faults of numbers that fail a frame, as they do in TFLite.
var (
	errDivisor  = errors.New("go engine: a division by zero")
	errExponent = errors.New("go engine: POW: a negative exponent of integers")
)

// planPointwise plans an element by element operator on floats alone.
func planPointwise(f func(x float32) float32) func(c *opContext) error {
	return planUnary(each(f), nil)
}

func floor32(x float32) float32  { return float32(math.Floor(float64(x))) }
func ceil32(x float32) float32   { return float32(math.Ceil(float64(x))) }
func square32(x float32) float32 { return x * x }
func sin32(x float32) float32    { return float32(math.Sin(float64(x))) }
func cos32(x float32) float32    { return float32(math.Cos(float64(x))) }

// round32 rounds to the nearest integer, halves to the even one.
func round32(x float32) float32 { return float32(math.RoundToEven(float64(x))) }

// planFloorDiv plans FLOOR_DIV: the quotient in float64, rounded down.
func planFloorDiv(c *opContext) error {
	return planCareful(c,
		func(x, y float32) float32 { return float32(math.Floor(float64(x) / float64(y))) },
		floorDivInt[int32], floorDivInt[int64], divisor[float32], divisor[int32], divisor[int64])
}

// planFloorMod plans FLOOR_MOD, the rest that has the divisor's sign.
func planFloorMod(c *opContext) error {
	return planCareful(c,
		func(x, y float32) float32 { return floorMod(float32(math.Mod(float64(x), float64(y))), y) },
		func(x, y int32) int32 { return floorMod(x%y, y) }, func(x, y int64) int64 { return floorMod(x%y, y) },
		nil, divisor[int32], divisor[int64])
}

// planPow plans POW. Integers are raised in float64, as TFLite does.
func planPow(c *opContext) error {
	return planCareful(c,
		func(x, y float32) float32 { return float32(math.Pow(float64(x), float64(y))) },
		func(x, y int32) int32 { return int32(castInt(math.Pow(float64(x), float64(y)))) }, nil,
		nil, func(y int32) error {
			if y < 0 {
				return errExponent
			}
			return nil
		}, nil)
}

func castInt(v float64) int64 { return anyValue{f: v, isFloat: true}.int(math.MinInt32, math.MaxInt32) }

func divisor[T number](y T) error {
	if y == 0 {
		return errDivisor
	}
	return nil
}

func floorDivInt[T int32 | int64](x, y T) T {
	q := x / y
	if x%y != 0 && (x < 0) != (y < 0) {
		q--
	}
	return q
}

func floorMod[T number](rest, y T) T {
	if rest != 0 && (y < 0) != (rest < 0) {
		rest += y
	}
	return rest
}

// planCareful plans a binary operator of which some right operands fail the frame.
func planCareful(c *opContext, f32 func(x, y float32) float32, i32 func(x, y int32) int32, i64 func(x, y int64) int64,
	check32f func(y float32) error, check32 func(y int32) error, check64 func(y int64) error) error {
	s, err := c.stretch(2)
	if err != nil {
		return err
	}
	switch t := c.in[0].typ; {
	case !isType(t, c.in[1], c.out[0]):
		return c.types()
	case t == model.TypeFloat32:
		emitCareful(c, s, (*tensor).f32, f32, check32f)
	case t == model.TypeInt32:
		emitCareful(c, s, (*tensor).i32, i32, check32)
	case t == model.TypeInt64 && i64 != nil:
		emitCareful(c, s, (*tensor).i64, i64, check64)
	default:
		return c.types()
	}
	return nil
}

func emitCareful[T number](c *opContext, s *stretch, of func(*tensor) []T, f func(x, y T) T, check func(y T) error) {
	a, b, out := c.in[0], c.in[1], c.out[0]
	c.emit("stretch", s.units(), 16*out.elems(), c.in, func(w *worker, lo, hi int) {
		dst, x, y := of(out), of(a), of(b)
		s.each(lo, hi, func(d, n int, at, step [mostOperands]int) {
			i, j := at[0], at[1]
			for k := range n {
				if check != nil {
					if err := check(y[j]); err != nil {
						w.err = err
						return
					}
				}
				dst[d+k] = f(x[i], y[j])
				i, j = i+step[0], j+step[1]
			}
		})
	})
}

// planAddN plans ADD_N: inputs of one shape, added in their order.
func planAddN(c *opContext) error {
	out := c.out[0]
	for _, t := range c.in {
		if t == nil || t.typ != c.in[0].typ || product(t.shape) != c.in[0].elems() || len(t.shape) != len(c.in[0].shape) {
			return c.malformed("operands that differ in type or shape")
		}
	}
	if err := c.shape(0, c.in[0].shape...); err != nil {
		return err
	}
	switch {
	case isType(model.TypeFloat32, c.in[0], out):
		emitSums(c, (*tensor).f32)
	case isType(model.TypeInt32, c.in[0], out):
		emitSums(c, (*tensor).i32)
	default:
		return c.types()
	}
	return nil
}

func emitSums[T number](c *opContext, of func(*tensor) []T) {
	in, out := c.in, c.out[0]
	n := out.elems()
	c.emit("sum of operands", pieces(n), n*len(in), in, func(_ *worker, lo, hi int) {
		lo, hi = cut(lo, hi, n)
		dst := of(out)[lo:hi]
		copy(dst, of(in[0])[lo:hi])
		for _, t := range in[1:] {
			for i, v := range of(t)[lo:hi] {
				dst[i] += v
			}
		}
	})
}

// planZerosLike plans ZEROS_LIKE.
func planZerosLike(c *opContext) error {
	in, out := c.in[0], c.out[0]
	if in.typ != out.typ {
		return c.types()
	}
	n := in.elems()
	c.emit("zeros", pieces(n), n, c.in, func(_ *worker, lo, hi int) {
		lo, hi = cut(lo, hi, n)
		clear(out.data[lo*out.elem() : hi*out.elem()])
	})
	return c.shape(0, in.shape...)
}
