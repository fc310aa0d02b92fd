package enginetest

import "edged/model"

// operator is one line of the table that the suite generates cases from.
type operator struct {
	code  model.BuiltinOperator // OpCustom: the generator names it
	kinds []kind
	bound Bound
	gen   func(g *graph)
}

// The bounds between two float32 implementations of an operator, and why.
var (
	// A copy, a comparison, or one operation that IEEE 754 rounds correctly.
	exact = Bound{}
	// A handful of roundings, or a library function within a few units in the last place.
	fewUlps = Bound{Ulps: 8}
	// A polynomial or table approximation: relative, with a floor near zero
	// where cancellation takes the relative accuracy away.
	approximate = Bound{Ulps: 32, Floor: 4}
	// A sum of products in any order: 2 gamma_K (|W||x| + |b|).
	summed = Bound{Sum: true, Ulps: 4}
)

var (
	floatsOnly      = []kind{f32}
	floatsAndQ      = []kind{f32, i8, u8}
	floatsQ32       = []kind{f32, i8, u8, i32}
	floatsQ32x64    = []kind{f32, i8, u8, i32, i64}
	floatsAndI8     = []kind{f32, i8}
	floatsQ16       = []kind{f32, i8, u8, i16Plain}
	floatsQ32w16    = []kind{f32, i8, u8, i32, i16Plain}
	floatsQ32x64w16 = []kind{f32, i8, u8, i32, i64, i16Plain}
	booleans        = []kind{boolean}
)

// table lists every operator of the fallback. An operator may have several
// lines; the order is the order of the schema's families.
var table = []operator{
	{model.OpConv2D, []kind{f32, i8, u8, i8Channel, i16, dynamic, dynamicPC, f16}, summed, genConv2D},
	{model.OpDepthwiseConv2D, []kind{f32, i8, u8, i8Channel, i16, dynamicPC, f16}, summed, genDepthwise},
	{model.OpTransposeConv, []kind{f32, i8, u8, i8Channel, i16, f16}, summed, genTransposeConv},
	{model.OpFullyConnected, []kind{f32, i8, u8, i16Plain, dynamic, f16}, summed, genFullyConnected},
	{model.OpBatchMatMul, []kind{f32, i8, i16Plain}, summed, genBatchMatMul},
	{model.OpMaxPool2D, floatsQ16, exact, genPool(model.OpMaxPool2D)},
	{model.OpAveragePool2D, floatsQ16, summed, genPool(model.OpAveragePool2D)},
	{model.OpL2Pool2D, floatsOnly, summed, genPool(model.OpL2Pool2D)},

	{model.OpAdd, floatsQ32w16, exact, genArithmetic(model.OpAdd)},
	{model.OpSub, floatsQ32w16, exact, genArithmetic(model.OpSub)},
	{model.OpMul, floatsQ32w16, exact, genArithmetic(model.OpMul)},
	{model.OpDiv, []kind{f32, u8}, exact, genDiv},
	{model.OpMaximum, floatsQ32x64w16, exact, genExtremum(model.OpMaximum)},
	{model.OpMinimum, floatsQ32x64w16, exact, genExtremum(model.OpMinimum)},
	{model.OpSquaredDifference, []kind{f32, i8, i32}, exact, genSquaredDifference},

	{model.OpAbs, floatsAndI8, exact, genAbs},
	{model.OpNeg, []kind{f32, i32, i64}, exact, genUnary(model.OpNeg, &model.NegOptions{}, -2, 2)},
	{model.OpExp, floatsOnly, approximate, genUnary(model.OpExp, &model.ExpOptions{}, -10, 10)},
	{model.OpLog, floatsOnly, approximate, genUnary(model.OpLog, nil, 1e-3, 20)},
	{model.OpSqrt, floatsOnly, exact, genUnary(model.OpSqrt, nil, 0, 20)},
	{model.OpRsqrt, floatsOnly, fewUlps, genUnary(model.OpRsqrt, nil, 1e-3, 20)},

	{model.OpRelu, floatsQ16, exact, genRequantising(model.OpRelu, nil)},
	{model.OpRelu6, floatsQ16, exact, genRequantising(model.OpRelu6, nil)},
	{model.OpReluN1To1, floatsAndQ, exact, genClamp(model.OpReluN1To1)},
	{model.OpLeakyRelu, floatsQ16, exact, genLeakyRelu},
	{model.OpPrelu, floatsAndQ, exact, genPrelu},
	{model.OpElu, floatsAndI8, approximate, genRequantising(model.OpElu, nil)},
	{model.OpHardSwish, floatsAndQ, fewUlps, genRequantising(model.OpHardSwish, &model.HardSwishOptions{})},
	{model.OpGelu, floatsAndQ, approximate, genGelu},
	{model.OpLogistic, floatsQ16, approximate, genFixed(model.OpLogistic, nil, 1.0/256, -128, 0)},
	{model.OpTanh, floatsQ16, approximate, genFixed(model.OpTanh, nil, 1.0/128, 0, 128)},
	{model.OpSoftmax, floatsQ16, Bound{Ulps: 64}, genSoftmax},
	{model.OpLogSoftmax, floatsAndQ, approximate, genFixed(model.OpLogSoftmax, &model.LogSoftmaxOptions{}, 16.0/256, 127, 255)},
	{model.OpL2Normalization, floatsAndQ, Bound{Ulps: 64}, genFixed(model.OpL2Normalization, &model.L2NormOptions{}, 1.0/128, 0, 128)},

	{model.OpMean, floatsQ16, summed, genReduce(model.OpMean)},
	{model.OpSum, floatsQ32, summed, genReduce(model.OpSum)},
	{model.OpReduceMax, floatsQ32, exact, genReduce(model.OpReduceMax)},
	{model.OpReduceMin, floatsQ32, exact, genReduce(model.OpReduceMin)},
	{model.OpArgMax, floatsQ32, exact, genArg(model.OpArgMax)},
	{model.OpArgMin, floatsQ32, exact, genArg(model.OpArgMin)},

	{model.OpConcatenation, floatsQ32w16, exact, genConcatenation},
	{model.OpSplit, floatsQ32w16, exact, genSplit},
	{model.OpSplitV, floatsQ32w16, exact, genSplitV},
	{model.OpPack, floatsQ32w16, exact, genPack},
	{model.OpUnpack, floatsQ32w16, exact, genUnpack},
	{model.OpSlice, floatsQ32w16, exact, genSlice},
	{model.OpStridedSlice, floatsQ32w16, exact, genStridedSlice},
	{model.OpGather, floatsQ32w16, exact, genGather},
	{model.OpReshape, floatsQ32w16, exact, genReshape},
	{model.OpSqueeze, floatsQ32w16, exact, genSqueeze},
	{model.OpExpandDims, floatsQ32w16, exact, genExpandDims},
	{model.OpTranspose, floatsQ32w16, exact, genTranspose},
	{model.OpPad, floatsQ32w16, exact, genPad},
	{model.OpPadV2, floatsQ32w16, exact, genPadV2},
	{model.OpMirrorPad, floatsQ32, exact, genMirrorPad},
	{model.OpTile, floatsQ32, exact, genTile},
	{model.OpBroadcastTo, floatsQ32w16, exact, genBroadcastTo},
	{model.OpSpaceToBatchND, floatsQ32, exact, genSpaceToBatch},
	{model.OpBatchToSpaceND, floatsQ32, exact, genBatchToSpace},
	{model.OpSpaceToDepth, floatsQ32, exact, genSpaceToDepth},
	{model.OpDepthToSpace, floatsQ32, exact, genDepthToSpace},
	{model.OpResizeBilinear, floatsQ16, Bound{Ulps: 8, Floor: 64}, genResizeBilinear},
	{model.OpResizeNearestNeighbor, floatsQ16, exact, genResizeNearest},
	{model.OpReverseV2, floatsQ32w16, exact, genReverse},

	{model.OpEqual, []kind{f32, i8, u8, i32, i64, boolean}, exact, genCompare(model.OpEqual, &model.EqualOptions{})},
	{model.OpNotEqual, []kind{f32, i8, u8, i32, i64, boolean}, exact, genCompare(model.OpNotEqual, &model.NotEqualOptions{})},
	{model.OpLess, floatsQ32x64, exact, genCompare(model.OpLess, &model.LessOptions{})},
	{model.OpLessEqual, floatsQ32x64, exact, genCompare(model.OpLessEqual, &model.LessEqualOptions{})},
	{model.OpGreater, floatsQ32x64, exact, genCompare(model.OpGreater, &model.GreaterOptions{})},
	{model.OpGreaterEqual, floatsQ32x64, exact, genCompare(model.OpGreaterEqual, &model.GreaterEqualOptions{})},
	{model.OpLogicalAnd, booleans, exact, genLogical(model.OpLogicalAnd, &model.LogicalAndOptions{})},
	{model.OpLogicalOr, booleans, exact, genLogical(model.OpLogicalOr, &model.LogicalOrOptions{})},
	{model.OpLogicalNot, booleans, exact, genUnary(model.OpLogicalNot, &model.LogicalNotOptions{}, 0, 1)},
	{model.OpSelect, []kind{f32, i8, u8, i32, i64, boolean}, exact, genSelect},
	{model.OpSelectV2, []kind{f32, i8, u8, i32, i64, boolean}, exact, genSelectV2},

	{model.OpFloor, floatsOnly, exact, genUnary(model.OpFloor, nil, -4, 4)},
	{model.OpCeil, floatsOnly, exact, genUnary(model.OpCeil, nil, -4, 4)},
	{model.OpRound, floatsOnly, exact, genUnary(model.OpRound, nil, -4, 4)},
	{model.OpSquare, floatsOnly, exact, genUnary(model.OpSquare, &model.SquareOptions{}, -4, 4)},
	{model.OpSin, floatsOnly, fewUlps, genUnary(model.OpSin, nil, -10, 10)},
	{model.OpCos, floatsOnly, fewUlps, genUnary(model.OpCos, &model.CosOptions{}, -10, 10)},
	{model.OpPow, []kind{f32, i32}, fewUlps, genPow},
	{model.OpFloorDiv, []kind{f32, i32}, exact, genDivided(model.OpFloorDiv, &model.FloorDivOptions{}, -9, 9)},
	{model.OpFloorMod, []kind{f32, i32, i64}, exact, genDivided(model.OpFloorMod, &model.FloorModOptions{}, -9, 9)},
	{model.OpAddN, []kind{f32, i32}, approximate, genAddN},
	{model.OpCumsum, []kind{f32, i32, i64}, exact, genCumsum},
	{model.OpTopKV2, floatsQ32x64, exact, genTopK},
	{model.OpGatherND, floatsQ32x64, exact, genGatherND},
	{model.OpOneHot, []kind{f32, i8, u8, i32, i64, boolean}, exact, genOneHot},
	{model.OpBroadcastArgs, []kind{f32, i8, u8, i32}, exact, genBroadcastArgs},
	{model.OpNonMaxSuppressionV4, floatsOnly, exact, genSuppression(model.OpNonMaxSuppressionV4, &model.NonMaxSuppressionV4Options{})},
	{model.OpNonMaxSuppressionV5, floatsOnly, fewUlps, genSuppression(model.OpNonMaxSuppressionV5, &model.NonMaxSuppressionV5Options{})},
	{model.OpCustom, []kind{f32, u8}, fewUlps, genDetection},
	{model.OpLocalResponseNormalization, floatsOnly, approximate, genLocalResponse},
	{model.OpZerosLike, []kind{f32, i32, i64}, exact, genUnary(model.OpZerosLike, &model.ZerosLikeOptions{}, -2, 2)},

	{model.OpQuantize, []kind{i8, u8, i16Plain}, exact, genQuantize},
	{model.OpDequantize, []kind{i8, u8, f16, i16Plain}, exact, genDequantize},
	{model.OpCast, []kind{f32, i8, u8, i32, i64}, exact, genCast},
	{model.OpShape, floatsAndQ, exact, genShape},
	{model.OpFill, []kind{f32, i8, i32, i64}, exact, genFill},
	{model.OpDensify, []kind{f32, f16}, exact, genDensify},
}

// Kinds lists, by operator, the arithmetics in which the suite compares it with
// TensorFlow Lite. Custom operators stand under CUSTOM.
func Kinds() map[string][]string {
	all := map[string][]string{}
	for _, op := range table {
		for _, k := range op.kinds {
			all[op.code.String()] = append(all[op.code.String()], k.name)
		}
	}
	return all
}
