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

// resolve computes out, and the padding where SAME asks for it: as many
// outputs as input/stride rounded up, the odd padding element behind.
func (w *window) resolve(p model.Padding) bool {
	if !w.valid() {
		return false
	}
	if p == model.PaddingSame {
		w.out = (w.in + w.stride - 1) / w.stride
		total := max(0, (w.out-1)*w.stride+w.span()-w.in)
		w.before, w.after = total/2, total-total/2
		return true
	}
	w.out = (w.in + w.before + w.after - w.span() + w.stride) / w.stride
	return w.in+w.before+w.after >= w.span() && w.out > 0
}

// windows resolves both axes of an operator on an NHWC tensor of shape in.
func (c *opContext) windows(in []int, k, stride, dilate [2]int, p model.Padding) (y, x window, err error) {
	f := c.n.fused
	y = window{in: in[1], k: k[0], stride: stride[0], dilate: dilate[0] * f.dilate[0]}
	x = window{in: in[2], k: k[1], stride: stride[1], dilate: dilate[1] * f.dilate[1]}
	if f.pads != nil {
		y.before, y.after, x.before, x.after = f.pads[0], f.pads[1], f.pads[2], f.pads[3]
		p = model.PaddingValid
	}
	if (y.in+f.padded[0])%f.block[0] != 0 || (x.in+f.padded[1])%f.block[1] != 0 {
		return y, x, c.malformed("input %v is no multiple of block %v", in, f.block)
	}
	if !y.resolve(p) || !x.resolve(p) {
		return y, x, c.malformed("window %v, stride %v, dilation %v does not fit input %v", k, stride, dilate, in)
	}
	return y, x, nil
}
