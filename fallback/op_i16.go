package fallback

import (
	"math"

	"edged/internal/kernel/vec"
	"edged/model"
)

// i16Sum is TFLite's arithmetic of ADD and SUB on int16: as on 8 bits, with 15
// bits of room; or, with scales that are powers of two and no zero points, by
// shifting one operand alone.
func (c *opContext) i16Sum(sign, lo, hi int32) (func(a, b int32) int32, error) {
	a, b, out := c.in[0], c.in[1], c.out[0]
	if err := c.scaled(a, b, out); err != nil {
		return nil, err
	}
	if c.powersOfTwo() {
		return c.i16Shifted(sign, lo, hi)
	}
	const room = 15
	sa, sb, so := float64(a.quant.scale[0]), float64(b.quant.scale[0]), float64(out.quant.scale[0])
	twice := 2 * max(sa, sb)
	ma, mb, mo := newMultiplier(sa/twice), newMultiplier(sb/twice), newMultiplier(twice/((1<<room)*so))
	za, zb, zo := a.quant.zero0(), b.quant.zero0(), out.quant.zero0()
	return func(x, y int32) int32 {
		sum := ma.apply((x-za)<<room) + sign*mb.apply((y-zb)<<room)
		return min(max(mo.apply(sum)+zo, lo), hi)
	}, nil
}

// powersOfTwo says that the file asks for shifts, and that all three scales are
// powers of two.
func (c *opContext) powersOfTwo() bool {
	pot := true // the schema's default
	switch o := c.n.op.Options.(type) {
	case *model.AddOptions:
		pot = o.PotScaleInt16
	case *model.SubOptions:
		pot = o.PotScaleInt16
	case nil:
		pot = false
	}
	for _, t := range []*tensor{c.in[0], c.in[1], c.out[0]} {
		_, exact := log2(t.quant.scale[0])
		pot = pot && exact
	}
	return pot
}

// log2 is the nearest power of two, and whether it is as near as TFLite asks.
func log2(scale float32) (int32, bool) {
	v := float32(math.Log(float64(scale)) * (1 / math.Ln2))
	r := float32(math.Round(float64(v)))
	return int32(r), math.Abs(float64(r-v)) < 1e-3
}

func (c *opContext) i16Shifted(sign, lo, hi int32) (func(a, b int32) int32, error) {
	var shift [3]int32
	for i, t := range []*tensor{c.in[0], c.in[1], c.out[0]} {
		shift[i], _ = log2(t.quant.scale[0])
		if t.quant.zero0() != 0 {
			return nil, c.malformed("int16 with scales of powers of two and zero point %d", t.quant.zero0())
		}
	}
	right, left := shift[2]-shift[0], shift[2]-shift[1]
	if right != 0 && left != 0 || right < 0 || left < 0 {
		return nil, c.unsupported("int16 operands of which both are to be shifted, or one to the left")
	}
	return func(x, y int32) int32 {
		x, y = vec.DivideByPOT(x, min(right, 31)), vec.DivideByPOT(y, min(left, 31))
		return min(max(x+sign*y, lo), hi)
	}, nil
}

// i16Product builds MUL.
func (c *opContext) i16Product(lo, hi int32) (func(a, b int32) int32, error) {
	a, b, out := c.in[0], c.in[1], c.out[0]
	if err := c.scaled(a, b, out); err != nil {
		return nil, err
	}
	m := newMultiplier(float64(a.quant.scale[0] * b.quant.scale[0] / out.quant.scale[0]))
	za, zb, zo := a.quant.zero0(), b.quant.zero0(), out.quant.zero0()
	return func(x, y int32) int32 { return min(max(m.apply((x-za)*(y-zb))+zo, lo), hi) }, nil
}

// binaryI16 plans the arithmetic of int16.
func binaryI16(c *opContext, bc *broadcast, act model.Activation) error {
	lo, hi, err := c.activationQuant(act, c.out[0])
	if err != nil {
		return err
	}
	var f func(a, b int32) int32
	switch c.n.code.Builtin {
	case model.OpAdd:
		f, err = c.i16Sum(1, lo, hi)
	case model.OpSub:
		f, err = c.i16Sum(-1, lo, hi)
	case model.OpMul:
		f, err = c.i16Product(lo, hi)
	case model.OpMaximum:
		f = func(a, b int32) int32 { return max(a, b) }
	case model.OpMinimum:
		f = func(a, b int32) int32 { return min(a, b) }
	default:
		return c.types()
	}
	if err != nil {
		return err
	}
	of := func(a, b int16) int16 { return int16(f(int32(a), int32(b))) }
	return emitPairs(c, bc, "pointwise int16", 8*c.out[0].elems(), (*tensor).i16, rowsOf(of))
}

// unaryI16 emits the step of a function of stored int16 values.
func (c *opContext) unaryI16(f func(q int32) int32) {
	in, out := c.in[0], c.out[0]
	n := in.elems()
	c.emit("pointwise int16", pieces(n), 8*n, c.in[:1], func(_ *worker, lo, hi int) {
		lo, hi = cut(lo, hi, n)
		dst := out.i16()[lo:hi]
		for i, v := range in.i16()[lo:hi] {
			dst[i] = int16(f(int32(v)))
		}
	})
}

// requantiseI16 plans QUANTIZE where one side is int16.
func (c *opContext) requantiseI16() error {
	in, out := c.in[0], c.out[0]
	if err := c.scaled(in); err != nil {
		return err
	}
	m := newMultiplier(float64(in.quant.scale[0]) / float64(out.quant.scale[0]))
	lo, hi := out.bounds()
	zi, zo := in.quant.zero0(), out.quant.zero0()
	c.emitStored(func(q int32) int32 { return min(max(m.apply(q-zi)+zo, lo), hi) })
	return nil
}

// emitStored emits the step of a function of stored values between int16 and
// 8 bits.
func (c *opContext) emitStored(f func(q int32) int32) {
	in, out := c.in[0], c.out[0]
	n, signed := in.elems(), in.typ == model.TypeInt8
	c.emit("pointwise int16", pieces(n), 8*n, c.in[:1], func(_ *worker, lo, hi int) {
		lo, hi = cut(lo, hi, n)
		for i := lo; i < hi; i++ {
			q := int32(0)
			if in.typ == model.TypeInt16 {
				q = int32(in.i16()[i])
			} else {
				q = byteValue(in.data[i], signed)
			}
			if v := f(q); out.typ == model.TypeInt16 {
				out.i16()[i] = int16(v)
			} else {
				out.data[i] = byte(v)
			}
		}
	})
}

// quantiseI16 plans QUANTIZE of floats to int16.
func (c *opContext) quantiseI16() {
	in, out := c.in[0], c.out[0]
	n, scale, zero := in.elems(), out.quant.scale[0], out.quant.zero0()
	c.emit("quantise", pieces(n), 2*n, c.in, func(_ *worker, lo, hi int) {
		lo, hi = cut(lo, hi, n)
		for i, v := range in.f32()[lo:hi] {
			q := clampF64(math.Round(float64(v)/float64(scale)), -1<<20, 1<<20) + float64(zero)
			out.i16()[lo+i] = int16(clampF64(q, math.MinInt16, math.MaxInt16))
		}
	})
}

// planMaxI16 plans MAX_POOL_2D of int16.
func (c *opContext) planMaxI16(p *pool2D, a model.Activation) error {
	in, out := c.in[0], c.out[0]
	lo, hi, err := c.activationQuant(a, out)
	c.emitRows("max i16", p, func(_ *worker, from, to int) {
		for r := from; r < to; r++ {
			dst := out.i16()[r*p.width():][:p.width()]
			fill(dst, math.MinInt16)
			p.gather(r, func(d, s, n int) {
				for i, v := range in.i16()[s : s+n] {
					dst[d+i] = max(dst[d+i], v)
				}
			})
			for i, v := range dst {
				dst[i] = int16(min(max(int32(v), lo), hi))
			}
		}
	})
	return err
}

// planAverageI16 plans AVERAGE_POOL_2D of int16, halves away from zero.
func (c *opContext) planAverageI16(p *pool2D, a model.Activation) error {
	in, out := c.in[0], c.out[0]
	lo, hi, err := c.activationQuant(a, out)
	if err != nil {
		return err
	}
	area, err := c.private(4 * p.width())
	c.emitRows("average i16", p, func(w *worker, from, to int) {
		acc := part[int32](area, w, p.width())
		for r := from; r < to; r++ {
			clear(acc)
			p.gather(r, func(d, s, n int) {
				for i, v := range in.i16()[s : s+n] {
					acc[d+i] += int32(v)
				}
			})
			for i, v := range acc {
				n := int32(p.count(r%p.y.out, i/p.c))
				if v > 0 {
					v = (v + n/2) / n
				} else {
					v = (v - n/2) / n
				}
				out.i16()[r*p.width()+i] = int16(min(max(v, lo), hi))
			}
		}
	})
	return err
}
