package fallback

import "edged/model"

// planSelectV2 plans SELECT_V2: a condition and two values, all of which broadcast.
func planSelectV2(c *opContext) error {
	s, err := c.stretch(3)
	if err != nil {
		return err
	}
	return c.selected(s)
}

// planSelect plans SELECT: a condition for every element, one for all, or one for
// each index of the first dimension.
func planSelect(c *opContext) error {
	condition, x := c.in[0].shape, c.in[1].shape
	if len(condition) == 1 && len(x) > 1 && condition[0] == x[0] && product(x) > 0 {
		condition = make([]int, len(x))
		fill(condition, 1)
		condition[0] = x[0]
	}
	s := newStretch(condition, x, c.in[2].shape)
	if s == nil || product(s.shape) != product(x) || product(x) != c.in[2].elems() {
		return c.malformed("a condition %v for %v and %v", c.in[0].shape, x, c.in[2].shape)
	}
	if err := c.shape(0, x...); err != nil {
		return err
	}
	return c.selected(s)
}

// selected emits the step that copies, for each element, one value or the other.
func (c *opContext) selected(s *stretch) error {
	condition, x, y, out := c.in[0], c.in[1], c.in[2], c.out[0]
	if condition.typ != model.TypeBool || x.typ != y.typ || x.typ != out.typ {
		return c.types()
	}
	switch out.elem() {
	case 1:
		emitSelect(c, s, (*tensor).content)
	case 2:
		emitSelect(c, s, (*tensor).i16)
	case 4:
		emitSelect(c, s, (*tensor).i32)
	default:
		emitSelect(c, s, (*tensor).i64)
	}
	return nil
}

func emitSelect[T any](c *opContext, s *stretch, of func(*tensor) []T) {
	condition, a, b, out := c.in[0], c.in[1], c.in[2], c.out[0]
	c.emit("select", s.units(), 2*out.elems(), c.in, func(_ *worker, lo, hi int) {
		dst, x, y := of(out), of(a), of(b)
		s.each(lo, hi, func(d, n int, at, step [mostOperands]int) {
			i, j, k := at[0], at[1], at[2]
			for m := range n {
				if condition.data[i] != 0 {
					dst[d+m] = x[j]
				} else {
					dst[d+m] = y[k]
				}
				i, j, k = i+step[0], j+step[1], k+step[2]
			}
		})
	})
}
