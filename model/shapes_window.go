package model

// Shape rules of the operators with a window, and of those that change the
// grid: convolutions, pools, resizing, space and batch.

// along is the output length of a window over in elements of an axis.
func (w Window) along(axis int, in int64) (int64, error) {
	if min(w.Filter[axis], w.Stride[axis], w.Dilation[axis]) <= 0 {
		return 0, malformed("filter %d, stride %d, dilation %d", w.Filter[axis], w.Stride[axis], w.Dilation[axis])
	}
	if w.Padding != PaddingSame && w.Padding != PaddingValid {
		return 0, unsupported("%v", w.Padding)
	}
	n := w.Out(axis, in)
	if n < 1 {
		return 0, malformed("a filter of %d, dilated by %d, does not fit an input of %d", w.Filter[axis], w.Dilation[axis], in)
	}
	return n, nil
}

// slide gives the shape behind the window of o's operator over the NHWC shape
// in; filter is a convolution's.
func (o *opShape) slide(in, filter dims, channels int64) ([]dims, error) {
	w, _ := WindowOf(o.m, o.g, o.op)
	if filter != nil {
		w.Filter = [2]int{int(filter[1]), int(filter[2])}
	}
	out := dims{in[0], 0, 0, channels}
	for i, axis := range [2]string{"height", "width"} {
		n, err := w.along(i, in[1+i])
		if err != nil {
			return nil, under(axis, err)
		}
		out[1+i] = n
	}
	return one(out), nil
}

func shapeConv2D(o *opShape) ([]dims, error) {
	if _, err := options[Conv2DOptions](o); err != nil {
		return nil, err
	}
	in, err := o.ranked(0, 4)
	if err != nil {
		return nil, err
	}
	f, err := o.ranked(1, 4) // O, kh, kw, I
	if err != nil {
		return nil, err
	}
	if f[3] == 0 || in[3] == 0 || in[3]%f[3] != 0 || f[0]%(in[3]/f[3]) != 0 {
		return nil, malformed("filter %v does not fit %d input channels", f, in[3])
	}
	return o.slide(in, f, f[0])
}

func shapeDepthwiseConv2D(o *opShape) ([]dims, error) {
	if _, err := options[DepthwiseConv2DOptions](o); err != nil {
		return nil, err
	}
	in, err := o.ranked(0, 4)
	if err != nil {
		return nil, err
	}
	f, err := o.ranked(1, 4) // 1, kh, kw, I*multiplier
	if err != nil {
		return nil, err
	}
	if f[0] != 1 || in[3] == 0 || f[3]%in[3] != 0 {
		return nil, malformed("filter %v does not fit %d input channels", f, in[3])
	}
	return o.slide(in, f, f[3])
}

func shapePool2D(o *opShape) ([]dims, error) {
	if _, err := options[Pool2DOptions](o); err != nil {
		return nil, err
	}
	in, err := o.ranked(0, 4)
	if err != nil {
		return nil, err
	}
	return o.slide(in, nil, in[3])
}

// shapeTransposeConv: the first input is the output's shape.
func shapeTransposeConv(o *opShape) ([]dims, error) {
	out, err := o.ints(0)
	if err != nil {
		return nil, err
	}
	f, err := o.ranked(1, 4)
	if err != nil {
		return nil, err
	}
	in, err := o.ranked(2, 4)
	if err != nil {
		return nil, err
	}
	if len(out) != 4 || f[3] != in[3] || out[3] != f[0] || out[0] != in[0] {
		return nil, malformed("output %v, filter %v and input %v do not fit", out, f, in)
	}
	return one(out), nil
}

func shapeResize(o *opShape) ([]dims, error) {
	in, err := o.ranked(0, 4)
	if err != nil {
		return nil, err
	}
	size, err := o.ints(1)
	if err != nil {
		return nil, err
	}
	if len(size) != 2 || size[0] < 1 || size[1] < 1 {
		return nil, malformed("new size %v", size)
	}
	return one(dims{in[0], size[0], size[1], in[3]}), nil
}

func shapeSpaceToDepth(o *opShape) ([]dims, error) {
	opt, err := options[SpaceToDepthOptions](o)
	if err != nil {
		return nil, err
	}
	in, err := o.ranked(0, 4)
	if err != nil {
		return nil, err
	}
	b := int64(opt.BlockSize)
	if b < 1 || in[1]%b != 0 || in[2]%b != 0 {
		return nil, malformed("block size %d does not divide %v", b, in)
	}
	return one(dims{in[0], in[1] / b, in[2] / b, in[3] * b * b}), nil
}

func shapeDepthToSpace(o *opShape) ([]dims, error) {
	opt, err := options[DepthToSpaceOptions](o)
	if err != nil {
		return nil, err
	}
	in, err := o.ranked(0, 4)
	if err != nil {
		return nil, err
	}
	b := int64(opt.BlockSize)
	if b < 1 || in[3]%(b*b) != 0 {
		return nil, malformed("block size %d does not divide the channels of %v", b, in)
	}
	return one(dims{in[0], in[1] * b, in[2] * b, in[3] / (b * b)}), nil
}

// blocks reads the block sizes (input 1) and the pairs (input 2) of
// SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND, one for every spatial dimension.
func (o *opShape) blocks() (in dims, block, pairs []int64, err error) {
	if in, err = o.shape(0); err != nil {
		return
	}
	if block, err = o.ints(1); err != nil {
		return
	}
	if pairs, err = o.ints(2); err != nil {
		return
	}
	if len(block)+1 > len(in) || len(pairs) != 2*len(block) {
		err = malformed("%d block sizes and %d pads for %v", len(block), len(pairs), in)
	}
	for _, b := range block {
		if b < 1 {
			err = malformed("block sizes %v", block)
		}
	}
	for _, p := range pairs {
		if p < 0 {
			err = malformed("pads %v", pairs)
		}
	}
	return
}

func shapeSpaceToBatch(o *opShape) ([]dims, error) {
	in, block, pads, err := o.blocks()
	if err != nil {
		return nil, err
	}
	out := in.with(0, in[0])
	for i, b := range block {
		n := in[i+1] + pads[2*i] + pads[2*i+1]
		if n%b != 0 {
			return nil, malformed("block size %d does not divide %d, dimension %d with its pads", b, n, i+1)
		}
		out[i+1] = n / b
		if out[0] *= b; out[0] > maxElements {
			return nil, malformed("a batch of %d", out[0])
		}
	}
	return one(out), nil
}

func shapeBatchToSpace(o *opShape) ([]dims, error) {
	in, block, crops, err := o.blocks()
	if err != nil {
		return nil, err
	}
	out := in.with(0, in[0])
	for i, b := range block {
		if out[0]%b != 0 {
			return nil, malformed("block sizes %v do not divide a batch of %d", block, in[0])
		}
		out[0] /= b
		out[i+1] = in[i+1]*b - crops[2*i] - crops[2*i+1]
	}
	return one(out), nil
}
