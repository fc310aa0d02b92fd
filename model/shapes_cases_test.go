package model_test

import "edged/model"

// every is one case or more for each operator that the engines run.
var every = map[string]func(b *model.Builder) []model.Ref{
	"CONV_2D grouped": func(b *model.Builder) []model.Ref {
		return refs(b.Conv2D(image(b, 9, 8, 4), floats(b, 6, 3, 2, 4), model.None, model.Conv2DOptions{StrideH: 3, DilationW: 2}))
	},
	"DEPTHWISE_CONV_2D": func(b *model.Builder) []model.Ref {
		return refs(b.DepthwiseConv2D(image(b, 9, 8, 4), floats(b, 1, 3, 3, 8), floats(b, 8), model.DepthwiseConv2DOptions{Padding: model.PaddingValid, StrideH: 2, StrideW: 2}))
	},
	"TRANSPOSE_CONV": func(b *model.Builder) []model.Ref {
		return refs(b.TransposeConv(image(b, 5, 4, 3), floats(b, 2, 3, 3, 3), model.None, 10, 8, model.TransposeConvOptions{StrideH: 2, StrideW: 2}))
	},
	"FULLY_CONNECTED": func(b *model.Builder) []model.Ref {
		x := image(b, 2, 3, 4)
		return refs(b.FullyConnected(x, floats(b, 5, 12), model.None, model.FullyConnectedOptions{}),
			b.FullyConnected(x, floats(b, 5, 4), floats(b, 5), model.FullyConnectedOptions{KeepNumDims: true}))
	},
	"pools": func(b *model.Builder) []model.Ref {
		x := image(b, 7, 9, 2)
		o := model.Pool2DOptions{FilterHeight: 3, FilterWidth: 2, StrideH: 2, StrideW: 3}
		v := o
		v.Padding = model.PaddingValid
		return refs(b.MaxPool(x, o), b.AvgPool(x, v), b.L2Pool(x, o))
	},
	"binary": func(b *model.Builder) []model.Ref {
		x, y := image(b, 4, 1, 3), b.Input("y", model.TypeFloat32, 4, 5, 1)
		return refs(b.Add(x, y, model.ActRelu), b.Sub(x, y, model.ActNone), b.Mul(x, y, model.ActRelu6), b.Div(x, y, model.ActNone),
			b.Maximum(x, y), b.Minimum(x, y), b.Op(model.OpSquaredDifference, &model.SquaredDifferenceOptions{}, x, y))
	},
	"unary": func(b *model.Builder) []model.Ref {
		x := image(b, 3, 2, 4)
		out := refs(b.Prelu(x, floats(b, 1, 1, 4)), b.LeakyRelu(x, 0.2), b.Softmax(x), b.Op(model.OpGelu, &model.GeluOptions{}, x),
			b.Op(model.OpL2Normalization, &model.L2NormOptions{}, x))
		for _, code := range []model.BuiltinOperator{
			model.OpAbs, model.OpNeg, model.OpExp, model.OpLog, model.OpSqrt, model.OpRsqrt, model.OpRelu, model.OpRelu6, model.OpReluN1To1,
			model.OpElu, model.OpHardSwish, model.OpLogistic, model.OpTanh, model.OpLogSoftmax,
		} {
			out = append(out, b.Unary(code, x))
		}
		return out
	},
	"reductions": func(b *model.Builder) []model.Ref {
		x := image(b, 3, 2, 4)
		return refs(b.Mean(x, true, 1, 2), b.Mean(x, false, -1), b.Reduce(model.OpSum, x, false, 1), b.Reduce(model.OpReduceMax, x, true, 3), b.Reduce(model.OpReduceMin, x, false, 0, 1),
			b.Op(model.OpArgMax, &model.ArgMaxOptions{OutputType: model.TypeInt32}, x, scalar(b, -1)), b.Op(model.OpArgMin, &model.ArgMinOptions{OutputType: model.TypeInt64}, x, scalar(b, 1)))
	},
	"joins and cuts": func(b *model.Builder) []model.Ref {
		x := image(b, 4, 6, 2)
		out := refs(b.Concat(-1, x, x), b.Op(model.OpPack, &model.PackOptions{ValuesCount: 2, Axis: 1}, x, x))
		out = append(out, b.Ops(model.OpSplit, &model.SplitOptions{NumSplits: 3}, 3, scalar(b, 2), x)...)
		out = append(out, b.Ops(model.OpSplitV, &model.SplitVOptions{NumSplits: 2}, 2, x, b.Ints(1, 3), scalar(b, 1))...)
		out = append(out, b.Ops(model.OpUnpack, &model.UnpackOptions{Num: 2, Axis: -1}, 2, x)...)
		return append(out, b.Slice(x, []int{0, 1, 2, 0}, []int{1, -1, 3, 1}), b.Op(model.OpGather, &model.GatherOptions{Axis: 1}, x, model.Const(b, "", []int{2, 3}, []int32{0, 1, 2, 3, 0, 1})))
	},
	"shapes": func(b *model.Builder) []model.Ref {
		x := image(b, 4, 6, 2)
		y := b.Reshape(x, 2, -1, 1)
		return refs(y, b.Op(model.OpSqueeze, &model.SqueezeOptions{SqueezeDims: []int32{-1}}, y), b.Op(model.OpSqueeze, &model.SqueezeOptions{}, y),
			b.Op(model.OpExpandDims, &model.ExpandDimsOptions{}, x, scalar(b, -1)), b.Transpose(x, 0, 3, 1, 2),
			b.Op(model.OpTile, &model.TileOptions{}, x, b.Ints(1, 2, 1, 3)), b.Op(model.OpBroadcastTo, &model.BroadcastToOptions{}, x, b.Ints(3, 4, 6, 2)),
			b.Op(model.OpShape, &model.ShapeOptions{OutType: model.TypeInt32}, x), b.Op(model.OpFill, &model.FillOptions{}, b.Ints(2, 3), model.Const(b, "", nil, []float32{1})),
			b.Op(model.OpReverseV2, &model.ReverseV2Options{}, x, b.Ints(1)), b.Op(model.OpCast, &model.CastOptions{OutDataType: model.TypeInt32}, x))
	},
	"pads": func(b *model.Builder) []model.Ref {
		x := image(b, 4, 6, 2)
		pads := [][2]int{{}, {1, 2}, {0, 1}, {}}
		return refs(b.Pad(x, pads...), b.PadV2(x, model.Const(b, "", nil, []float32{3}), pads...),
			b.Op(model.OpMirrorPad, &model.MirrorPadOptions{}, x, model.Const(b, "", []int{4, 2}, []int32{0, 0, 1, 2, 0, 1, 0, 0})))
	},
	"space, batch, depth, size": func(b *model.Builder) []model.Ref {
		x := image(b, 4, 6, 8)
		s := b.SpaceToBatch(x, [2]int{2, 3}, [2][2]int{{1, 1}, {0, 3}})
		return refs(s, b.BatchToSpace(s, [2]int{2, 3}, [2][2]int{{1, 0}, {0, 2}}), b.Op(model.OpSpaceToDepth, &model.SpaceToDepthOptions{BlockSize: 2}, x),
			b.Op(model.OpDepthToSpace, &model.DepthToSpaceOptions{BlockSize: 2}, x), b.ResizeBilinear(x, 7, 5, model.ResizeBilinearOptions{AlignCorners: true}),
			b.ResizeNearest(x, 2, 9, model.ResizeNearestNeighborOptions{HalfPixelCenters: true}))
	},
	"quantized": func(b *model.Builder) []model.Ref {
		q := b.Quantize(image(b, 4, 6, 2), model.TypeInt8, 0.1, 3)
		w := b.PerChannel(model.Const(b, "w", []int{3, 1, 1, 2}, []int8{1, 2, 3, 4, 5, 6}), 0, []float32{0.1, 0.2, 0.3}, []int64{0, 0, 0})
		bias := b.PerChannel(model.Const(b, "bias", []int{3}, []int32{7, 8, 9}), 0, []float32{0.01, 0.02, 0.03}, []int64{0, 0, 0})
		y := b.Quant(b.Conv2D(q, w, bias, model.Conv2DOptions{}), 0.5, -1)
		z := b.Quant(b.DepthwiseConv2D(q, b.Quant(model.Const(b, "", []int{1, 1, 1, 2}, []int8{1, 2}), 0.5, 0), model.None, model.DepthwiseConv2DOptions{}), 0.5, 1)
		return refs(q, y, z, b.Quant(b.Conv2D(q, w, model.None, model.Conv2DOptions{}), 0.5, -1), b.MaxPool(y, model.Pool2DOptions{FilterHeight: 2, FilterWidth: 2}), b.Pad(y, [2]int{}, [2]int{1, 1}, [2]int{}, [2]int{}), b.Dequantize(y))
	},
	"a shape that the graph computes": func(b *model.Builder) []model.Ref {
		x := image(b, 4, 6, 2)
		shape := b.Op(model.OpShape, &model.ShapeOptions{OutType: model.TypeInt32}, x)
		at := func(i int) model.Ref {
			return b.StridedSlice(shape, []int{i}, []int{i + 1}, []int{1}, model.StridedSliceOptions{ShrinkAxisMask: 1})
		}
		rows := b.Mul(at(1), at(2), model.ActNone)
		to := b.Op(model.OpPack, &model.PackOptions{ValuesCount: 3}, at(0), rows, at(3))
		return refs(b.Op(model.OpReshape, &model.ReshapeOptions{}, x, to))
	},
}

func refs(list ...model.Ref) []model.Ref { return list }

func image(b *model.Builder, h, w, c int) model.Ref {
	return b.Input("x", model.TypeFloat32, 1, h, w, c)
}

func scalar(b *model.Builder, v int32) model.Ref { return model.Const(b, "", nil, []int32{v}) }

func floats(b *model.Builder, shape ...int) model.Ref {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return model.Const(b, "", shape, make([]float32, n))
}
