package fallback

import (
	"math"

	"edged/model"
)

// alias gives output 0 the memory of input 0, which has as many elements. Where
// the output must be memory of its own, it is copied: a graph output may not
// share with a graph input or a constant.
func (c *opContext) alias(shape []int) error {
	in, out := c.in[0], c.out[0]
	if in.typ != out.typ {
		return c.types()
	}
	if err := c.shape(0, shape...); err != nil {
		return err
	}
	if in.bytes != out.bytes {
		return c.malformed("shape %v for %v", shape, in.shape)
	}
	root := in.memory()
	if out.output && (root.input || root.constant()) {
		c.emitMove(out, in, move{dims: []int{in.elems()}, ds: []int{1}, ss: []int{1}})
		return nil
	}
	out.root = root
	return nil
}

// planReshape plans RESHAPE: the new shape comes from the second input, else
// from the options; one dimension of it may be -1.
func planReshape(c *opContext) error {
	o, err := options[model.ReshapeOptions](c)
	if err != nil {
		return err
	}
	shape := toInts(o.NewShape)
	if len(c.in) > 1 && c.in[1] != nil {
		if shape, err = c.ints(1); err != nil {
			return err
		}
	} else if len(shape) == 1 && shape[0] == 0 {
		shape = nil // how old converters wrote a scalar
	}
	known, unknown := 1, -1
	for i, d := range shape {
		switch {
		case d == -1 && unknown < 0:
			unknown = i
		case d < 0 || d > 0 && known > math.MaxInt32/d:
			return c.malformed("new shape %v", shape)
		default:
			known *= d
		}
	}
	if unknown >= 0 {
		if known == 0 || c.in[0].elems()%known != 0 {
			return c.malformed("new shape %v for %v", shape, c.in[0].shape)
		}
		shape[unknown] = c.in[0].elems() / known
	}
	return c.alias(shape)
}

// planSqueeze plans SQUEEZE: the dimensions named, or all of one.
func planSqueeze(c *opContext) error {
	o, err := options[model.SqueezeOptions](c)
	if err != nil {
		return err
	}
	in := c.in[0].shape
	drop := map[int]bool{}
	for _, d := range o.SqueezeDims {
		axis, err := c.axis(int(d), len(in))
		if err != nil || in[axis] != 1 {
			return c.malformed("squeeze of dimension %d of %v", d, in)
		}
		drop[axis] = true
	}
	var shape []int
	for i, d := range in {
		if !drop[i] && (d != 1 || len(drop) > 0) {
			shape = append(shape, d)
		}
	}
	return c.alias(shape)
}

// planExpandDims plans EXPAND_DIMS.
func planExpandDims(c *opContext) error {
	axes, err := c.ints(1)
	if err != nil {
		return err
	}
	if len(axes) != 1 {
		return c.malformed("%d axes", len(axes))
	}
	axis, err := c.axis(axes[0], len(c.in[0].shape)+1)
	if err != nil {
		return err
	}
	shape := append([]int{}, c.in[0].shape[:axis]...)
	shape = append(shape, 1)
	return c.alias(append(shape, c.in[0].shape[axis:]...))
}

// axis resolves an axis that may count from the end.
func (c *opContext) axis(a, rank int) (int, error) {
	if a < 0 {
		a += rank
	}
	if a < 0 || a >= rank {
		return 0, c.malformed("axis %d of %d dimensions", a, rank)
	}
	return a, nil
}
