package model

// Shape rules of the operators with a window, and of those that change the
// grid: convolutions, pools, resizing, space and batch.

// window is what a convolution or a pool does along one axis.
type window struct {
	padding             Padding
	k, stride, dilation int64
}

func (w window) out(in int64) (int64, error) {
	if w.k <= 0 || w.stride <= 0 || w.dilation <= 0 {
		return 0, malformed("filter %d, stride %d, dilation %d", w.k, w.stride, w.dilation)
	}
	if w.padding != PaddingSame && w.padding != PaddingValid {
		return 0, unsupported("%v", w.padding)
	}
	n := OutSize(w.padding, in, w.k, w.stride, w.dilation)
	if n < 1 {
		return 0, malformed("a filter of %d, dilated by %d, does not fit an input of %d", w.k, w.dilation, in)
	}
	return n, nil
}

// slide applies a window along y and x to an NHWC shape.
func slide(in dims, y, x window, channels int64) ([]dims, error) {
	h, err := y.out(in[1])
	if err != nil {
		return nil, under("height", err)
	}
	w, err := x.out(in[2])
	if err != nil {
		return nil, under("width", err)
	}
	return one(dims{in[0], h, w, channels}), nil
}

func shapeConv2D(o *opShape) ([]dims, error) {
	opt, err := options[Conv2DOptions](o)
	if err != nil {
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
	return slide(in, window{opt.Padding, f[1], int64(opt.StrideH), int64(opt.DilationH)},
		window{opt.Padding, f[2], int64(opt.StrideW), int64(opt.DilationW)}, f[0])
}

func shapeDepthwiseConv2D(o *opShape) ([]dims, error) {
	opt, err := options[DepthwiseConv2DOptions](o)
	if err != nil {
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
	return slide(in, window{opt.Padding, f[1], int64(opt.StrideH), int64(opt.DilationH)},
		window{opt.Padding, f[2], int64(opt.StrideW), int64(opt.DilationW)}, f[3])
}

func shapePool2D(o *opShape) ([]dims, error) {
	opt, err := options[Pool2DOptions](o)
	if err != nil {
		return nil, err
	}
	in, err := o.ranked(0, 4)
	if err != nil {
		return nil, err
	}
	return slide(in, window{opt.Padding, int64(opt.FilterHeight), int64(opt.StrideH), 1},
		window{opt.Padding, int64(opt.FilterWidth), int64(opt.StrideW), 1}, in[3])
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
