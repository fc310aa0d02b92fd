package model

// stride is one dimension of a STRIDED_SLICE, in order from begin until end.
type stride struct {
	begin, end, step int64
	shrink           bool // the dimension has one element and is dropped
}

// count is the number of elements taken.
func (s stride) count() int64 {
	n := (s.end - s.begin + s.step - sign(s.step)) / s.step
	return max(0, n)
}

func sign(n int64) int64 {
	if n < 0 {
		return -1
	}
	return 1
}

// sliceSpec is what a STRIDED_SLICE asks for, dimension by dimension.
type sliceSpec struct {
	begin, end, step []int64
	opt              *StridedSliceOptions
}

func shapeStridedSlice(o *opShape) ([]dims, error) {
	opt, err := options[StridedSliceOptions](o)
	if err != nil {
		return nil, err
	}
	in, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	spec := sliceSpec{opt: opt}
	for i, v := range []*[]int64{&spec.begin, &spec.end, &spec.step} {
		if *v, err = o.ints(i + 1); err != nil {
			return nil, err
		}
	}
	strides, err := spec.resolve(in)
	if err != nil {
		return nil, err
	}
	var out dims
	for _, s := range strides {
		if !s.shrink {
			out = append(out, s.count())
		}
	}
	return one(out), nil
}

// resolve expands ellipsis and new axes, and clamps every dimension to in.
func (p sliceSpec) resolve(in dims) ([]stride, error) {
	n := len(p.begin)
	if len(p.end) != n || len(p.step) != n || n > 31 {
		return nil, malformed("begin %v, end %v, strides %v", p.begin, p.end, p.step)
	}
	bit := func(mask int32, i int) bool { return mask>>i&1 != 0 }
	fresh, ellipsis := 0, -1
	for i := range n {
		switch {
		case bit(p.opt.EllipsisMask, i):
			if ellipsis >= 0 {
				return nil, malformed("two ellipses")
			}
			ellipsis = i
		case bit(p.opt.NewAxisMask, i):
			fresh++
		}
	}
	given := n - fresh // dimensions of the input that the spec names
	if ellipsis >= 0 {
		given--
	}
	if given > len(in) {
		return nil, malformed("%d dimensions sliced of %v", given, in)
	}
	var out []stride
	next := 0 // dimension of the input
	whole := func(count int) {
		for range count {
			out = append(out, stride{0, in[next], 1, false})
			next++
		}
	}
	for i := range n {
		switch {
		case i == ellipsis:
			whole(len(in) - given)
		case bit(p.opt.NewAxisMask, i):
			out = append(out, stride{0, 1, 1, false})
		default:
			s, err := p.dimension(i, in[next])
			if err != nil {
				return nil, err
			}
			out = append(out, s)
			next++
		}
	}
	whole(len(in) - next)
	return out, nil
}

// dimension resolves entry i against a dimension of the given size.
func (p sliceSpec) dimension(i int, size int64) (stride, error) {
	bit := func(mask int32) bool { return mask>>i&1 != 0 }
	s := stride{p.begin[i], p.end[i], p.step[i], bit(p.opt.ShrinkAxisMask)}
	if s.step == 0 {
		return s, malformed("stride 0 in dimension %d", i)
	}
	low, high := int64(0), size // what a bound may be
	if s.step < 0 {
		low, high = -1, size-1
	}
	first, last := low, high
	if s.step < 0 {
		first, last = high, low
	}
	clamp := func(v int64) int64 {
		if v < 0 {
			v += size
		}
		return min(max(v, low), high)
	}
	if p.opt.Offset {
		s.end += s.begin
	}
	s.begin = clamp(s.begin)
	if bit(p.opt.BeginMask) {
		s.begin = first
	}
	s.end = clamp(s.end)
	if bit(p.opt.EndMask) {
		s.end = last
	}
	if s.shrink {
		if s.begin < 0 || s.begin >= size {
			return s, malformed("index %d of a dimension of %d", p.begin[i], size)
		}
		s.end, s.step = s.begin+1, 1
	}
	return s, nil
}
