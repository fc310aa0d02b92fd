package fallback

import (
	"math"

	"edged/internal/kernel/vec"
	"edged/model"
)

// number is an element type of arithmetic operators.
type number interface {
	~float32 | ~int32 | ~int64 | ~int16 | ~int8 | ~uint8
}

// planBinary plans an element by element operator of two operands that
// broadcast. f32 computes floats, ints the integers without scale; quant
// builds the arithmetic of 8-bit values, nil where TFLite has none.
func planBinary(f32 vec.PairF32, i32 func(a, b int32) int32, i64 func(a, b int64) int64,
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
		case a.typ == model.TypeInt16:
			return binaryI16(c, bc, act)
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
	return bc, model.ActivationOf(c.n.op.Options), nil
}

func binaryF32(c *opContext, bc *broadcast, act model.Activation, f vec.PairF32) error {
	lo, hi, err := c.activationF32(act)
	if err != nil {
		return err
	}
	if act == model.ActNone && lo == unfused.lo && hi == unfused.hi {
		lo, hi = float32(math.Inf(-1)), float32(math.Inf(1))
	}
	row := c.p.routines.Vec.Pair(f)
	return emitPairs(c, bc, "pointwise f32", c.out[0].elems(), (*tensor).f32, func(dst, a, b []float32) { row(dst, a, b, lo, hi) })
}

// rowsOf applies f along a row.
func rowsOf[T any](f func(a, b T) T) func(dst, a, b []T) {
	return func(dst, a, b []T) {
		b = b[:len(a)]
		for i, v := range a {
			dst[i] = f(v, b[i])
		}
	}
}

func binaryInt[T number](c *opContext, bc *broadcast, act model.Activation, f func(a, b T) T, of func(*tensor) []T) error {
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
	return emitPairs(c, bc, "pointwise integers", c.out[0].elems(), of, rowsOf(f))
}

func binaryQuant(c *opContext, bc *broadcast, act model.Activation, quant func(c *opContext, lo, hi int32) (func(a, b int32) int32, error)) error {
	a, out := c.in[0], c.out[0]
	lo, hi, err := c.activationQuant(act, out)
	if err != nil {
		return err
	}
	f, err := quant(c, lo, hi)
	if err != nil {
		return err
	}
	if op, ok := vectorPairs[c.n.code.Builtin]; ok {
		if p := c.pairBytes(op, lo, hi); c.p.routines.Vec.Vector(p) {
			return emitPairs(c, bc, pairVectors, 2*out.elems(), (*tensor).content, p.Run)
		}
	}
	signed := a.typ == model.TypeInt8
	of := func(x, y byte) byte { return byte(f(byteValue(x, signed), byteValue(y, signed))) }
	if out.elems() >= allPairs {
		return binaryTable(c, bc, of)
	}
	return emitPairs(c, bc, pairVectors, 8*out.elems(), (*tensor).content, rowsOf(of))
}

// allPairs is the number of pairs of 8-bit values: operators on at least as
// many elements look their results up.
const allPairs = 1 << 16

// binaryTable tabulates f over all pairs, once.
func binaryTable(c *opContext, bc *broadcast, f func(x, y byte) byte) error {
	table, err := c.packed(allPairs, func(t *tensor) {
		for i := range t.data {
			t.data[i] = f(byte(i>>8), byte(i))
		}
	})
	if err != nil {
		return err
	}
	return emitPairs(c, bc, pairTable, 2*c.out[0].elems(), (*tensor).content, func(dst, x, y []byte) {
		pairs := (*[allPairs]byte)(table.data)
		dst, y = dst[:len(x)], y[:len(x)]
		for i, v := range x {
			dst[i] = pairs[int(v)<<8|int(y[i])]
		}
	})
}

// vectorPairs are the operators that vec.PairBytes computes.
var vectorPairs = map[model.BuiltinOperator]vec.PairF32{model.OpAdd: vec.AddPair, model.OpSub: vec.SubPair, model.OpMul: vec.MulPair}

// pairBytes is the arithmetic of ADD, SUB and MUL. Both operands of a sum are
// rescaled to twice the larger scale, added and rescaled to the output.
func (c *opContext) pairBytes(op vec.PairF32, lo, hi int32) *vec.PairBytes {
	a, b, out := c.in[0], c.in[1], c.out[0]
	p := &vec.PairBytes{Op: op, Signed: a.typ == model.TypeInt8, ZeroX: a.quant.zero0(), ZeroY: b.quant.zero0(), Zero: out.quant.zero0(), Lo: lo, Hi: hi}
	if op == vec.MulPair {
		p.Result = newMultiplier(float64(a.quant.scale[0] * b.quant.scale[0] / out.quant.scale[0])).fixed()
		return p
	}
	sa, sb, so := float64(a.quant.scale[0]), float64(b.quant.scale[0]), float64(out.quant.scale[0])
	twice := 2 * max(sa, sb)
	p.X, p.Y = newMultiplier(sa/twice).fixed(), newMultiplier(sb/twice).fixed()
	p.Result = newMultiplier(twice / ((1 << vec.SumShift) * so)).fixed()
	return p
}

// quantSum builds ADD and SUB. Each operand has 256 values, so their rescaled
// forms are tables.
func quantSum(op vec.PairF32) func(c *opContext, lo, hi int32) (func(a, b int32) int32, error) {
	return func(c *opContext, lo, hi int32) (func(a, b int32) int32, error) {
		if err := c.scaled(c.in[0], c.in[1], c.out[0]); err != nil {
			return nil, err
		}
		p, sign := c.pairBytes(op, lo, hi), int32(1)
		if op == vec.SubPair {
			sign = -1
		}
		ta, tb := rescaled(c.in[0], p.X, 1), rescaled(c.in[1], p.Y, sign)
		return func(x, y int32) int32 {
			return min(max(p.Result.Apply(ta[x&255]+tb[y&255])+p.Zero, lo), hi)
		}, nil
	}
}

// rescaled is the table of sign * m * (q - zero) * 2^SumShift by the low byte of q.
func rescaled(t *tensor, m vec.Fixed, sign int32) *[256]int32 {
	var table [256]int32
	lo, hi := t.bounds()
	for q := lo; q <= hi; q++ {
		table[q&255] = sign * m.Apply((q-t.quant.zero0())<<vec.SumShift)
	}
	return &table
}

// quantProduct builds MUL.
func quantProduct(c *opContext, lo, hi int32) (func(a, b int32) int32, error) {
	if err := c.scaled(c.in[0], c.in[1], c.out[0]); err != nil {
		return nil, err
	}
	return c.pairBytes(vec.MulPair, lo, hi).Value, nil
}

// quantChoice builds MAXIMUM and MINIMUM, which compare the stored values.
func quantChoice(f func(a, b int32) int32) func(c *opContext, lo, hi int32) (func(a, b int32) int32, error) {
	return func(*opContext, int32, int32) (func(a, b int32) int32, error) { return f, nil }
}

func planAdd(c *opContext) error {
	return planBinary(vec.AddPair, func(a, b int32) int32 { return a + b },
		func(a, b int64) int64 { return a + b }, quantSum(vec.AddPair))(c)
}

func planSub(c *opContext) error {
	return planBinary(vec.SubPair, func(a, b int32) int32 { return a - b },
		func(a, b int64) int64 { return a - b }, quantSum(vec.SubPair))(c)
}

func planMul(c *opContext) error {
	return planBinary(vec.MulPair, func(a, b int32) int32 { return a * b },
		func(a, b int64) int64 { return a * b }, quantProduct)(c)
}

func planMaximum(c *opContext) error {
	return planBinary(vec.MaxPair, func(a, b int32) int32 { return max(a, b) },
		func(a, b int64) int64 { return max(a, b) }, quantChoice(func(a, b int32) int32 { return max(a, b) }))(c)
}

func planMinimum(c *opContext) error {
	return planBinary(vec.MinPair, func(a, b int32) int32 { return min(a, b) },
		func(a, b int64) int64 { return min(a, b) }, quantChoice(func(a, b int32) int32 { return min(a, b) }))(c)
}
