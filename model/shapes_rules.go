package model

// shapeRules holds the rule of every operator whose output shape is known here.
var shapeRules = map[BuiltinOperator]shapeRule{
	OpConv2D: shapeConv2D, OpDepthwiseConv2D: shapeDepthwiseConv2D, OpTransposeConv: shapeTransposeConv,
	OpMaxPool2D: shapePool2D, OpAveragePool2D: shapePool2D, OpL2Pool2D: shapePool2D,
	OpFullyConnected: shapeFullyConnected, OpBatchMatMul: shapeBatchMatMul,
	OpResizeBilinear: shapeResize, OpResizeNearestNeighbor: shapeResize,
	OpSpaceToDepth: shapeSpaceToDepth, OpDepthToSpace: shapeDepthToSpace,
	OpSpaceToBatchND: shapeSpaceToBatch, OpBatchToSpaceND: shapeBatchToSpace,

	OpAdd: shapeBroadcast, OpSub: shapeBroadcast, OpMul: shapeBroadcast, OpDiv: shapeBroadcast,
	OpMaximum: shapeBroadcast, OpMinimum: shapeBroadcast, OpSquaredDifference: shapeBroadcast,
	OpPow: shapeBroadcast, OpFloorDiv: shapeBroadcast, OpFloorMod: shapeBroadcast,
	OpLess: shapeBroadcast, OpLessEqual: shapeBroadcast, OpGreater: shapeBroadcast,
	OpGreaterEqual: shapeBroadcast, OpEqual: shapeBroadcast, OpNotEqual: shapeBroadcast,
	OpLogicalAnd: shapeBroadcast, OpLogicalOr: shapeBroadcast,
	OpSelect: shapeSelectOld, OpSelectV2: shapeSelect, OpAddN: shapeSame,
	OpNonMaxSuppressionV4: shapeNonMaxSuppression, OpNonMaxSuppressionV5: shapeNonMaxSuppression,
	OpGatherND: shapeGatherND, OpOneHot: shapeOneHot, OpTopKV2: shapeTopK, OpBroadcastArgs: shapeBroadcastArgs,

	OpAbs: shapeSame, OpNeg: shapeSame, OpExp: shapeSame, OpLog: shapeSame, OpSqrt: shapeSame, OpRsqrt: shapeSame,
	OpSquare: shapeSame, OpSin: shapeSame, OpCos: shapeSame, OpFloor: shapeSame, OpCeil: shapeSame, OpRound: shapeSame,
	OpSign: shapeSame, OpLogicalNot: shapeSame, OpZerosLike: shapeSame,
	OpRelu: shapeSame, OpRelu6: shapeSame, OpReluN1To1: shapeSame, OpRelu0To1: shapeSame, OpPrelu: shapeSame,
	OpLeakyRelu: shapeSame, OpElu: shapeSame, OpHardSwish: shapeSame, OpGelu: shapeSame, OpLogistic: shapeSame,
	OpTanh: shapeSame, OpSoftmax: shapeSame, OpLogSoftmax: shapeSame, OpL2Normalization: shapeSame,
	OpLocalResponseNormalization: shapeSame, OpCumsum: shapeSame,
	OpQuantize: shapeSame, OpDequantize: shapeSame, OpCast: shapeSame, OpFakeQuant: shapeSame, OpDensify: shapeSame,
	OpReverseV2: shapeSame,

	OpMean: shapeReduce, OpSum: shapeReduce, OpReduceMax: shapeReduce, OpReduceMin: shapeReduce,
	OpReduceProd: shapeReduce, OpReduceAny: shapeReduce, OpReduceAll: shapeReduce,
	OpArgMax: shapeArg, OpArgMin: shapeArg,

	OpConcatenation: shapeConcatenation, OpSplit: shapeSplit, OpSplitV: shapeSplitV, OpPack: shapePack,
	OpUnpack: shapeUnpack, OpSlice: shapeSlice, OpStridedSlice: shapeStridedSlice, OpGather: shapeGather,
	OpReshape: shapeReshape, OpSqueeze: shapeSqueeze, OpExpandDims: shapeExpandDims, OpTranspose: shapeTranspose,
	OpPad: shapePad, OpPadV2: shapePad, OpMirrorPad: shapePad, OpTile: shapeTile, OpBroadcastTo: shapeBroadcastTo,
	OpShape: shapeShape, OpFill: shapeFill,
}
