package model

import "testing"

// facts are operator versions as TensorFlow's converter gives them: the types
// of the inputs, and what else matters.
var versionFacts = []struct {
	name   string
	code   BuiltinOperator
	option any
	in     []TensorType
	out    TensorType
	change func(in []*Tensor)
	want   int32
}{
	{"float", OpConv2D, &Conv2DOptions{}, types(TypeFloat32, TypeFloat32), TypeFloat32, nil, 1},
	{"dilated", OpConv2D, &Conv2DOptions{DilationW: 2}, types(TypeFloat32, TypeFloat32), TypeFloat32, nil, 1},
	{"int8", OpConv2D, &Conv2DOptions{}, types(TypeInt8, TypeInt8), TypeInt8, nil, 3},
	{"uint8", OpConv2D, &Conv2DOptions{}, types(TypeUint8, TypeUint8), TypeUint8, nil, 1},
	{"int16", OpConv2D, &Conv2DOptions{}, types(TypeInt16, TypeInt16), TypeInt16, nil, 4},
	{"hybrid", OpConv2D, &Conv2DOptions{}, types(TypeFloat32, TypeInt8), TypeFloat32, nil, 2},
	{"hybrid per channel", OpConv2D, &Conv2DOptions{}, types(TypeFloat32, TypeInt8), TypeFloat32, perChannelWeights, 5},
	{"grouped", OpConv2D, &Conv2DOptions{}, types(TypeFloat32, TypeFloat32), TypeFloat32, func(in []*Tensor) { in[1].Shape[3] = 2 }, 6},
	{"bias of int64", OpConv2D, &Conv2DOptions{QuantizedBiasType: TypeInt64}, types(TypeInt16, TypeInt8), TypeInt16, nil, 8},
	{"float", OpDepthwiseConv2D, &DepthwiseConv2DOptions{DilationW: 1, DilationH: 1}, types(TypeFloat32, TypeFloat32), TypeFloat32, nil, 1},
	{"dilated", OpDepthwiseConv2D, &DepthwiseConv2DOptions{DilationW: 1, DilationH: 2}, types(TypeFloat32, TypeFloat32), TypeFloat32, nil, 2},
	{"int8", OpDepthwiseConv2D, &DepthwiseConv2DOptions{DilationW: 1, DilationH: 2}, types(TypeInt8, TypeInt8), TypeInt8, nil, 3},
	{"hybrid", OpDepthwiseConv2D, nil, types(TypeFloat32, TypeInt8), TypeFloat32, nil, 4},
	{"hybrid per channel", OpDepthwiseConv2D, nil, types(TypeFloat32, TypeInt8), TypeFloat32, perChannelWeights, 6},
	{"float", OpFullyConnected, nil, types(TypeFloat32, TypeFloat32, TypeFloat32), TypeFloat32, nil, 1},
	{"int8", OpFullyConnected, nil, types(TypeInt8, TypeInt8, TypeInt32), TypeInt8, nil, 4},
	{"no bias", OpFullyConnected, nil, types(TypeInt8, TypeInt8), TypeInt8, nil, 6},
	{"kept dimensions", OpFullyConnected, &FullyConnectedOptions{KeepNumDims: true}, types(TypeFloat32, TypeFloat32, TypeFloat32), TypeFloat32, nil, 5},
	{"sparse", OpFullyConnected, nil, types(TypeFloat32, TypeFloat32, TypeFloat32), TypeFloat32, func(in []*Tensor) { in[1].Sparsity = &Sparsity{} }, 8},
	{"hybrid", OpFullyConnected, nil, types(TypeFloat32, TypeInt8, TypeFloat32), TypeFloat32, nil, 3},
	{"hybrid, asymmetric", OpFullyConnected, &FullyConnectedOptions{AsymmetricQuantizeInputs: true}, types(TypeFloat32, TypeInt8, TypeFloat32), TypeFloat32, nil, 9},
	{"shuffled", OpFullyConnected, &FullyConnectedOptions{WeightsFormat: WeightsShuffled4x16Int8}, types(TypeUint8, TypeUint8, TypeInt32), TypeUint8, nil, 2},
	{"bias", OpTransposeConv, &TransposeConvOptions{}, types(TypeInt32, TypeInt8, TypeInt8, TypeInt32), TypeInt8, nil, 3},
	{"int8", OpTransposeConv, &TransposeConvOptions{}, types(TypeInt32, TypeInt8, TypeInt8), TypeInt8, nil, 2},
	{"activation", OpTransposeConv, &TransposeConvOptions{Activation: ActRelu}, types(TypeInt32, TypeFloat32, TypeFloat32), TypeFloat32, nil, 4},
	{"int8", OpMaxPool2D, nil, types(TypeInt8), TypeInt8, nil, 2},
	{"int16", OpAveragePool2D, nil, types(TypeInt16), TypeInt16, nil, 3},
	{"int8", OpPad, nil, types(TypeInt8, TypeInt32), TypeInt8, nil, 2},
	{"five dimensions", OpPadV2, nil, types(TypeInt8, TypeInt32), TypeInt8, fiveDimensions, 4},
	{"int8", OpSpaceToBatchND, nil, types(TypeInt8), TypeInt8, nil, 2},
	{"three dimensions", OpBatchToSpaceND, nil, types(TypeInt8), TypeInt8, func(in []*Tensor) { in[0].Shape = in[0].Shape[:3] }, 3},
	{"int8", OpStridedSlice, &StridedSliceOptions{}, types(TypeInt8), TypeInt8, nil, 2},
	{"ellipsis", OpStridedSlice, &StridedSliceOptions{EllipsisMask: 1}, types(TypeInt8), TypeInt8, nil, 6},
	{"offset", OpStridedSlice, &StridedSliceOptions{Offset: true}, types(TypeFloat32), TypeFloat32, nil, 8},
	{"five dimensions", OpStridedSlice, &StridedSliceOptions{}, types(TypeFloat32), TypeFloat32, fiveDimensions, 4},
	{"five dimensions", OpSlice, nil, types(TypeFloat32), TypeFloat32, fiveDimensions, 5},
	{"half pixels", OpResizeBilinear, &ResizeBilinearOptions{HalfPixelCenters: true}, types(TypeInt8), TypeInt8, nil, 3},
	{"corners", OpResizeNearestNeighbor, &ResizeNearestNeighborOptions{AlignCorners: true}, types(TypeFloat32), TypeFloat32, nil, 3},
	{"int8", OpResizeBilinear, &ResizeBilinearOptions{}, types(TypeInt8), TypeInt8, nil, 2},
	{"float16", OpDequantize, nil, types(TypeFloat16), TypeFloat32, nil, 3},
	{"int8", OpDequantize, nil, types(TypeInt8), TypeFloat32, nil, 2},
	{"per channel", OpDequantize, nil, types(TypeInt8), TypeFloat32, func(in []*Tensor) { in[0].Quantization = perChannel() }, 5},
	{"int16", OpQuantize, nil, types(TypeFloat32), TypeInt16, nil, 2},
	{"batches", OpGather, &GatherOptions{BatchDims: 1}, types(TypeFloat32, TypeInt32), TypeFloat32, nil, 5},
	{"int16 indices", OpGather, &GatherOptions{}, types(TypeInt8, TypeInt16), TypeInt8, nil, 6},
	{"int4", OpGather, &GatherOptions{}, types(TypeInt4, TypeInt32), TypeInt4, nil, 7},
	{"int32", OpCast, nil, types(TypeInt32), TypeFloat32, nil, 1},
	{"uint32", OpCast, nil, types(TypeFloat32), TypeUint32, nil, 2},
	{"int8", OpCast, nil, types(TypeInt8), TypeFloat32, nil, 3},
	{"uint16", OpCast, nil, types(TypeInt8), TypeUint16, nil, 4},
	{"float16", OpCast, nil, types(TypeFloat16), TypeFloat32, nil, 5},
	{"int4", OpCast, nil, types(TypeInt4), TypeFloat32, nil, 6},
	{"bfloat16", OpCast, nil, types(TypeBFloat16), TypeFloat32, nil, 7},
	{"narrow", OpFakeQuant, &FakeQuantOptions{NarrowRange: true}, types(TypeFloat32), TypeFloat32, nil, 2},
	{"wide", OpFakeQuant, &FakeQuantOptions{}, types(TypeFloat32), TypeFloat32, nil, 1},
	{"int8", OpMaximum, nil, types(TypeInt8, TypeInt8), TypeInt8, nil, 2},
	{"five dimensions", OpMaximum, nil, types(TypeInt8, TypeInt8), TypeInt8, fiveDimensions, 3},
	{"int8", OpAdd, &AddOptions{PotScaleInt16: true}, types(TypeInt8, TypeInt8), TypeInt8, nil, 2},
	{"int64", OpSub, nil, types(TypeInt64, TypeInt64), TypeInt64, nil, 4},
	{"int8", OpMul, nil, types(TypeInt8, TypeInt8), TypeInt8, nil, 2},
	{"scaled up", OpMul, nil, types(TypeInt8, TypeInt8), TypeInt8, scaledUp, 3},
	{"float", OpBroadcastTo, nil, types(TypeFloat32, TypeInt32), TypeFloat32, nil, 2},
	{"int8", OpBroadcastTo, nil, types(TypeInt8, TypeInt32), TypeInt8, nil, 3},
	{"int8", OpSplit, nil, types(TypeInt32, TypeInt8), TypeInt8, nil, 2},
	{"batches", OpGather, &GatherOptions{BatchDims: 1}, types(TypeInt8, TypeInt32), TypeInt8, nil, 5},
	{"five dimensions", OpTranspose, nil, types(TypeInt8), TypeInt8, fiveDimensions, 4},
	{"to int8", OpCast, &CastOptions{}, types(TypeFloat32), TypeInt8, nil, 3},
	{"uint8", OpGelu, nil, types(TypeUint8), TypeUint8, nil, 2},
	{"int8", OpHardSwish, nil, types(TypeInt8), TypeInt8, nil, 1},
	{"int8", OpSoftmax, nil, types(TypeInt8), TypeInt8, nil, 2},
	{"int32", OpAbs, nil, types(TypeInt32), TypeInt32, nil, 5},
}

func types(list ...TensorType) []TensorType { return list }

func perChannel() *Quantization {
	return &Quantization{Scale: []float32{1, 2}, ZeroPoint: []int64{0, 0}}
}

func perChannelWeights(in []*Tensor) { in[1].Quantization = perChannel() }

func fiveDimensions(in []*Tensor) { in[0].Shape = []int32{1, 1, 2, 2, 4} }

func scaledUp(in []*Tensor) {
	in[0].Quantization = &Quantization{Scale: []float32{4}}
	in[1].Quantization = &Quantization{Scale: []float32{2}}
}

func TestOperatorVersions(t *testing.T) {
	for _, c := range versionFacts {
		g := &Subgraph{}
		op := &Operator{Options: c.option}
		for i, kind := range c.in {
			g.Tensors = append(g.Tensors, &Tensor{Type: kind, Shape: []int32{1, 2, 2, 4}})
			op.Inputs = append(op.Inputs, int32(i))
		}
		if c.change != nil {
			c.change(g.Tensors)
		}
		op.Outputs = []int32{int32(len(g.Tensors))}
		g.Tensors = append(g.Tensors, &Tensor{Type: c.out, Quantization: &Quantization{Scale: []float32{1}}})
		m := &Model{OperatorCodes: []*OperatorCode{{Builtin: c.code, Version: 1}}, Subgraphs: []*Subgraph{g}}
		if got := m.OpVersion(g, op); got != c.want {
			t.Errorf("%v, %s: version %d, want %d", c.code, c.name, got, c.want)
		}
	}
}

// Operators that share a code part when one needs a higher version, and no
// version is lowered.
func TestUpdateVersions(t *testing.T) {
	g := &Subgraph{Tensors: []*Tensor{{Type: TypeInt8}, {Type: TypeFloat32}}}
	for i := range int32(2) {
		g.Operators = append(g.Operators, &Operator{Inputs: []int32{i}, Outputs: []int32{i}})
	}
	g.Operators = append(g.Operators, &Operator{OpcodeIndex: 1, Inputs: []int32{1}, Outputs: []int32{1}})
	m := &Model{Subgraphs: []*Subgraph{g}, OperatorCodes: []*OperatorCode{{Builtin: OpSoftmax, Version: 1}, {Builtin: OpTanh, Version: 3}}}
	m.UpdateVersions()
	for i, want := range []int32{2, 1, 3} {
		if got := m.Code(g.Operators[i]).Version; got != want {
			t.Errorf("operator %d has version %d, want %d", i, got, want)
		}
	}
}
