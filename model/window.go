package model

// OutSize is the output length of a window operator (convolution, pool) along
// one axis, with TFLite's arithmetic: ceil(in/stride) for SAME, and
// floor((in - span)/stride) + 1 for VALID, span being the dilated filter's
// extent (k-1)*dilation + 1. It is 0 where the filter does not fit.
func OutSize(p Padding, in, k, stride, dilation int64) int64 {
	if in <= 0 || k <= 0 || stride <= 0 || dilation <= 0 {
		return 0
	}
	if p == PaddingSame {
		return (in + stride - 1) / stride
	}
	return max(0, (in-((k-1)*dilation+1)+stride)/stride)
}

// Pads is how much SAME padding TFLite puts before and after one axis; the odd
// one goes after. VALID has none.
func Pads(p Padding, in, k, stride, dilation int64) (before, after int64) {
	if p != PaddingSame {
		return 0, 0
	}
	out := OutSize(p, in, k, stride, dilation)
	total := max(0, (out-1)*stride+(k-1)*dilation+1-in)
	return total / 2, total - total/2
}
