package fallback

// stretch walks any number of operands over the shape that they broadcast to,
// row by row. Operators whose operands or result differ in type use it; those of
// equal types have broadcast, which is faster.
type stretch struct {
	shape []int   // of the result
	steps [][]int // of each operand: elements from one index to the next; 0 where it repeats
}

// newStretch is numpy's rule; nil where the shapes do not agree.
func newStretch(shapes ...[]int) *stretch {
	all := []int{}
	for _, s := range shapes {
		if all = broadcastShape(all, s); all == nil {
			return nil
		}
	}
	sp := &stretch{shape: all}
	for _, s := range shapes {
		sp.steps = append(sp.steps, broadcastStrides(s, all))
	}
	return sp
}

func (s *stretch) row() int {
	if len(s.shape) == 0 {
		return 1
	}
	return s.shape[len(s.shape)-1]
}

// units is the number of rows.
func (s *stretch) units() int { return product(s.shape) / max(1, s.row()) }

// mostOperands is the number of operands that a stretch walks.
const mostOperands = 3

// each calls f for rows [lo, hi): n results from d on, operand i from at[i] on
// with step[i] elements between them.
func (s *stretch) each(lo, hi int, f func(d, n int, at, step [mostOperands]int)) {
	last := len(s.shape) - 1
	var step [mostOperands]int
	for i, steps := range s.steps {
		if last >= 0 {
			step[i] = steps[last]
		}
	}
	for u := lo; u < hi; u++ {
		var at [mostOperands]int
		rest := u
		for k := last - 1; k >= 0; k-- {
			for i, steps := range s.steps {
				at[i] += rest % s.shape[k] * steps[k]
			}
			rest /= s.shape[k]
		}
		f(u*s.row(), s.row(), at, step)
	}
}

// stretch resolves the broadcast of the first n inputs and sets the output's shape.
func (c *opContext) stretch(n int) (*stretch, error) {
	var shapes [][]int
	for _, t := range c.in[:n] {
		shapes = append(shapes, t.shape)
	}
	s := newStretch(shapes...)
	if s == nil {
		return nil, c.malformed("operands %v do not broadcast", shapes)
	}
	return s, c.shape(0, s.shape...)
}

// emitStretched emits the step of a function of two elements of type T.
func emitStretched[T, R any](c *opContext, s *stretch, of func(*tensor) []T, to func(*tensor) []R, f func(x, y T) R) {
	a, b, out := c.in[0], c.in[1], c.out[0]
	c.emit("stretch", s.units(), 4*out.elems(), c.in, func(_ *worker, lo, hi int) {
		dst, x, y := to(out), of(a), of(b)
		s.each(lo, hi, func(d, n int, at, step [mostOperands]int) {
			i, j := at[0], at[1]
			for k := range n {
				dst[d+k] = f(x[i], y[j])
				i, j = i+step[0], j+step[1]
			}
		})
	})
}
