package fallback

import "edged/model"

// window is one axis of a sliding operator: kernel size, stride, dilation, and
// the padding before and after, which is negative where the input is cropped.
type window struct {
	in, out           int
	k, stride, dilate int
	before, after     int
}

// span is the number of inputs from the first tap to the last.
func (w window) span() int { return (w.k-1)*w.dilate + 1 }

// valid says that the sizes are sane and give at least one output.
func (w window) valid() bool {
	const most = 1 << 28 // keeps every product of two in range
	return w.in > 0 && w.k > 0 && w.k < most && w.stride > 0 && w.stride < most && w.dilate > 0 && w.dilate < most &&
		w.before < most && w.after < most && w.in < most && int64(w.k)*int64(w.dilate) < most
}

// resolve computes out, and the padding where SAME asks for it.
func (w *window) resolve(p model.Padding) bool {
	if !w.valid() {
		return false
	}
	k, stride, dilate := int64(w.k), int64(w.stride), int64(w.dilate)
	if p == model.PaddingSame {
		before, after := model.Pads(p, int64(w.in), k, stride, dilate)
		w.before, w.after = int(before), int(after)
	}
	w.out = int(model.OutSize(model.PaddingValid, int64(w.in+w.before+w.after), k, stride, dilate))
	return w.out > 0
}

// windows resolves both axes of a sliding operator on an NHWC tensor of shape
// in. filter is a convolution's; a pool's is in its options.
func (c *opContext) windows(in, filter []int) (y, x window, err error) {
	w, _ := model.WindowOf(c.p.m, c.p.sub, c.n.op)
	if !w.Pool && len(filter) == 4 {
		w.Filter = [2]int{filter[1], filter[2]}
	}
	f, p := c.n.fused, w.Padding
	y = window{in: in[1], k: w.Filter[0], stride: w.Stride[0], dilate: w.Dilation[0] * f.dilate[0]}
	x = window{in: in[2], k: w.Filter[1], stride: w.Stride[1], dilate: w.Dilation[1] * f.dilate[1]}
	if f.pads != nil {
		y.before, y.after, x.before, x.after = f.pads[0], f.pads[1], f.pads[2], f.pads[3]
		p = model.PaddingValid
	}
	if (y.in+f.padded[0])%f.block[0] != 0 || (x.in+f.padded[1])%f.block[1] != 0 {
		return y, x, c.malformed("input %v is no multiple of block %v", in, f.block)
	}
	if !y.resolve(p) || !x.resolve(p) {
		return y, x, c.malformed("window %v, stride %v, dilation %v does not fit input %v", w.Filter, w.Stride, w.Dilation, in)
	}
	return y, x, nil
}
