package model

import "slices"

// Shape rules of the operators that join, cut and rearrange.

func shapeConcatenation(o *opShape) ([]dims, error) {
	opt, err := options[ConcatenationOptions](o)
	if err != nil {
		return nil, err
	}
	out, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	a, err := axis(int64(opt.Axis), len(out))
	if err != nil {
		return nil, err
	}
	for i := 1; i < len(o.op.Inputs); i++ {
		d, err := o.shape(i)
		if err != nil {
			return nil, err
		}
		if len(d) != len(out) || !slices.Equal(d.with(a, 0), out.with(a, 0)) {
			return nil, malformed("input %d of shape %v does not join %v along axis %d", i, d, out, a)
		}
		out[a] += d[a]
	}
	return one(out), nil
}

func shapeSplit(o *opShape) ([]dims, error) {
	opt, err := options[SplitOptions](o)
	if err != nil {
		return nil, err
	}
	in, err := o.shape(1)
	if err != nil {
		return nil, err
	}
	at, err := o.scalar(0)
	if err != nil {
		return nil, err
	}
	a, err := axis(at, len(in))
	if err != nil {
		return nil, err
	}
	n := len(o.op.Outputs)
	if n == 0 || int(opt.NumSplits) != n || in[a]%int64(n) != 0 {
		return nil, malformed("%v does not split in %d along axis %d", in, opt.NumSplits, a)
	}
	return slices.Repeat(one(in.with(a, in[a]/int64(n))), n), nil
}

func shapeSplitV(o *opShape) ([]dims, error) {
	in, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	sizes, err := o.ints(1)
	if err != nil {
		return nil, err
	}
	at, err := o.scalar(2)
	if err != nil {
		return nil, err
	}
	a, err := axis(at, len(in))
	if err != nil {
		return nil, err
	}
	sizes, err = fillOne(sizes, in[a], func(x, y int64) int64 { return x - y })
	if err != nil {
		return nil, err
	}
	var out []dims
	for _, n := range sizes {
		out = append(out, in.with(a, n))
	}
	return out, nil
}

// fillOne replaces the one -1 among sizes by what take leaves of total.
func fillOne(sizes []int64, total int64, take func(left, size int64) int64) ([]int64, error) {
	sizes = slices.Clone(sizes)
	unknown, left := -1, total
	for i, n := range sizes {
		switch {
		case n == -1 && unknown < 0:
			unknown = i
		case n < 0:
			return nil, malformed("sizes %v", sizes)
		default:
			left = take(left, n)
		}
	}
	if unknown >= 0 {
		sizes[unknown] = left
	}
	return sizes, nil
}

func shapePack(o *opShape) ([]dims, error) {
	opt, err := options[PackOptions](o)
	if err != nil {
		return nil, err
	}
	in, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	a, err := axis(int64(opt.Axis), len(in)+1)
	if err != nil {
		return nil, err
	}
	for i := range o.op.Inputs {
		if d, err := o.shape(i); err != nil || !slices.Equal(d, in) {
			return nil, malformed("inputs 0 and %d differ in shape", i)
		}
	}
	return one(slices.Insert(in, a, int64(len(o.op.Inputs)))), nil
}

func shapeUnpack(o *opShape) ([]dims, error) {
	opt, err := options[UnpackOptions](o)
	if err != nil {
		return nil, err
	}
	in, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	a, err := axis(int64(opt.Axis), len(in))
	if err != nil {
		return nil, err
	}
	if in[a] != int64(len(o.op.Outputs)) {
		return nil, malformed("%d outputs for dimension %d of %v", len(o.op.Outputs), a, in)
	}
	return slices.Repeat(one(slices.Delete(slices.Clone(in), a, a+1)), len(o.op.Outputs)), nil
}

func shapeSlice(o *opShape) ([]dims, error) {
	in, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	begin, err := o.ints(1)
	if err != nil {
		return nil, err
	}
	size, err := o.ints(2)
	if err != nil {
		return nil, err
	}
	if len(begin) != len(in) || len(size) != len(in) {
		return nil, malformed("begin %v and size %v for shape %v", begin, size, in)
	}
	out := slices.Clone(in)
	for i := range in {
		b, n := begin[i], size[i]
		if n == -1 {
			n = in[i] - b
		}
		if b < 0 || n < 0 || b > in[i] || n > in[i]-b {
			return nil, malformed("%d elements from %d of dimension %d, which has %d", n, b, i, in[i])
		}
		out[i] = n
	}
	return one(out), nil
}

// shapeGather: the axis is replaced by the indices' dimensions; the first
// batchDims dimensions are common to both.
func shapeGather(o *opShape) ([]dims, error) {
	opt, err := options[GatherOptions](o)
	if err != nil {
		return nil, err
	}
	in, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	index, err := o.shape(1)
	if err != nil {
		return nil, err
	}
	a, err := axis(int64(opt.Axis), len(in))
	if err != nil {
		return nil, err
	}
	batch := int(opt.BatchDims)
	if batch < 0 {
		batch += len(index)
	}
	if batch < 0 || batch > a || batch > len(index) {
		return nil, malformed("%d batch dimensions for axis %d and indices %v", opt.BatchDims, a, index)
	}
	return one(slices.Concat(in[:a], index[batch:], in[a+1:])), nil
}

func shapeReshape(o *opShape) ([]dims, error) {
	opt, err := options[ReshapeOptions](o)
	if err != nil {
		return nil, err
	}
	in, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	want, err := o.reshapeTarget(opt)
	if err != nil {
		return nil, err
	}
	total, err := in.elements()
	if err != nil {
		return nil, err
	}
	out, err := fillOne(want, total, func(left, n int64) int64 {
		if n == 0 || left%n != 0 {
			return -1
		}
		return left / n
	})
	if err != nil {
		return nil, err
	}
	if n, err := dims(out).elements(); err != nil || n != total {
		return nil, malformed("%v does not become %v", in, want)
	}
	return one(out), nil
}

func (o *opShape) reshapeTarget(opt *ReshapeOptions) ([]int64, error) {
	if o.has(1) {
		v, err := o.ints(1)
		if err == nil || len(opt.NewShape) == 0 {
			return v, err
		}
	}
	// Old converters write the shape of a scalar as [0].
	if len(opt.NewShape) == 1 && opt.NewShape[0] == 0 {
		return nil, nil
	}
	v := make([]int64, len(opt.NewShape))
	for i, n := range opt.NewShape {
		v[i] = int64(n)
	}
	return v, nil
}

func shapeSqueeze(o *opShape) ([]dims, error) {
	opt, err := options[SqueezeOptions](o)
	if err != nil {
		return nil, err
	}
	in, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	drop := make([]bool, len(in))
	for _, d := range opt.SqueezeDims {
		a, err := axis(int64(d), len(in))
		if err != nil {
			return nil, err
		}
		if in[a] != 1 {
			return nil, malformed("dimension %d of %v is not 1", a, in)
		}
		drop[a] = true
	}
	var out dims
	for i, n := range in {
		if !drop[i] && (n != 1 || len(opt.SqueezeDims) > 0) {
			out = append(out, n)
		}
	}
	return one(out), nil
}

func shapeExpandDims(o *opShape) ([]dims, error) {
	in, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	at, err := o.scalar(1)
	if err != nil {
		return nil, err
	}
	a, err := axis(at, len(in)+1)
	if err != nil {
		return nil, err
	}
	return one(slices.Insert(in, a, 1)), nil
}

func shapeTranspose(o *opShape) ([]dims, error) {
	in, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	perm, err := o.ints(1)
	if err != nil {
		return nil, err
	}
	if len(perm) != len(in) {
		return nil, malformed("permutation %v of shape %v", perm, in)
	}
	out := make(dims, len(in))
	seen := make([]bool, len(in))
	for i, p := range perm {
		a, err := axis(p, len(in))
		if err != nil || seen[a] {
			return nil, malformed("permutation %v of shape %v", perm, in)
		}
		seen[a] = true
		out[i] = in[a]
	}
	return one(out), nil
}
