package fallback

import (
	"cmp"

	"edged/internal/kernel/vec"
	"edged/model"
)

// comparison says what the order of two values means: -1, 0, 1, or unordered
// where one of them is no number.
type comparison func(order int) bool

const unordered = 2

// planCompare plans EQUAL, LESS and their like: two operands of one type that
// broadcast, to booleans.
func planCompare(holds comparison) func(c *opContext) error {
	return func(c *opContext) error {
		a, b, out := c.in[0], c.in[1], c.out[0]
		s, err := c.stretch(2)
		if err != nil {
			return err
		}
		if a.typ != b.typ || out.typ != model.TypeBool {
			return c.types()
		}
		code := c.n.code.Builtin
		switch {
		case a.typ == model.TypeFloat32:
			emitCompare(c, s, holds, (*tensor).f32)
		case a.typ == model.TypeInt32:
			emitCompare(c, s, holds, (*tensor).i32)
		case a.typ == model.TypeInt64:
			emitCompare(c, s, holds, (*tensor).i64)
		case a.typ == model.TypeInt16:
			emitCompare(c, s, holds, (*tensor).i16)
		case a.typ == model.TypeBool && (code == model.OpEqual || code == model.OpNotEqual):
			emitCompare(c, s, holds, (*tensor).content)
		case a.quantised():
			return c.compareQuant(s, holds)
		default:
			return c.types()
		}
		return nil
	}
}

func emitCompare[T cmp.Ordered](c *opContext, s *stretch, holds comparison, of func(*tensor) []T) {
	emitStretched(c, s, of, (*tensor).content, func(x, y T) byte { return truth(holds(order(x, y))) })
}

func order[T cmp.Ordered](x, y T) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	case x == y:
		return 0
	}
	return unordered
}

func truth(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// compareQuant compares 8-bit values by what they stand for: as TFLite does, each
// less its zero point, times 256, times its scale in fixed point.
func (c *opContext) compareQuant(s *stretch, holds comparison) error {
	const room = 8
	a, b := c.in[0], c.in[1]
	if err := c.scaled(a, b); err != nil {
		return err
	}
	values := func(t *tensor) *[256]int32 {
		var table [256]int32
		m := newMultiplier(float64(t.quant.scale[0]))
		lo, hi := t.bounds()
		for q := lo; q <= hi; q++ {
			table[q&255] = vec.MulByQuantized((q-t.quant.zero0())<<room, m.mul, m.shift)
		}
		return &table
	}
	x, y := values(a), values(b)
	emitStretched(c, s, (*tensor).content, (*tensor).content, func(p, q byte) byte { return truth(holds(order(x[p], y[q]))) })
	return nil
}

// planLogical plans LOGICAL_AND and LOGICAL_OR.
func planLogical(f func(x, y bool) bool) func(c *opContext) error {
	return func(c *opContext) error {
		s, err := c.stretch(2)
		if err != nil {
			return err
		}
		if !isType(model.TypeBool, c.in[0], c.in[1], c.out[0]) {
			return c.types()
		}
		emitStretched(c, s, (*tensor).content, (*tensor).content, func(x, y byte) byte { return truth(f(x != 0, y != 0)) })
		return nil
	}
}

// planLogicalNot plans LOGICAL_NOT.
func planLogicalNot(c *opContext) error {
	in, out := c.in[0], c.out[0]
	if !isType(model.TypeBool, in, out) {
		return c.types()
	}
	n := in.elems()
	c.emit("pointwise integers", pieces(n), n, c.in, func(_ *worker, lo, hi int) {
		lo, hi = cut(lo, hi, n)
		for i, v := range in.data[lo:hi] {
			out.data[lo+i] = truth(v == 0)
		}
	})
	return c.shape(0, in.shape...)
}
