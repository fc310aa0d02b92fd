package model

// Shortcuts of a Builder for the operators that nets are made of. In options a
// stride or dilation of 0 means 1; bias may be None.

// Conv2D convolves x [N,H,W,I] with w [O,kh,kw,I]. Without a bias it gets one
// of zeros: runtimes ask for it.
func (b *Builder) Conv2D(x, w, bias Ref, o Conv2DOptions) Ref {
	ones(&o.StrideH, &o.StrideW, &o.DilationH, &o.DilationW)
	if bias == None {
		bias = b.zeroBias(x, w, 0)
	}
	return b.Op(OpConv2D, &o, withBias(x, w, bias)...)
}

// DepthwiseConv2D convolves every channel of x [N,H,W,I] with w [1,kh,kw,I*multiplier].
// Without a bias it gets one of zeros: TFLite 2.9 crashes where it is missing.
func (b *Builder) DepthwiseConv2D(x, w, bias Ref, o DepthwiseConv2DOptions) Ref {
	ones(&o.StrideH, &o.StrideW, &o.DilationH, &o.DilationW)
	if bias == None {
		bias = b.zeroBias(x, w, 3)
	}
	if in, f := b.Shape(x), b.Shape(w); o.DepthMultiplier == 0 && len(in) == 4 && len(f) == 4 && in[3] > 0 {
		o.DepthMultiplier = int32(f[3] / in[3])
	}
	return b.Op(OpDepthwiseConv2D, &o, withBias(x, w, bias)...)
}

// TransposeConv gives the map of height h and width w that a convolution with
// these options turns into x [N,H,W,I]; the filter is [O,kh,kw,I].
func (b *Builder) TransposeConv(x, filter, bias Ref, h, w int, o TransposeConvOptions) Ref {
	ones(&o.StrideH, &o.StrideW)
	in, f := b.Shape(x), b.Shape(filter)
	if len(in) != 4 || len(f) != 4 {
		b.fail("transposed convolution of %v with %v", in, f)
		return None
	}
	return b.Op(OpTransposeConv, &o, withBias(b.Ints(in[0], h, w, f[0]), filter, x, bias)...)
}

// FullyConnected multiplies x by w [O,I].
func (b *Builder) FullyConnected(x, w, bias Ref, o FullyConnectedOptions) Ref {
	return b.Op(OpFullyConnected, &o, x, w, bias)
}

// MaxPool, AvgPool and L2Pool slide a window over x [N,H,W,C].
func (b *Builder) MaxPool(x Ref, o Pool2DOptions) Ref { return b.pool(OpMaxPool2D, x, o) }

// AvgPool averages over the pixels under the window that are not padding.
func (b *Builder) AvgPool(x Ref, o Pool2DOptions) Ref { return b.pool(OpAveragePool2D, x, o) }

// L2Pool is the root of the mean square under the window.
func (b *Builder) L2Pool(x Ref, o Pool2DOptions) Ref { return b.pool(OpL2Pool2D, x, o) }

func (b *Builder) pool(code BuiltinOperator, x Ref, o Pool2DOptions) Ref {
	ones(&o.StrideH, &o.StrideW, &o.FilterHeight, &o.FilterWidth)
	return b.Op(code, &o, x)
}

// Add, Sub, Mul and Div work element by element, with broadcasting.
func (b *Builder) Add(x, y Ref, act Activation) Ref {
	return b.Op(OpAdd, &AddOptions{Activation: act, PotScaleInt16: true}, x, y)
}

// Sub is x - y.
func (b *Builder) Sub(x, y Ref, act Activation) Ref {
	return b.Op(OpSub, &SubOptions{Activation: act, PotScaleInt16: true}, x, y)
}

// Mul is x * y.
func (b *Builder) Mul(x, y Ref, act Activation) Ref { return b.Op(OpMul, &MulOptions{act}, x, y) }

// Div is x / y.
func (b *Builder) Div(x, y Ref, act Activation) Ref { return b.Op(OpDiv, &DivOptions{act}, x, y) }

// Maximum is the larger of x and y.
func (b *Builder) Maximum(x, y Ref) Ref { return b.Op(OpMaximum, &MaximumMinimumOptions{}, x, y) }

// Minimum is the smaller of x and y.
func (b *Builder) Minimum(x, y Ref) Ref { return b.Op(OpMinimum, &MaximumMinimumOptions{}, x, y) }

// Concat joins tensors along an axis.
func (b *Builder) Concat(axis int, xs ...Ref) Ref {
	return b.Op(OpConcatenation, &ConcatenationOptions{Axis: int32(axis)}, xs...)
}

// Reshape reads x's elements as another shape, which may hold one -1.
func (b *Builder) Reshape(x Ref, shape ...int) Ref {
	return b.Op(OpReshape, &ReshapeOptions{NewShape: int32s(shape)}, x, b.Ints(shape...))
}

// Pad puts zeros before and after every dimension (zero points where x is
// quantized); pads holds a pair for each.
func (b *Builder) Pad(x Ref, pads ...[2]int) Ref {
	return b.Op(OpPad, &PadOptions{}, x, b.pairs(pads))
}

// PadV2 is Pad with a scalar of x's type.
func (b *Builder) PadV2(x, value Ref, pads ...[2]int) Ref {
	return b.Op(OpPadV2, &PadV2Options{}, x, b.pairs(pads), value)
}

func (b *Builder) pairs(pads [][2]int) Ref {
	flat := make([]int32, 0, 2*len(pads))
	for _, p := range pads {
		flat = append(flat, int32(p[0]), int32(p[1]))
	}
	return Const(b, "", []int{len(pads), 2}, flat)
}

// Mean averages over axes, which stay as dimensions of one where keep is set.
func (b *Builder) Mean(x Ref, keep bool, axes ...int) Ref { return b.Reduce(OpMean, x, keep, axes...) }

// Reduce is MEAN, SUM, REDUCE_MAX or another reduction over axes.
func (b *Builder) Reduce(code BuiltinOperator, x Ref, keep bool, axes ...int) Ref {
	return b.Op(code, &ReducerOptions{KeepDims: keep}, x, b.Ints(axes...))
}

// Softmax normalises the last dimension, with beta 1.
func (b *Builder) Softmax(x Ref) Ref { return b.Op(OpSoftmax, &SoftmaxOptions{Beta: 1}, x) }

// SpaceToBatch moves a blocks' pixels into the batch; block and pads are for y, x.
func (b *Builder) SpaceToBatch(x Ref, block [2]int, pads [2][2]int) Ref {
	return b.Op(OpSpaceToBatchND, &SpaceToBatchNDOptions{}, x, b.Ints(block[:]...), b.pairs(pads[:]))
}

// BatchToSpace undoes SpaceToBatch and crops.
func (b *Builder) BatchToSpace(x Ref, block [2]int, crops [2][2]int) Ref {
	return b.Op(OpBatchToSpaceND, &BatchToSpaceNDOptions{}, x, b.Ints(block[:]...), b.pairs(crops[:]))
}

// Slice cuts size elements from begin in every dimension; -1 takes the rest.
func (b *Builder) Slice(x Ref, begin, size []int) Ref {
	return b.Op(OpSlice, &SliceOptions{}, x, b.Ints(begin...), b.Ints(size...))
}

// StridedSlice takes every stride'th element from begin until before end.
func (b *Builder) StridedSlice(x Ref, begin, end, strides []int, o StridedSliceOptions) Ref {
	return b.Op(OpStridedSlice, &o, x, b.Ints(begin...), b.Ints(end...), b.Ints(strides...))
}

// Transpose reorders dimensions: output dimension i is x's perm[i].
func (b *Builder) Transpose(x Ref, perm ...int) Ref {
	return b.Op(OpTranspose, &TransposeOptions{}, x, b.Ints(perm...))
}

// Prelu multiplies negative values by alpha, which broadcasts.
func (b *Builder) Prelu(x, alpha Ref) Ref { return b.Op(OpPrelu, nil, x, alpha) }

// LeakyRelu multiplies negative values by alpha.
func (b *Builder) LeakyRelu(x Ref, alpha float32) Ref {
	return b.Op(OpLeakyRelu, &LeakyReluOptions{alpha}, x)
}

// Unary adds an operator without options: RELU, RELU6, LOGISTIC, TANH, ELU ...
func (b *Builder) Unary(code BuiltinOperator, x Ref) Ref { return b.Op(code, nil, x) }

// Relu is max(x, 0).
func (b *Builder) Relu(x Ref) Ref { return b.Unary(OpRelu, x) }

// ResizeBilinear resizes x [N,H,W,C] to h, w.
func (b *Builder) ResizeBilinear(x Ref, h, w int, o ResizeBilinearOptions) Ref {
	return b.Op(OpResizeBilinear, &o, x, b.Ints(h, w))
}

// ResizeNearest resizes x [N,H,W,C] to h, w.
func (b *Builder) ResizeNearest(x Ref, h, w int, o ResizeNearestNeighborOptions) Ref {
	return b.Op(OpResizeNearestNeighbor, &o, x, b.Ints(h, w))
}

// Quantize turns x into type t with one scale and zero point.
func (b *Builder) Quantize(x Ref, t TensorType, scale float32, zeroPoint int64) Ref {
	y := b.Op(OpQuantize, &QuantizeOptions{}, x)
	if out := b.tensor(y); out != nil {
		out.Type = t
	}
	return b.Quant(y, scale, zeroPoint)
}

// Dequantize turns x into float32.
func (b *Builder) Dequantize(x Ref) Ref { return b.Op(OpDequantize, &DequantizeOptions{}, x) }

func withBias(xs ...Ref) []Ref {
	if last := len(xs) - 1; xs[last] == None {
		return xs[:last]
	}
	return xs
}

func ones(fields ...*int32) {
	for _, f := range fields {
		if *f == 0 {
			*f = 1
		}
	}
}

// zeroBias is float32, or int32 on the scale of the products where x is an
// integer tensor; the output channels are dimension axis of w.
func (b *Builder) zeroBias(x, w Ref, axis int) Ref {
	in, filter := b.tensor(x), b.tensor(w)
	if in == nil || filter == nil || len(filter.Shape) != 4 {
		b.fail("a filter without four dimensions")
		return None
	}
	n := int(filter.Shape[axis])
	if in.Type == TypeFloat32 {
		return Const(b, "", []int{n}, make([]float32, n))
	}
	if in.Quantization == nil || filter.Quantization == nil {
		b.fail("convolution of %v: the scales are missing", in.Type)
		return None
	}
	scales := make([]float32, len(filter.Quantization.Scale))
	for i, s := range filter.Quantization.Scale {
		scales[i] = s * float32(scaleOf(in))
	}
	return b.PerChannel(Const(b, "", []int{n}, make([]int32, n)), 0, scales, make([]int64, len(scales)))
}
