package rewrite

import "edged/model"

// liftTable says how each operator is read.
var liftTable = map[model.BuiltinOperator]func(*lifting) string{
	model.OpConv2D: liftConv, model.OpDepthwiseConv2D: liftConv,
	model.OpMaxPool2D: liftPool, model.OpAveragePool2D: liftPool, model.OpL2Pool2D: liftPool,
	model.OpPad: liftPad, model.OpPadV2: liftPad, model.OpMirrorPad: liftMirror,
	model.OpSlice: liftSlice, model.OpStridedSlice: liftStridedSlice,
	model.OpSpaceToBatchND: liftSpaceToBatch, model.OpBatchToSpaceND: liftBatchToSpace,
	model.OpSpaceToDepth: liftSpaceToDepth, model.OpGather: liftGather, model.OpBatchMatMul: liftMatMul,
	model.OpConcatenation: liftConcat, model.OpSplit: liftSplit, model.OpSplitV: liftSplit,
	model.OpReshape: liftSame, model.OpSqueeze: liftSame, model.OpExpandDims: liftSame, model.OpTranspose: liftTranspose,
	model.OpMean: liftReduce, model.OpSum: liftReduce, model.OpReduceMax: liftReduce, model.OpReduceMin: liftReduce, model.OpReduceProd: liftReduce,
	model.OpFullyConnected: liftFC, model.OpArgMax: liftArg, model.OpArgMin: liftArg,
	model.OpResizeBilinear: liftUp, model.OpResizeNearestNeighbor: liftUp, model.OpTransposeConv: liftUp, model.OpDepthToSpace: liftUp,

	model.OpAdd: liftBinary, model.OpSub: liftBinary, model.OpMul: liftBinary, model.OpDiv: liftBinary,
	model.OpMaximum: liftBinary, model.OpMinimum: liftBinary, model.OpSquaredDifference: liftBinary, model.OpPow: liftBinary, model.OpPrelu: liftBinary,

	model.OpSoftmax: liftAlong, model.OpLogSoftmax: liftAlong, model.OpL2Normalization: liftAlong, model.OpLocalResponseNormalization: liftAlong,

	model.OpRelu: liftUnary, model.OpRelu6: liftUnary, model.OpReluN1To1: liftUnary, model.OpLeakyRelu: liftUnary, model.OpElu: liftUnary,
	model.OpHardSwish: liftUnary, model.OpGelu: liftUnary, model.OpLogistic: liftUnary, model.OpTanh: liftUnary,
	model.OpAbs: liftUnary, model.OpNeg: liftUnary, model.OpExp: liftUnary, model.OpLog: liftUnary, model.OpSqrt: liftUnary, model.OpRsqrt: liftUnary,
	model.OpSquare: liftUnary, model.OpFloor: liftUnary, model.OpCeil: liftUnary, model.OpRound: liftUnary, model.OpSin: liftUnary, model.OpCos: liftUnary,
	model.OpQuantize: liftUnary, model.OpDequantize: liftUnary, model.OpCast: liftUnary,
}
