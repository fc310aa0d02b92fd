package model

// typeVersion picks an operator's version by the type of one input.
type typeVersion struct {
	input    int
	versions map[TensorType]int32
}

func byType(input int, pairs ...any) typeVersion {
	v := map[TensorType]int32{}
	for i := 0; i < len(pairs); i += 2 {
		v[pairs[i].(TensorType)] = int32(pairs[i+1].(int))
	}
	return typeVersion{input, v}
}

// The commonest rules: integer types came after float32 and uint8.
var (
	int8Second       = byType(0, TypeInt8, 2)
	int8Int16        = byType(0, TypeInt8, 2, TypeInt16, 3)
	int8OrInt16First = byType(0, TypeInt8, 2, TypeInt16, 2)
)

// typeVersions holds the rules that look at one input's type alone. What is
// not listed, or has another type, is of version 1.
var typeVersions = map[BuiltinOperator]typeVersion{
	OpSoftmax: int8Int16, OpMean: int8Int16, OpMirrorPad: int8Int16, OpReduceMax: int8Int16, OpReduceMin: int8Int16,
	OpRelu6: int8Int16, OpRsqrt: int8Int16, OpTanh: int8Int16, OpLogistic: int8Int16, OpMaxPool2D: int8Int16,
	OpAveragePool2D: int8Int16, OpPad: int8Int16, OpPadV2: int8Int16, OpLess: int8Int16, OpGreaterEqual: int8Int16,
	OpBatchMatMul: int8Int16,

	OpSpaceToDepth: int8Second, OpDepthToSpace: int8Second, OpSplitV: int8Second, OpSum: int8Second,
	OpLogSoftmax: int8Second, OpGreater: int8Second, OpLessEqual: int8Second, OpSquaredDifference: int8Second,
	OpL2Normalization: int8Second,

	OpExp: int8OrInt16First, OpLog: int8OrInt16First, OpReduceProd: int8OrInt16First,
	OpFloorMod: int8OrInt16First,

	OpRelu:          byType(0, TypeInt8, 2, TypeUint8, 2, TypeInt16, 3),
	OpGelu:          byType(0, TypeInt8, 2, TypeUint8, 2),
	OpLeakyRelu:     byType(0, TypeInt16, 2),
	OpAdd:           byType(0, TypeInt8, 2, TypeInt64, 4),
	OpSub:           byType(0, TypeInt8, 2, TypeInt64, 4),
	OpMul:           byType(0, TypeInt8, 2, TypeInt16, 4, TypeInt64, 5, TypeComplex64, 6, TypeUint32, 7),
	OpMaximum:       byType(0, TypeInt8, 2, TypeInt16, 4),
	OpMinimum:       byType(0, TypeInt8, 2, TypeInt16, 4),
	OpFloorDiv:      byType(0, TypeFloat32, 2, TypeInt8, 3, TypeInt16, 3),
	OpConcatenation: byType(0, TypeInt8, 2, TypeInt16, 3, TypeUint32, 4),
	OpPack:          byType(0, TypeInt8, 2, TypeInt16, 3, TypeUint32, 4),
	OpUnpack:        byType(0, TypeInt8, 2, TypeUint8, 2, TypeBool, 3, TypeInt16, 4),
	OpSplit:         byType(1, TypeInt8, 2, TypeInt32, 3, TypeInt16, 4),
	OpSlice:         byType(0, TypeInt8, 2, TypeString, 3, TypeInt16, 4),
	OpStridedSlice:  byType(0, TypeInt8, 2, TypeBool, 3),
	OpGather:        byType(0, TypeInt8, 2, TypeBool, 3, TypeInt16, 4),
	OpGatherND:      byType(0, TypeString, 2, TypeInt16, 3, TypeBool, 5),
	OpTopKV2:        byType(0, TypeInt8, 2, TypeInt16, 3),
	OpTile:          byType(0, TypeString, 2, TypeInt8, 3),
	OpSqueeze:       byType(0, TypeString, 2),
	OpTranspose:     byType(0, TypeInt8, 2, TypeBool, 3, TypeInt16, 5),
	OpReverseV2:     byType(0, TypeBool, 2, TypeInt8, 3),
	OpArgMax:        byType(0, TypeInt8, 2, TypeBool, 3),
	OpArgMin:        byType(0, TypeInt8, 2, TypeBool, 3),
	OpSelect:        byType(0, TypeInt8, 2),
	OpSelectV2:      byType(0, TypeUint32, 2),
	OpEqual:         byType(0, TypeInt8, 2, TypeString, 3, TypeInt16, 4),
	OpNotEqual:      byType(0, TypeInt8, 2, TypeString, 3),
	OpFill:          byType(1, TypeBool, 2, TypeString, 2, TypeInt8, 3, TypeInt16, 3, TypeFloat16, 4),
	OpRange:         byType(0, TypeInt64, 2),
	OpSign:          byType(0, TypeInt32, 2),
	OpDequantize:    byType(0, TypeInt8, 2, TypeInt16, 3, TypeFloat16, 3, TypeInt4, 6),
	OpTransposeConv: byType(1, TypeInt8, 2),

	OpResizeBilinear:        byType(0, TypeInt8, 2, TypeInt16, 4),
	OpResizeNearestNeighbor: byType(0, TypeInt8, 2, TypeInt16, 4),
	OpSpaceToBatchND:        byType(0, TypeInt8, 2, TypeInt16, 4),
	OpBatchToSpaceND:        byType(0, TypeInt8, 2, TypeInt16, 4),
}

// specialVersions holds what else decides, asked first; 0 leaves it to the type.
var specialVersions = map[BuiltinOperator]func(s *signature) int32{
	OpConv2D: versionConv2D, OpDepthwiseConv2D: versionDepthwiseConv2D, OpFullyConnected: versionFullyConnected,
	OpTransposeConv: versionTransposeConv, OpMul: versionMul, OpAdd: versionAdd, OpSub: versionSub,
	OpStridedSlice: versionStridedSlice, OpResizeBilinear: versionResizeBilinear,
	OpResizeNearestNeighbor: versionResizeNearest, OpGather: versionGather, OpQuantize: versionQuantize, OpCast: versionCast,
	OpDequantize: func(s *signature) int32 { return when(s.in(0) == TypeInt8 && s.perChannel(0), 5) },
	OpDiv:        func(s *signature) int32 { return when(s.stretches(), 2) },
	OpMaximum:    func(s *signature) int32 { return when(s.in(0) != TypeInt16 && s.stretches(), 3) },
	OpMinimum:    func(s *signature) int32 { return when(s.in(0) != TypeInt16 && s.stretches(), 3) },
	OpPad:        func(s *signature) int32 { return when(s.rank(0) > 4, 4) },
	OpPadV2:      func(s *signature) int32 { return when(s.rank(0) > 4, 4) },
	OpSlice:      versionSlice,
	OpTranspose:  versionTranspose,
	OpFakeQuant:  versionFakeQuant,

	OpSpaceToBatchND: func(s *signature) int32 { return when(s.in(0) != TypeInt16 && s.rank(0) != 4, 3) },
	OpBatchToSpaceND: func(s *signature) int32 { return when(s.in(0) != TypeInt16 && s.rank(0) != 4, 3) },
	OpBroadcastTo: func(s *signature) int32 {
		// Version 1 had another number and was withdrawn.
		return max(2, when(s.in(0) == TypeInt8 || s.in(0) == TypeInt16, 3))
	},
	OpAbs: func(s *signature) int32 {
		switch s.in(0) {
		case TypeInt32:
			return 5
		case TypeInt16:
			return max(3, when(scaleOf(s.input(0)) == 0, 4))
		case TypeInt8, TypeUint8:
			return 2
		}
		return 1
	},
	OpSelect: func(s *signature) int32 {
		return when(s.rank(0) == 5 || s.rank(1) == 5 || s.rank(2) == 5, 3)
	},
	OpBatchMatMul: func(s *signature) int32 {
		o, ok := s.op.Options.(*BatchMatMulOptions)
		return when(ok && o.AsymmetricQuantizeInputs && s.weights() == hybrid, 4)
	},
}

// when is v where the condition holds, else 0: no rule.
func when(condition bool, v int32) int32 {
	if condition {
		return v
	}
	return 0
}
