package fallback

import (
	"slices"

	"edged/model"
)

// rowWise says that an operator of the body computes every row of the batch, every
// window, from the same row of its inputs: what it does not know, it denies.
func (w *windowed) rowWise(op *model.Operator) bool {
	all := int32(w.count[0] * w.count[1])
	for _, t := range op.Outputs {
		if s := w.g.Tensors[t].Shape; len(s) == 0 || s[0] != all {
			return false
		}
	}
	code := w.m.Code(op).Builtin
	if slices.Contains(rowByRow, code) {
		return w.constantsSpread(op)
	}
	rank := len(w.g.Tensors[op.Inputs[min(dataInput(code), len(op.Inputs)-1)]].Shape)
	switch code {
	case model.OpReshape, model.OpSqueeze, model.OpExpandDims:
		return w.moved[op.Inputs[0]]
	case model.OpTranspose:
		p := w.input(op, 1)
		return len(p) > 0 && p[0] == 0
	case model.OpMean, model.OpSum, model.OpReduceMax, model.OpReduceMin, model.OpReduceProd, model.OpArgMax, model.OpArgMin, model.OpSplitV:
		return w.offBatch(op, axisInput(code), rank)
	case model.OpSplit:
		return w.offBatch(op, 0, rank)
	case model.OpPad, model.OpPadV2, model.OpMirrorPad:
		p := w.input(op, 1)
		return len(p) > 1 && p[0] == 0 && p[1] == 0
	case model.OpSlice:
		b, s := w.input(op, 1), w.input(op, 2)
		return len(b) > 0 && len(s) > 0 && b[0] == 0 && (s[0] == -1 || s[0] == int(all))
	case model.OpStridedSlice:
		o, ok := op.Options.(*model.StridedSliceOptions)
		step := w.input(op, 3)
		return ok && o.BeginMask&1 != 0 && o.EndMask&1 != 0 && o.EllipsisMask == 0 && o.NewAxisMask == 0 && o.ShrinkAxisMask&1 == 0 && len(step) > 0 && step[0] == 1
	case model.OpConcatenation:
		o, ok := op.Options.(*model.ConcatenationOptions)
		return ok && o.Axis != 0 && int(o.Axis) != -rank && !slices.ContainsFunc(op.Inputs, func(t int32) bool { return !w.moved[t] })
	case model.OpGather:
		o, ok := op.Options.(*model.GatherOptions)
		return ok && o.Axis != 0 && int(o.Axis) != -rank && o.BatchDims == 0 && w.moved[op.Inputs[0]] && !w.moved[op.Inputs[1]]
	case model.OpSoftmax, model.OpLogSoftmax, model.OpL2Normalization, model.OpLocalResponseNormalization:
		return rank > 1 && w.moved[op.Inputs[0]]
	case model.OpBatchMatMul:
		return w.matrices(op)
	}
	return false
}

// rowByRow are the operators that know a batch, and those on single elements.
var rowByRow = []model.BuiltinOperator{
	model.OpConv2D, model.OpDepthwiseConv2D, model.OpMaxPool2D, model.OpAveragePool2D, model.OpL2Pool2D, model.OpFullyConnected,
	model.OpSpaceToDepth, model.OpDepthToSpace, model.OpResizeBilinear, model.OpResizeNearestNeighbor, model.OpTransposeConv,
	model.OpAdd, model.OpSub, model.OpMul, model.OpDiv, model.OpMaximum, model.OpMinimum, model.OpSquaredDifference, model.OpPrelu,
	model.OpRelu, model.OpRelu6, model.OpReluN1To1, model.OpLeakyRelu, model.OpElu, model.OpHardSwish, model.OpGelu, model.OpLogistic, model.OpTanh,
	model.OpAbs, model.OpNeg, model.OpExp, model.OpLog, model.OpSqrt, model.OpRsqrt, model.OpQuantize, model.OpDequantize, model.OpCast,
	model.OpSquare, model.OpFloor, model.OpCeil, model.OpRound, model.OpSin, model.OpCos, model.OpPow,
}

func dataInput(code model.BuiltinOperator) int {
	switch code {
	case model.OpSplit:
		return 1
	case model.OpTransposeConv:
		return 2
	}
	return 0
}

func axisInput(code model.BuiltinOperator) int {
	if code == model.OpSplitV {
		return 2
	}
	return 1
}

// constantsSpread says that no constant beside the windows differs from one to
// the next, that all are of one rank, and that what is read as windows is.
func (w *windowed) constantsSpread(op *model.Operator) bool {
	code := w.m.Code(op).Builtin
	if d := dataInput(code); d >= len(op.Inputs) || slices.Contains(weighted, code) && !w.moved[op.Inputs[d]] {
		return false
	}
	rank := len(w.g.Tensors[op.Outputs[0]].Shape)
	for k, t := range op.Inputs {
		switch {
		case t < 0:
		case slices.Contains(weighted, code):
			if k != dataInput(code) && w.moved[t] {
				return false // weights that the frame decides
			}
		case w.moved[t]:
			if len(w.g.Tensors[t].Shape) != rank {
				return false
			}
		default:
			if s := w.g.Tensors[t].Shape; len(s) > rank || len(s) == rank && rank > 0 && s[0] != 1 {
				return false
			}
		}
	}
	return true
}

// matrices says that a product of matrices has windows as its outermost dimension,
// and beside them what is the same for all.
func (w *windowed) matrices(op *model.Operator) bool {
	rank := len(w.g.Tensors[op.Outputs[0]].Shape)
	for _, t := range op.Inputs {
		if t < 0 {
			return false
		}
		s := w.g.Tensors[t].Shape
		if w.moved[t] && (len(s) != rank || rank < 3) || !w.moved[t] && len(s) == rank && s[0] != 1 {
			return false
		}
	}
	return len(op.Inputs) == 2
}

// weighted are the operators whose other inputs are weights, sizes and shapes.
var weighted = []model.BuiltinOperator{model.OpConv2D, model.OpDepthwiseConv2D, model.OpFullyConnected, model.OpTransposeConv,
	model.OpResizeBilinear, model.OpResizeNearestNeighbor}

// input is input k of op as a constant list, nil where it is none.
func (w *windowed) input(op *model.Operator, k int) []int {
	if k >= len(op.Inputs) {
		return nil
	}
	return w.ints(op.Inputs[k])
}

// offBatch says that the axes in input k are none of the batch.
func (w *windowed) offBatch(op *model.Operator, k, rank int) bool {
	axes := w.input(op, k)
	return len(axes) > 0 && w.moved[op.Inputs[dataInput(w.m.Code(op).Builtin)]] && !slices.Contains(axes, 0) && !slices.Contains(axes, -rank)
}
