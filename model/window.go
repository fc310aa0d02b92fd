package model

// Window is what a convolution or a pool does along the axes y, x of an NHWC
// map.
type Window struct {
	Padding  Padding
	Filter   [2]int // taps; 0 where the weights' shape is not known
	Stride   [2]int
	Dilation [2]int
	Pool     bool // padding is left out of the result, where a convolution adds zeros
}

// WindowOf reads the window of an operator that slides one over a map:
// CONV_2D, DEPTHWISE_CONV_2D and the pools. ok is false for every other, and
// where the options are not the operator's own.
func WindowOf(m *Model, g *Subgraph, op *Operator) (w Window, ok bool) {
	switch o := op.Options.(type) {
	case *Conv2DOptions:
		w = Window{Padding: o.Padding, Stride: axes(o.StrideH, o.StrideW), Dilation: axes(o.DilationH, o.DilationW)}
		ok = m.Code(op).Builtin == OpConv2D
	case *DepthwiseConv2DOptions:
		w = Window{Padding: o.Padding, Stride: axes(o.StrideH, o.StrideW), Dilation: axes(o.DilationH, o.DilationW)}
		ok = m.Code(op).Builtin == OpDepthwiseConv2D
	case *Pool2DOptions:
		w = Window{Padding: o.Padding, Filter: axes(o.FilterHeight, o.FilterWidth), Stride: axes(o.StrideH, o.StrideW),
			Dilation: [2]int{1, 1}, Pool: true}
		switch m.Code(op).Builtin {
		case OpMaxPool2D, OpAveragePool2D, OpL2Pool2D:
			return w, true
		}
		return w, false
	}
	if ok && len(op.Inputs) > 1 && op.Inputs[1] >= 0 && int(op.Inputs[1]) < len(g.Tensors) {
		if f := g.Tensors[op.Inputs[1]].Shape; len(f) == 4 { // both kinds of filters are [_, y, x, _]
			w.Filter = axes(f[1], f[2])
		}
	}
	return w, ok
}

func axes(y, x int32) [2]int { return [2]int{int(y), int(x)} }

// Set has an operator of WindowOf slide w instead. Options are replaced, not
// written to: another graph may share them. A convolution's filter is its
// weights', and stays.
func (w Window) Set(op *Operator) {
	switch o := op.Options.(type) {
	case *Conv2DOptions:
		c := *o
		c.Padding, c.StrideH, c.StrideW = w.Padding, int32(w.Stride[0]), int32(w.Stride[1])
		c.DilationH, c.DilationW = int32(w.Dilation[0]), int32(w.Dilation[1])
		op.Options = &c
	case *DepthwiseConv2DOptions:
		c := *o
		c.Padding, c.StrideH, c.StrideW = w.Padding, int32(w.Stride[0]), int32(w.Stride[1])
		c.DilationH, c.DilationW = int32(w.Dilation[0]), int32(w.Dilation[1])
		op.Options = &c
	case *Pool2DOptions:
		c := *o
		c.Padding, c.StrideH, c.StrideW = w.Padding, int32(w.Stride[0]), int32(w.Stride[1])
		c.FilterHeight, c.FilterWidth = int32(w.Filter[0]), int32(w.Filter[1])
		op.Options = &c
	}
}

// Out is the output length over in elements of an axis, 0 where the filter does
// not fit.
func (w Window) Out(axis int, in int64) int64 {
	return OutSize(w.Padding, in, int64(w.Filter[axis]), int64(w.Stride[axis]), int64(w.Dilation[axis]))
}

// Pads is the padding before and after in elements of an axis.
func (w Window) Pads(axis int, in int64) (before, after int64) {
	return Pads(w.Padding, in, int64(w.Filter[axis]), int64(w.Stride[axis]), int64(w.Dilation[axis]))
}

// SameTotal is the padding that SAME asks for around in elements of an axis:
// negative where the last window ends before they do.
func (w Window) SameTotal(axis int, in int64) int64 {
	return sameTotal(in, int64(w.Filter[axis]), int64(w.Stride[axis]), int64(w.Dilation[axis]))
}

// Span is the extent of the dilated filter on an axis.
func (w Window) Span(axis int) int64 {
	return (int64(w.Filter[axis])-1)*int64(w.Dilation[axis]) + 1
}

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
	total := max(0, sameTotal(in, k, stride, dilation))
	return total / 2, total - total/2
}

// sameTotal is the padding that SAME asks for on an axis.
func sameTotal(in, k, stride, dilation int64) int64 {
	return (OutSize(PaddingSame, in, k, stride, dilation)-1)*stride + (k-1)*dilation + 1 - in
}

// ActivationOf is the function fused behind an operator, by its options.
func ActivationOf(options any) Activation {
	switch o := options.(type) {
	case *Conv2DOptions:
		return o.Activation
	case *DepthwiseConv2DOptions:
		return o.Activation
	case *TransposeConvOptions:
		return o.Activation
	case *FullyConnectedOptions:
		return o.Activation
	case *Pool2DOptions:
		return o.Activation
	case *ConcatenationOptions:
		return o.Activation
	case *L2NormOptions:
		return o.Activation
	case *AddOptions:
		return o.Activation
	case *SubOptions:
		return o.Activation
	case *MulOptions:
		return o.Activation
	case *DivOptions:
		return o.Activation
	}
	return ActNone
}
