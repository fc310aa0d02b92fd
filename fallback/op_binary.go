package fallback

import (
	"edged/internal/kernel"
	"edged/model"
)

// number is an element type of arithmetic operators.
type number interface {
	~float32 | ~int32 | ~int64 | ~int16 | ~int8 | ~uint8
}

// planBinary plans an element by element operator of two operands that
// broadcast. f32 computes floats, ints the integers without scale; quant
// builds the arithmetic of 8-bit values, nil where TFLite has none.
func planBinary(f32 func(a, b float32) float32, i32 func(a, b int32) int32, i64 func(a, b int64) int64,
	quant func(c *opContext, lo, hi int32) (func(a, b int32) int32, error)) func(c *opContext) error {
	return func(c *opContext) error {
		a, b, out := c.in[0], c.in[1], c.out[0]
		bc, act, err := c.binaryShape()
		if err != nil {
			return err
		}
		switch {
		case !isType(a.typ, b, out):
		case a.typ == model.TypeFloat32:
			return binaryF32(c, bc, act, f32)
		case a.typ == model.TypeInt32 && i32 != nil:
			return binaryInt(c, bc, act, i32, (*tensor).i32)
		case a.typ == model.TypeInt64 && i64 != nil:
			return binaryInt(c, bc, act, i64, (*tensor).i64)
		case a.quantised() && quant != nil:
			return binaryQuant(c, bc, act, quant)
		}
		return c.types()
	}
}

// binaryShape resolves the broadcast and the fused activation.
func (c *opContext) binaryShape() (*broadcast, model.Activation, error) {
	bc := newBroadcast(c.in[0].shape, c.in[1].shape)
	if bc == nil {
		return nil, 0, c.malformed("operands %v and %v do not broadcast", c.in[0].shape, c.in[1].shape)
	}
	if err := c.shape(0, bc.shape...); err != nil {
		return nil, 0, err
	}
	act := model.ActNone
	switch o := c.n.op.Options.(type) {
	case *model.AddOptions:
		act = o.Activation
	case *model.SubOptions:
		act = o.Activation
	case *model.MulOptions:
		act = o.Activation
	case *model.DivOptions:
		act = o.Activation
	}
	return bc, act, nil
}

func binaryF32(c *opContext, bc *broadcast, act model.Activation, f func(a, b float32) float32) error {
	a, b, out := c.in[0], c.in[1], c.out[0]
	lo, hi, err := c.activationF32(act)
	rows := rowsOf(f)
	if c.n.code.Builtin == model.OpAdd {
		rows = addRows
	}
	if c.n.code.Builtin == model.OpMul {
		rows = mulRows
	}
	clamp := act != model.ActNone || lo != unfused.lo || hi != unfused.hi
	c.emit("pointwise f32", bc.units(), out.elems(), c.in, func(_ *worker, from, to int) {
		dst, x, y := out.f32(), a.f32(), b.f32()
		bc.each(from, to, func(d, i, j, n, si, sj int) {
			rows(dst[d:d+n], x[i:], y[j:], si, sj)
			if clamp {
				clampRow(dst[d:d+n], lo, hi)
			}
		})
	})
	return err
}

// clampRow has no branches: half of what a RELU sees is negative, at random.
func clampRow(v []float32, lo, hi float32) {
	for i, x := range v {
		v[i] = min(max(x, lo), hi)
	}
}

// rowsOf applies f along a row; si and sj are 0 for an operand that repeats.
func rowsOf[T any](f func(a, b T) T) func(dst, a, b []T, si, sj int) {
	return func(dst, a, b []T, si, sj int) {
		for i := range dst {
			dst[i] = f(a[i*si], b[i*sj])
		}
	}
}

func addRows(dst, a, b []float32, si, sj int) {
	if si == 1 && sj == 1 {
		copy(dst, a)
		kernel.AddF32(dst, b[:len(dst)])
		return
	}
	for i := range dst {
		dst[i] = a[i*si] + b[i*sj]
	}
}

func mulRows(dst, a, b []float32, si, sj int) {
	if si == 1 && sj == 1 {
		b = b[:len(dst)]
		for i, v := range a[:len(dst)] {
			dst[i] = v * b[i]
		}
		return
	}
	for i := range dst {
		dst[i] = a[i*si] * b[i*sj]
	}
}

func binaryInt[T number](c *opContext, bc *broadcast, act model.Activation, f func(a, b T) T, of func(*tensor) []T) error {
	a, b, out := c.in[0], c.in[1], c.out[0]
	if act == model.ActRelu6 || act == model.ActRelu || act == model.ActReluN1To1 {
		lo, hi, _ := c.activationF32(act)
		g := f
		f = func(a, b T) T {
			v := g(a, b)
			if float32(v) < lo {
				return T(lo)
			}
			if float32(v) > hi {
				return T(hi)
			}
			return v
		}
	}
	rows := rowsOf(f)
	c.emit("pointwise integers", bc.units(), out.elems(), c.in, func(_ *worker, from, to int) {
		bc.each(from, to, func(d, i, j, n, si, sj int) { rows(of(out)[d:d+n], of(a)[i:], of(b)[j:], si, sj) })
	})
	return nil
}

func binaryQuant(c *opContext, bc *broadcast, act model.Activation, quant func(c *opContext, lo, hi int32) (func(a, b int32) int32, error)) error {
	a, b, out := c.in[0], c.in[1], c.out[0]
	lo, hi, err := c.activationQuant(act, out)
	if err != nil {
		return err
	}
	f, err := quant(c, lo, hi)
	if err != nil {
		return err
	}
	signed := a.typ == model.TypeInt8
	if out.elems() >= allPairs {
		return binaryTable(c, bc, func(x, y byte) byte { return byte(f(byteValue(x, signed), byteValue(y, signed))) })
	}
	c.emit("pointwise quantised", bc.units(), 8*out.elems(), c.in, func(_ *worker, from, to int) {
		bc.each(from, to, func(d, i, j, n, si, sj int) {
			x, y := a.data[i:], b.data[j:]
			for k := range n {
				out.data[d+k] = byte(f(byteValue(x[k*si], signed), byteValue(y[k*sj], signed)))
			}
		})
	})
	return nil
}

// allPairs is the number of pairs of 8-bit values: operators on at least as
// many elements look their results up.
const allPairs = 1 << 16

// binaryTable tabulates f over all pairs, once.
func binaryTable(c *opContext, bc *broadcast, f func(x, y byte) byte) error {
	a, b, out := c.in[0], c.in[1], c.out[0]
	table, err := c.packed(allPairs, func(t *tensor) {
		for i := range t.data {
			t.data[i] = f(byte(i>>8), byte(i))
		}
	})
	c.emit("pair table", bc.units(), 2*out.elems(), c.in, func(_ *worker, from, to int) {
		pairs := (*[allPairs]byte)(table.data)
		bc.each(from, to, func(d, i, j, n, si, sj int) {
			x, y := a.data[i:], b.data[j:]
			if si == 1 && sj == 1 {
				dst, y := out.data[d:d+n], y[:n]
				for k, v := range x[:n] {
					dst[k] = pairs[int(v)<<8|int(y[k])]
				}
				return
			}
			for k := range n {
				out.data[d+k] = pairs[int(x[k*si])<<8|int(y[k*sj])]
			}
		})
	})
	return err
}

// sumShift is how far TFLite shifts the operands of quantised sums to the
// left, to lose nothing in the first rescaling.
const sumShift = 20

// quantSum builds ADD and SUB: both operands rescaled to twice the larger
// scale, added, rescaled to the output. Each operand has 256 values, so their
// rescaled forms are tables.
func quantSum(sign int32) func(c *opContext, lo, hi int32) (func(a, b int32) int32, error) {
	return func(c *opContext, lo, hi int32) (func(a, b int32) int32, error) {
		a, b, out := c.in[0], c.in[1], c.out[0]
		if err := c.scaled(a, b, out); err != nil {
			return nil, err
		}
		sa, sb, so := float64(a.quant.scale[0]), float64(b.quant.scale[0]), float64(out.quant.scale[0])
		twice := 2 * max(sa, sb)
		final := newMultiplier(twice / ((1 << sumShift) * so))
		ta, tb := rescaled(a, sa/twice, 1), rescaled(b, sb/twice, sign)
		zero := out.quant.zero0()
		return func(x, y int32) int32 {
			return min(max(final.apply(ta[x&255]+tb[y&255])+zero, lo), hi)
		}, nil
	}
}

// rescaled is the table of sign * factor * (q - zero) * 2^sumShift by the low
// byte of q.
func rescaled(t *tensor, factor float64, sign int32) *[256]int32 {
	m := newMultiplier(factor)
	var table [256]int32
	lo, hi := t.bounds()
	for q := lo; q <= hi; q++ {
		table[q&255] = sign * m.apply((q-t.quant.zero0())<<sumShift)
	}
	return &table
}

// quantProduct builds MUL.
func quantProduct(c *opContext, lo, hi int32) (func(a, b int32) int32, error) {
	a, b, out := c.in[0], c.in[1], c.out[0]
	if err := c.scaled(a, b, out); err != nil {
		return nil, err
	}
	m := newMultiplier(float64(a.quant.scale[0] * b.quant.scale[0] / out.quant.scale[0]))
	za, zb, zo := a.quant.zero0(), b.quant.zero0(), out.quant.zero0()
	return func(x, y int32) int32 { return min(max(m.apply((x-za)*(y-zb))+zo, lo), hi) }, nil
}

// quantChoice builds MAXIMUM and MINIMUM, which compare the stored values.
func quantChoice(f func(a, b int32) int32) func(c *opContext, lo, hi int32) (func(a, b int32) int32, error) {
	return func(*opContext, int32, int32) (func(a, b int32) int32, error) { return f, nil }
}

func planAdd(c *opContext) error {
	return planBinary(func(a, b float32) float32 { return a + b }, func(a, b int32) int32 { return a + b },
		func(a, b int64) int64 { return a + b }, quantSum(1))(c)
}

func planSub(c *opContext) error {
	return planBinary(func(a, b float32) float32 { return a - b }, func(a, b int32) int32 { return a - b },
		func(a, b int64) int64 { return a - b }, quantSum(-1))(c)
}

func planMul(c *opContext) error {
	return planBinary(func(a, b float32) float32 { return a * b }, func(a, b int32) int32 { return a * b },
		func(a, b int64) int64 { return a * b }, quantProduct)(c)
}

func planMaximum(c *opContext) error {
	return planBinary(func(a, b float32) float32 { return max(a, b) }, func(a, b int32) int32 { return max(a, b) },
		func(a, b int64) int64 { return max(a, b) }, quantChoice(func(a, b int32) int32 { return max(a, b) }))(c)
}

func planMinimum(c *opContext) error {
	return planBinary(func(a, b float32) float32 { return min(a, b) }, func(a, b int32) int32 { return min(a, b) },
		func(a, b int64) int64 { return min(a, b) }, quantChoice(func(a, b int32) int32 { return min(a, b) }))(c)
}
