package fallback

import "edged/model"

// planSlice plans SLICE: begin and size; a size of -1 takes the rest.
func planSlice(c *opContext) error {
	begin, err := c.ints(1)
	if err != nil {
		return err
	}
	size, err := c.ints(2)
	if err != nil {
		return err
	}
	in := c.in[0].shape
	if len(begin) != len(in) || len(size) != len(in) || c.in[0].typ != c.out[0].typ {
		return c.malformed("begin %v, size %v of %v", begin, size, in)
	}
	shape := make([]int, len(in))
	own := strides(in)
	from := 0
	for i, d := range in {
		if begin[i] < 0 || begin[i] > d {
			return c.malformed("begin %v of %v", begin, in)
		}
		shape[i] = size[i]
		if size[i] == -1 {
			shape[i] = d - begin[i]
		}
		if shape[i] < 0 || shape[i] > d-begin[i] {
			return c.malformed("begin %v, size %v of %v", begin, size, in)
		}
		from += begin[i] * own[i]
	}
	if err := c.shape(0, shape...); err != nil {
		return err
	}
	c.emitMove(c.out[0], c.in[0], move{dims: shape, ds: strides(shape), ss: own, src0: from})
	return nil
}

// planStridedSlice plans STRIDED_SLICE as numpy indexes, with its masks.
func planStridedSlice(c *opContext) error {
	o, err := options[model.StridedSliceOptions](c)
	if err != nil {
		return err
	}
	var list [3][]int
	for i := range list {
		if list[i], err = c.ints(1 + i); err != nil {
			return err
		}
	}
	begin, end, step := list[0], list[1], list[2]
	in := c.in[0].shape
	if o.EllipsisMask != 0 || o.NewAxisMask != 0 {
		return c.unsupported("ellipsis and new-axis masks")
	}
	if len(begin) > len(in) || len(end) != len(begin) || len(step) != len(begin) || c.in[0].typ != c.out[0].typ {
		return c.malformed("begin %v, end %v, strides %v of %v", begin, end, step, in)
	}
	own := strides(in)
	m := move{}
	var shape []int
	for i, d := range in {
		if i >= len(begin) {
			m.dims, m.ss, shape = append(m.dims, d), append(m.ss, own[i]), append(shape, d)
			continue
		}
		r, err := c.slicing(o, i, d, begin[i], end[i], step[i])
		if err != nil {
			return err
		}
		m.dims, m.ss = append(m.dims, r.n), append(m.ss, r.step*own[i])
		m.src0 += r.start * own[i]
		if o.ShrinkAxisMask>>i&1 == 0 {
			shape = append(shape, r.n)
		}
	}
	if err := c.shape(0, shape...); err != nil {
		return err
	}
	m.ds = strides(m.dims)
	c.emitMove(c.out[0], c.in[0], m)
	return nil
}

// sliceRange is n elements from start on, step apart.
type sliceRange struct{ start, step, n int }

// slicing resolves dimension i, of size d.
func (c *opContext) slicing(o model.StridedSliceOptions, i, d, begin, end, step int) (sliceRange, error) {
	if step == 0 || step > 1<<30 || step < -1<<30 {
		return sliceRange{}, c.malformed("stride %d", step)
	}
	if o.Offset {
		end += begin
	}
	low, high := 0, d // the values that an index may have: one past the end going up
	if step < 0 {
		low, high = -1, d-1
	}
	clamp := func(v int) int {
		if v < 0 {
			v += d
		}
		return min(max(v, low), high)
	}
	start, stop := clamp(begin), clamp(end)
	if o.BeginMask>>i&1 != 0 {
		start = map[bool]int{true: 0, false: d - 1}[step > 0]
	}
	if o.ShrinkAxisMask>>i&1 != 0 {
		if start < 0 || start >= d {
			return sliceRange{}, c.malformed("index %d of %d", begin, d)
		}
		return sliceRange{start, 1, 1}, nil
	}
	if o.EndMask>>i&1 != 0 {
		stop = map[bool]int{true: d, false: -1}[step > 0]
	}
	n := 0
	if step > 0 {
		n = max(0, (stop-start+step-1)/step)
	} else {
		n = max(0, (start-stop-step-1)/-step)
	}
	return sliceRange{start, step, n}, nil
}
