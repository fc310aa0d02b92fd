package tune

import "edged/model"

// opts is what the script is told of an operator beside its inputs.
type opts = map[string]any

// plainOps need to be told nothing.
var plainOps = map[model.BuiltinOperator]bool{
	model.OpPad: true, model.OpPadV2: true, model.OpSlice: true, model.OpAdd: true, model.OpSub: true, model.OpMul: true, model.OpDiv: true,
	model.OpMaximum: true, model.OpMinimum: true, model.OpSquaredDifference: true, model.OpRelu: true, model.OpRelu6: true, model.OpReluN1To1: true,
	model.OpPrelu: true, model.OpElu: true, model.OpHardSwish: true, model.OpLogistic: true, model.OpTanh: true, model.OpRsqrt: true,
	model.OpLogSoftmax: true, model.OpTranspose: true,
}

// optionsOf is what the script must know of op, or why it has no such operator.
func optionsOf(m *model.Model, g *model.Subgraph, op *model.Operator) (o opts, why string) {
	code := m.Code(op).Builtin
	if plainOps[code] {
		return opts{}, ""
	}
	switch code {
	case model.OpSpaceToBatchND, model.OpBatchToSpaceND:
		if len(g.Tensors[op.Inputs[0]].Shape) != 4 {
			return nil, "it does not work on a map"
		}
		return opts{}, ""
	case model.OpReshape, model.OpSqueeze, model.OpExpandDims:
		return opts{"shape": ints(g.Tensors[op.Outputs[0]].Shape)}, ""
	}
	switch x := op.Options.(type) {
	case *model.Conv2DOptions:
		return window(x.StrideH, x.StrideW, x.DilationH, x.DilationW, x.Padding), ""
	case *model.DepthwiseConv2DOptions:
		return window(x.StrideH, x.StrideW, x.DilationH, x.DilationW, x.Padding), ""
	case *model.Pool2DOptions:
		if code != model.OpMaxPool2D && code != model.OpAveragePool2D {
			return nil, "there is no rule for it"
		}
		w := window(x.StrideH, x.StrideW, 1, 1, x.Padding)
		w["size"] = []int32{x.FilterHeight, x.FilterWidth}
		return w, ""
	case *model.TransposeConvOptions:
		return opts{"stride": []int32{x.StrideH, x.StrideW}}, ""
	case *model.FullyConnectedOptions:
		return opts{"keep": x.KeepNumDims}, ""
	case *model.SoftmaxOptions:
		return opts{"beta": x.Beta}, ""
	case *model.ConcatenationOptions:
		return opts{"axis": x.Axis}, ""
	case *model.LeakyReluOptions:
		return opts{"alpha": x.Alpha}, ""
	case *model.ReducerOptions:
		if code != model.OpMean && code != model.OpSum {
			return nil, "there is no rule for it"
		}
		return opts{"keep": x.KeepDims}, ""
	case *model.GatherOptions:
		if x.BatchDims != 0 || x.Axis < 0 {
			return nil, "it gathers from a batch"
		}
		return opts{"axis": x.Axis}, ""
	case *model.ResizeBilinearOptions:
		return opts{"corners": x.AlignCorners, "half": x.HalfPixelCenters}, ""
	case *model.ResizeNearestNeighborOptions:
		return opts{"corners": x.AlignCorners, "half": x.HalfPixelCenters}, ""
	case *model.StridedSliceOptions:
		if x.EllipsisMask != 0 || x.NewAxisMask != 0 || x.Offset {
			return nil, "it has new or left-out dimensions"
		}
		return opts{"begin": x.BeginMask, "end": x.EndMask, "shrink": x.ShrinkAxisMask}, ""
	}
	return nil, "there is no rule for it"
}

func window(sy, sx, dy, dx int32, p model.Padding) opts {
	return opts{"stride": []int32{sy, sx}, "dilation": []int32{max(dy, 1), max(dx, 1)}, "same": p == model.PaddingSame}
}
