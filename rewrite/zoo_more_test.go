//go:build tflite

package rewrite

import "edged/model"

// argMax answers with class numbers.
func argMax() *model.Model {
	b := newMaker(61, model.TypeFloat32)
	x := b.conv(b.maxPool(b.conv(b.input(21, 20, 3), 4, square(3, 1)), square(2, 2)), 5, square(3, 1).bare())
	y := b.Op(model.OpArgMax, &model.ArgMaxOptions{OutputType: model.TypeInt32}, x, model.Const(b.Builder, "axis", nil, []int32{3}))
	return b.Model(b.Name(y, "classes"))
}

// splitJoin splits its channels, treats the halves apart, and joins them.
func splitJoin() *model.Model {
	b := newMaker(62, model.TypeFloat32)
	x := b.conv(b.input(23, 22, 3), 8, square(3, 2))
	p := b.Ops(model.OpSplit, &model.SplitOptions{NumSplits: 2}, 2, model.Const(b.Builder, "axis", nil, []int32{3}), x)
	y := b.Concat(3, b.conv(p[0], 4, square(3, 2).same()), b.maxPool(p[1], square(3, 2).same()))
	y = b.StridedSlice(y, []int{0, 0, 0, 2}, []int{0, 0, 0, 8}, []int{1, 1, 1, 2}, model.StridedSliceOptions{BeginMask: 7, EndMask: 7})
	return b.Model(b.Name(y, "map"))
}

// denseOnMap is FULLY_CONNECTED with keep_num_dims over a map, as Keras writes
// a Dense layer behind a convolution.
func denseOnMap(typ model.TensorType) *model.Model {
	b := newMaker(63, typ)
	x := b.maxPool(b.conv(b.input(21, 20, 3), 6, square(3, 1)), square(2, 2))
	w, bias := b.fcWeights(4, 6)
	x = b.q(b.FullyConnected(x, w, bias, model.FullyConnectedOptions{KeepNumDims: true, Activation: model.ActRelu}))
	return b.Model(b.Name(b.maxPool(x, square(2, 2)), "map"))
}

// rowsInside flattens the positions, works on rows, and comes back.
func rowsInside() *model.Model {
	b := newMaker(64, model.TypeFloat32)
	x := b.conv(b.input(20, 19, 3), 6, square(3, 2))
	s := b.Shape(x)
	r := b.Reshape(x, s[1]*s[2], 6)
	r = b.Softmax(b.fc(r, 4))
	return b.Model(b.Name(b.Reshape(r, 1, s[1], s[2], 4), "map"))
}

// greyRank3 takes [1, h, w] and adds the channel itself.
func greyRank3() *model.Model {
	b := newMaker(65, model.TypeFloat32)
	x := b.Op(model.OpExpandDims, nil, b.Input("x", model.TypeFloat32, 1, 20, 22), b.Ints(3))
	x = b.maxPool(b.conv(x, 4, square(3, 1)), square(2, 2))
	return b.Model(b.Name(b.conv(x, 3, square(3, 1).bare()), "map"))
}

// inception averages with SAME padding beside convolutions.
func inception(typ model.TensorType) *model.Model {
	b := newMaker(66, typ)
	x := b.conv(b.input(30, 28, 3), 4, square(3, 2))
	z := b.zero[x]
	same := func(y model.Ref) model.Ref {
		if b.quantised() {
			b.zero[x] = z
			b.copyQuant(y, x)
		}
		return y
	}
	y := b.Concat(3, same(b.conv(x, 3, square(1, 1))), same(b.conv(x, 3, square(3, 1).same())), b.avgPool(x, square(3, 1).same()))
	b.zero[y] = z
	y = b.avgPool(y, square(3, 2).same())
	return b.Model(b.Name(b.conv(y, 3, square(2, 1).bare()), "map"))
}

// globalMax is a classifier that takes the strongest response.
func globalMax() *model.Model {
	b := newMaker(67, model.TypeFloat32)
	x := b.conv(b.conv(b.input(21, 23, 3), 6, square(3, 2)), 6, square(3, 2))
	x = b.Reduce(model.OpReduceMax, x, false, 1, 2)
	return b.Model(b.Name(b.fc(x, 3), "logits"))
}

// convHead is MobileNet's manner: AVERAGE_POOL over all, a 1x1 convolution,
// RESHAPE, SOFTMAX.
func convHead(typ model.TensorType) *model.Model {
	b := newMaker(68, typ)
	x := b.conv(b.conv(b.input(23, 23, 3), 6, square(3, 2)), 6, square(3, 2))
	s := b.Shape(x)
	z := b.zero[x]
	x = b.avgPool(x, square(s[1], s[1]))
	b.zero[x] = z
	x = b.conv(x, 4, square(1, 1).bare())
	x = b.Softmax(b.Reshape(x, 1, 4))
	if b.quantised() {
		b.Quant(x, 1.0/256, -128)
	}
	return b.Model(b.Name(x, "probabilities"))
}

// lowestPad pads by the lowest value before a VALID pool, as PyTorch exports do.
func lowestPad() *model.Model {
	b := newMaker(69, model.TypeFloat32)
	x := b.conv(b.input(26, 24, 3), 4, square(3, 1).same().bare())
	low := model.Const(b.Builder, "low", nil, []float32{-3.4e38})
	x = b.maxPool(b.PadV2(x, low, [2]int{}, [2]int{1, 1}, [2]int{1, 1}, [2]int{}), square(3, 2))
	return b.Model(b.Name(b.conv(x, 3, square(3, 2).bare()), "map"))
}

// channelMean is spatial attention: a mean over the channels weighs the map.
func channelMean() *model.Model {
	b := newMaker(70, model.TypeFloat32)
	x := b.conv(b.input(24, 24, 3), 6, square(3, 2))
	a := b.Unary(model.OpLogistic, b.conv(b.Mean(x, true, 3), 1, square(3, 1).same().bare()))
	x = b.conv(b.Mul(x, a, model.ActNone), 4, square(3, 2))
	return b.Model(b.Name(b.Op(model.OpL2Normalization, &model.L2NormOptions{}, x), "map"))
}

// channelPad is BlazeFace's block: the shortcut is pooled and padded in its
// channels.
func channelPad() *model.Model {
	b := newMaker(71, model.TypeFloat32)
	x := b.conv(b.input(26, 28, 3), 4, square(5, 2).same())
	main := b.conv(b.depthwise(x, 1, square(3, 2).same().bare()), 7, square(1, 1).bare())
	side := b.Pad(b.maxPool(x, square(2, 2).same()), [2]int{}, [2]int{}, [2]int{}, [2]int{0, 3})
	return b.Model(b.Name(b.add(main, side), "map"))
}

// outNCHW ends with its channels first.
func outNCHW() *model.Model {
	b := newMaker(72, model.TypeFloat32)
	x := b.conv(b.conv(b.input(21, 20, 3), 4, square(3, 2)), 3, square(3, 2).bare())
	return b.Model(b.Name(b.Transpose(x, 0, 3, 1, 2), "map"))
}

// upAndOut is a decoder by transposed convolution back to a quarter.
func upAndOut() *model.Model {
	b := newMaker(74, model.TypeFloat32)
	x := b.conv(b.input(32, 24, 3), 4, square(3, 2).same())
	x = b.conv(x, 6, square(3, 2).same())
	f, bias := b.weights([]int{3, 2, 2, 6}, 0)
	x = b.TransposeConv(x, f, bias, 16, 12, model.TransposeConvOptions{Padding: model.PaddingSame, StrideH: 2, StrideW: 2})
	return b.Model(b.Name(x, "map"))
}

// atrous is a dilated convolution as older converters write it.
func atrous(typ model.TensorType) *model.Model {
	b := newMaker(75, typ)
	x := b.conv(b.input(29, 33, 3), 4, square(3, 2))
	z := b.zero[x]
	y := b.SpaceToBatch(x, [2]int{2, 2}, [2][2]int{{2, 2}, {2, 2}})
	b.zero[y] = z
	y = b.depthwise(y, 1, square(3, 1))
	z = b.zero[y]
	y = b.BatchToSpace(y, [2]int{2, 2}, [2][2]int{{0, 0}, {0, 0}})
	b.zero[y] = z
	return b.Model(b.Name(b.conv(y, 3, square(3, 2).bare()), "map"))
}

// denseNetLike concatenates what it computes, and pools by averages.
func denseNetLike(typ model.TensorType) *model.Model {
	b := newMaker(17, typ)
	x := b.conv(b.input(33, 30, 3), 4, square(3, 1))
	for range 2 {
		y := b.conv(x, 4, square(3, 1).same())
		if b.quantised() {
			b.copyQuant(y, x)
		}
		z := b.zero[x]
		x = b.avgPool(b.Concat(3, x, y), square(2, 2))
		b.zero[x] = z
	}
	return b.Model(b.Name(b.conv(x, 3, square(2, 1).bare()), "map"))
}

func (b *maker) copyQuant(to, from model.Ref) {
	b.zero[to] = b.zero[from]
	b.Quant(to, 0.05, b.zero[from])
}

// torchGap reduces over the last two axes of an NCHW map.
func torchGap() *model.Model {
	b := newMaker(19, model.TypeFloat32)
	x := b.conv(b.input(19, 23, 3), 6, square(3, 2))
	x = b.Transpose(b.conv(x, 4, square(3, 2)), 0, 3, 1, 2)
	x = b.Mean(x, false, 2, 3)
	return b.Model(b.Name(b.fc(x, 4), "logits"))
}

// borderQuant takes and gives floats around an integer net.
func borderQuant() *model.Model {
	b := newMaker(21, model.TypeInt8)
	x := b.Quantize(b.Input("x", model.TypeFloat32, 1, 25, 25, 3), model.TypeInt8, 0.05, 3)
	x = b.maxPool(b.conv(x, 6, square(3, 2)), square(2, 2))
	x = b.conv(x, 4, square(3, 1).bare())
	return b.Model(b.Name(b.Dequantize(x), "map"))
}

// attention lets every position see every other.
func attention() *model.Model {
	b := newMaker(25, model.TypeFloat32)
	x := b.conv(b.input(16, 16, 3), 4, square(3, 2).same())
	rows := b.Reshape(x, 1, 64, 4)
	score := b.Softmax(b.Op(model.OpBatchMatMul, &model.BatchMatMulOptions{AdjY: true}, rows, rows))
	y := b.Reshape(b.Op(model.OpBatchMatMul, &model.BatchMatMulOptions{}, score, rows), 1, 8, 8, 4)
	return b.Model(b.Name(b.Add(x, y, model.ActNone), "map"))
}

// position adds a constant that differs from place to place.
func position() *model.Model {
	b := newMaker(27, model.TypeFloat32)
	x := b.conv(b.input(16, 16, 3), 2, square(3, 2).same())
	v := make([]float32, 8*8*2)
	for i := range v {
		v[i] = float32(i)
	}
	x = b.Add(x, model.Const(b.Builder, "embedding", []int{1, 8, 8, 2}, v), model.ActNone)
	return b.Model(b.Name(b.conv(x, 2, square(3, 2).same()), "map"))
}

// focus brings 2x2 pixels into the channels, by slices or by SPACE_TO_DEPTH.
func focus(slices bool) *model.Model {
	b := newMaker(28, model.TypeFloat32)
	x := b.input(24, 22, 3)
	if slices {
		var parts []model.Ref
		for i := range 4 {
			parts = append(parts, b.StridedSlice(x, []int{0, i / 2, i % 2, 0}, []int{1, 24, 22, 3}, []int{1, 2, 2, 1}, model.StridedSliceOptions{}))
		}
		x = b.Concat(3, parts...)
	} else {
		x = b.Op(model.OpSpaceToDepth, &model.SpaceToDepthOptions{BlockSize: 2}, x)
	}
	x = b.conv(x, 4, square(3, 2).same())
	return b.Model(b.Name(x, "map"))
}
