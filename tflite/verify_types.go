package tflite

import (
	"errors"
	"fmt"
	"slices"

	"edged/model"
)

// sameType are the operators that write the type they read, and where they
// read it.
var sameType = map[model.BuiltinOperator]int{
	model.OpReshape: 0, model.OpSqueeze: 0, model.OpExpandDims: 0, model.OpTranspose: 0, model.OpPad: 0, model.OpPadV2: 0,
	model.OpMirrorPad: 0, model.OpTile: 0, model.OpBroadcastTo: 0, model.OpSpaceToBatchND: 0, model.OpBatchToSpaceND: 0,
	model.OpSpaceToDepth: 0, model.OpDepthToSpace: 0, model.OpResizeBilinear: 0, model.OpResizeNearestNeighbor: 0,
	model.OpReverseV2: 0, model.OpSlice: 0, model.OpStridedSlice: 0, model.OpGather: 0, model.OpConcatenation: 0,
	model.OpPack: 0, model.OpUnpack: 0, model.OpSplit: 1, model.OpSplitV: 0, model.OpFill: 1,
	model.OpMaxPool2D: 0, model.OpAveragePool2D: 0, model.OpL2Pool2D: 0,
	model.OpRelu: 0, model.OpRelu6: 0, model.OpReluN1To1: 0, model.OpLeakyRelu: 0, model.OpPrelu: 0, model.OpElu: 0,
	model.OpHardSwish: 0, model.OpGelu: 0, model.OpTanh: 0, model.OpLogSoftmax: 0, model.OpL2Normalization: 0,
	model.OpAbs: 0, model.OpNeg: 0, model.OpExp: 0, model.OpLog: 0, model.OpSqrt: 0, model.OpRsqrt: 0,
	model.OpAdd: 0, model.OpSub: 0, model.OpMul: 0, model.OpDiv: 0, model.OpMaximum: 0, model.OpMinimum: 0, model.OpSquaredDifference: 0,
	model.OpMean: 0, model.OpSum: 0, model.OpReduceMax: 0, model.OpReduceMin: 0, model.OpReduceProd: 0,
	model.OpConv2D: 0, model.OpDepthwiseConv2D: 0, model.OpTransposeConv: 2, model.OpFullyConnected: 0,
	model.OpSoftmax: 0, model.OpLogistic: 0,
}

func verifyTypes(m *model.Model, sg *model.Subgraph, op *model.Operator) error {
	at, ok := sameType[m.Code(op).Builtin]
	if !ok {
		return nil
	}
	if at >= len(op.Inputs) || op.Inputs[at] < 0 {
		return fmt.Errorf("input %d is missing", at)
	}
	for _, x := range op.Inputs {
		if x >= 0 && sg.Tensors[x].Type.Bits() == 0 {
			return fmt.Errorf("tensor %d is of %s", x, sg.Tensors[x].Type)
		}
	}
	want := sg.Tensors[op.Inputs[at]].Type
	for _, y := range op.Outputs {
		if got := sg.Tensors[y].Type; got != want && !widens(m, op, want, got) {
			return fmt.Errorf("reads %s and writes %s", want, got)
		}
	}
	return nil
}

// widens tells whether an operator may write a type wider than it reads:
// quantised FULLY_CONNECTED and SOFTMAX into int16.
func widens(m *model.Model, op *model.Operator, from, to model.TensorType) bool {
	code := m.Code(op).Builtin
	return (code == model.OpFullyConnected || code == model.OpSoftmax) && to == model.TypeInt16 &&
		(from == model.TypeUint8 || from == model.TypeInt8)
}

// moves are the operators of sameType that need no scale: they copy.
var moves = map[model.BuiltinOperator]bool{
	model.OpReshape: true, model.OpSqueeze: true, model.OpExpandDims: true, model.OpTranspose: true, model.OpTile: true,
	model.OpBroadcastTo: true, model.OpSpaceToDepth: true, model.OpDepthToSpace: true, model.OpResizeNearestNeighbor: true,
	model.OpReverseV2: true, model.OpSlice: true, model.OpStridedSlice: true, model.OpGather: true, model.OpPack: true,
	model.OpUnpack: true, model.OpSplit: true, model.OpSplitV: true, model.OpFill: true,
	model.OpPad: true, // with the zero point, which is 0 where there is none
}

// raw tells whether no tensor of op has a quantisation: pictures as bytes,
// which CONCATENATION copies because all their scales are 0.
func raw(sg *model.Subgraph, op *model.Operator) bool {
	for _, x := range slices.Concat(op.Inputs, op.Outputs) {
		if x >= 0 && sg.Tensors[x].Quantization != nil {
			return false
		}
	}
	return true
}

// verifyScales demands a scale of every int8 and uint8 tensor that an operator
// computes with: without one TFLite's requantisation aborts.
func verifyScales(m *model.Model, sg *model.Subgraph, op *model.Operator) error {
	code := m.Code(op).Builtin
	if _, computes := sameType[code]; (!computes || moves[code]) && code != model.OpQuantize {
		return nil
	}
	if code == model.OpConcatenation && raw(sg, op) {
		return nil
	}
	for _, list := range [][]int32{op.Inputs, op.Outputs} {
		for i, x := range list {
			if x < 0 || sg.Tensors[x].Type != model.TypeInt8 && sg.Tensors[x].Type != model.TypeUint8 {
				continue
			}
			if q := sg.Tensors[x].Quantization; q == nil || len(q.Scale) == 0 || len(q.ZeroPoint) != len(q.Scale) || !positive(q.Scale) {
				return fmt.Errorf("%s tensor %d has no complete quantisation", sg.Tensors[x].Type, x)
			} else if len(q.Scale) > 1 && !(i == 1 && weighted[code]) {
				return fmt.Errorf("%s tensor %d has %d scales where TFLite reads one", sg.Tensors[x].Type, x, len(q.Scale))
			}
		}
	}
	return nil
}

// weighted are the operators whose second input may have a scale a channel.
var weighted = map[model.BuiltinOperator]bool{
	model.OpConv2D: true, model.OpDepthwiseConv2D: true, model.OpTransposeConv: true, model.OpFullyConnected: true,
}

func positive(scales []float32) bool {
	for _, s := range scales {
		if s <= 0 {
			return false
		}
	}
	return true
}

// verifyBias demands what convolutions read without asking: a bias, and as many scales of the weights as output channels, or one.
func verifyBias(sg *model.Subgraph, op *model.Operator) error {
	if len(op.Inputs) < 2 || op.Inputs[0] < 0 || op.Inputs[1] < 0 {
		return fmt.Errorf("%d inputs of at least 2", len(op.Inputs))
	}
	x, w := sg.Tensors[op.Inputs[0]], sg.Tensors[op.Inputs[1]]
	o, depthwise := op.Options.(*model.DepthwiseConv2DOptions)
	if depthwise && (len(x.Shape) != 4 || len(w.Shape) != 4 || int64(x.Shape[3])*int64(o.DepthMultiplier) != int64(w.Shape[3])) {
		return fmt.Errorf("a depth multiplier of %d does not lead from %v to weights of %v", o.DepthMultiplier, x.Shape, w.Shape)
	}
	if (depthwise || x.Type != model.TypeFloat32) && (len(op.Inputs) < 3 || op.Inputs[2] < 0) {
		return errors.New("no bias, which the kernel reads all the same")
	}
	if x.Type == model.TypeFloat32 && w.Type == model.TypeFloat32 {
		return nil
	}
	q, out := w.Quantization, sg.Tensors[op.Outputs[0]].Shape
	if q == nil || len(out) != 4 || len(q.Scale) != 1 && len(q.Scale) != int(out[3]) {
		return errors.New("the weights need one scale, or one for each output channel")
	}
	return nil
}
