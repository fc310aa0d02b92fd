package tflite

import (
	"strings"

	"edged/model"
)

// The operators that the packaged TFLite 2.9 registers, as asked of the
// library itself by TestRegisteredOperators: builtin codes up to
// DYNAMIC_UPDATE_SLICE, at version 1 unless newest says more.
const lastBuiltin = model.OpDynamicUpdateSlice

var newest = map[model.BuiltinOperator]int32{
	model.OpAbs: 4, model.OpAdd: 4, model.OpArgMax: 3, model.OpArgMin: 3, model.OpAveragePool2D: 3,
	model.OpBatchMatMul: 4, model.OpBatchToSpaceND: 3, model.OpBidirectionalSequenceLSTM: 3,
	model.OpBidirectionalSequenceRNN: 3, model.OpBroadcastTo: 3, model.OpCast: 3, model.OpConcatenation: 3,
	model.OpConv2D: 5, model.OpDepthToSpace: 2, model.OpDepthwiseConv2D: 6, model.OpDequantize: 5, model.OpDiv: 2,
	model.OpEmbeddingLookup: 3, model.OpEqual: 3, model.OpFakeQuant: 2, model.OpFill: 3, model.OpFloorDiv: 2,
	model.OpFullyConnected: 9, model.OpGather: 5, model.OpGatherND: 3, model.OpGelu: 2, model.OpGreater: 2,
	model.OpGreaterEqual: 2, model.OpL2Normalization: 2, model.OpLeakyRelu: 2, model.OpLess: 2, model.OpLessEqual: 2,
	model.OpLogSoftmax: 2, model.OpLogistic: 3, model.OpLSTM: 4, model.OpMaximum: 4, model.OpMaxPool2D: 3, model.OpMean: 3,
	model.OpMinimum: 4, model.OpMirrorPad: 2, model.OpMul: 5, model.OpNotEqual: 3, model.OpPack: 3, model.OpPad: 4,
	model.OpPadV2: 4, model.OpQuantize: 3, model.OpReduceMax: 3, model.OpReduceMin: 3, model.OpReduceProd: 2, model.OpRelu: 3,
	model.OpRelu6: 3, model.OpResizeBilinear: 4, model.OpResizeNearestNeighbor: 4, model.OpReverseV2: 3, model.OpRNN: 3,
	model.OpRsqrt: 2, model.OpSelect: 2, model.OpSlice: 5, model.OpSoftmax: 3, model.OpSpaceToBatchND: 3,
	model.OpSpaceToDepth: 2, model.OpSparseToDense: 3, model.OpSplit: 4, model.OpSplitV: 2, model.OpSquaredDifference: 2,
	model.OpSqueeze: 2, model.OpStridedSlice: 6, model.OpSub: 5, model.OpSum: 2, model.OpSVDF: 4, model.OpTanh: 3,
	model.OpTile: 3, model.OpTopKV2: 2, model.OpTranspose: 5, model.OpTransposeConv: 3,
	model.OpUnidirectionalSequenceLSTM: 3, model.OpUnidirectionalSequenceRNN: 3, model.OpUnpack: 4, model.OpWhere: 2,
}

// customs are the custom operators inside the library.
var customs = []string{"NumericVerify", "Mfcc", "AudioSpectrogram", "TFLite_Detection_PostProcess"}

// versions is the range of an operator's versions that the library runs; last
// is 0 for an operator that it does not have.
func versions(code model.BuiltinOperator) (first, last int32) {
	switch code {
	case model.OpConcatEmbeddings, model.OpCall, model.OpDelegate, model.OpPlaceholderForGreaterOpCodes, model.OpCustom:
		return 0, 0
	case model.OpBroadcastTo: // version 1 had another code, and was withdrawn
		return 2, newest[code]
	}
	if code < 0 || code > lastBuiltin {
		return 0, 0
	}
	return 1, max(1, newest[code])
}

func hasCustom(name string) bool {
	for _, c := range customs {
		if c == name {
			return true
		}
	}
	return false
}

func customList() string { return strings.Join(customs, ", ") }
