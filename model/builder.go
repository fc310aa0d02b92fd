package model

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Ref is a tensor of the graph that a Builder builds: its index.
type Ref int32

// None stands for an optional input that is left out.
const None Ref = -1

// Builder writes a graph of one subgraph in a few lines:
//
//	b := model.NewBuilder()
//	x := b.Input("x", model.TypeFloat32, 1, 32, 32, 3)
//	w := model.Const(b, "w", []int{8, 3, 3, 3}, weights)
//	y := b.Conv2D(x, w, model.None, model.Conv2DOptions{StrideH: 2, StrideW: 2, Activation: model.ActRelu})
//	m := b.Model(b.Softmax(b.Mean(y, false, 1, 2)))
//
// Shapes are inferred. An output's type follows from the operator, its
// quantization is that of the first input until Quant says otherwise. The
// first mistake sticks: what follows does nothing, and Build returns it.
type Builder struct {
	m   *Model
	g   *Subgraph
	in  *inference // remembers the shapes that the graph computes
	err error
}

// NewBuilder starts an empty graph.
func NewBuilder() *Builder {
	g := &Subgraph{Name: "main"}
	m := &Model{
		Version:     SchemaVersion,
		Description: "edged",
		Subgraphs:   []*Subgraph{g},
		Buffers:     []*Buffer{{}},
	}
	return &Builder{m: m, g: g, in: newInference(m, g)}
}

// Build finishes the graph with its outputs, and gives every operator the
// version its types ask for.
func (b *Builder) Build(outputs ...Ref) (*Model, error) {
	for _, y := range outputs {
		if b.tensor(y) != nil {
			b.g.Outputs = append(b.g.Outputs, int32(y))
		}
	}
	if b.err != nil {
		return nil, b.err
	}
	b.m.UpdateVersions()
	b.m.dropUnusedCodes()
	if err := b.m.Validate(); err != nil {
		return nil, err
	}
	return b.m, nil
}

// Model is Build for graphs that are known to be right; it panics on an error.
func (b *Builder) Model(outputs ...Ref) *Model {
	m, err := b.Build(outputs...)
	if err != nil {
		panic(fmt.Sprintf("BUG: built graph: %v", err))
	}
	return m
}

// Err is the first mistake so far.
func (b *Builder) Err() error { return b.err }

// Shape is the shape of tensor x.
func (b *Builder) Shape(x Ref) []int {
	t := b.tensor(x)
	if t == nil {
		return nil
	}
	s := make([]int, len(t.Shape))
	for i, d := range t.Shape {
		s[i] = int(d)
	}
	return s
}

func (b *Builder) fail(format string, args ...any) {
	if b.err == nil {
		b.err = malformed(format, args...)
	}
}

// tensor is tensor x, or nil after a mistake.
func (b *Builder) tensor(x Ref) *Tensor {
	if x < 0 || int(x) >= len(b.g.Tensors) {
		b.fail("no tensor %d", x)
	}
	if b.err != nil {
		return nil
	}
	return b.g.Tensors[x]
}

func (b *Builder) add(t *Tensor) Ref {
	if t.Name == "" {
		t.Name = fmt.Sprintf("t%d", len(b.g.Tensors))
	}
	b.g.Tensors = append(b.g.Tensors, t)
	return Ref(len(b.g.Tensors) - 1)
}

// Input adds an input of the graph.
func (b *Builder) Input(name string, t TensorType, shape ...int) Ref {
	x := b.add(&Tensor{Name: name, Type: t, Shape: int32s(shape), HasRank: true})
	b.g.Inputs = append(b.g.Inputs, int32(x))
	return x
}

// Quant gives x one scale and zero point, and returns it.
func (b *Builder) Quant(x Ref, scale float32, zeroPoint int64) Ref {
	return b.PerChannel(x, 0, []float32{scale}, []int64{zeroPoint})
}

// PerChannel gives x a scale and a zero point for every index of dimension
// axis, and returns it.
func (b *Builder) PerChannel(x Ref, axis int, scale []float32, zeroPoint []int64) Ref {
	if t := b.tensor(x); t != nil {
		t.Quantization = &Quantization{Scale: scale, ZeroPoint: zeroPoint, QuantizedDimension: int32(axis)}
	}
	return x
}

// Name renames x, and returns it.
func (b *Builder) Name(x Ref, name string) Ref {
	if t := b.tensor(x); t != nil {
		t.Name = name
	}
	return x
}

// Raw adds a constant of any type from its bytes.
func (b *Builder) Raw(name string, t TensorType, shape []int, data []byte) Ref {
	b.m.Buffers = append(b.m.Buffers, &Buffer{Data: data})
	c := &Tensor{Name: name, Type: t, Shape: int32s(shape), Buffer: uint32(len(b.m.Buffers) - 1), HasRank: true}
	x := b.add(c)
	if err := b.m.checkTensor(c); err != nil && b.err == nil {
		b.err = err
	}
	return x
}

// Element is a Go type that a constant can be made of.
type Element interface {
	float32 | float64 | int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64 | bool
}

// Const adds a constant.
func Const[T Element](b *Builder, name string, shape []int, values []T) Ref {
	data, err := binary.Append(nil, binary.LittleEndian, values)
	if err != nil {
		panic(fmt.Sprintf("BUG: constant: %v", err))
	}
	return b.Raw(name, typeFor[T](), shape, data)
}

// typeFor is the tensor type of a Go type.
func typeFor[T Element]() TensorType {
	var zero T
	switch any(zero).(type) {
	case float32:
		return TypeFloat32
	case float64:
		return TypeFloat64
	case int8:
		return TypeInt8
	case uint8:
		return TypeUint8
	case int16:
		return TypeInt16
	case uint16:
		return TypeUint16
	case int32:
		return TypeInt32
	case uint32:
		return TypeUint32
	case int64:
		return TypeInt64
	case uint64:
		return TypeUint64
	}
	return TypeBool
}

// Float16s adds float16 weights behind a DEQUANTIZE, as TFLite's converter
// stores them, and gives the float32 tensor.
func (b *Builder) Float16s(name string, shape []int, values []float32) Ref {
	half := make([]byte, 0, 2*len(values))
	for _, v := range values {
		half = binary.LittleEndian.AppendUint16(half, ToFloat16(v))
	}
	return b.Dequantize(b.Raw(name, TypeFloat16, shape, half))
}

// Ints adds a constant list of int32, as the operators' shapes and pads are.
func (b *Builder) Ints(values ...int) Ref {
	return Const(b, "", []int{len(values)}, int32s(values))
}

// Op adds an operator with one output.
func (b *Builder) Op(code BuiltinOperator, options any, inputs ...Ref) Ref {
	return b.Ops(code, options, 1, inputs...)[0]
}

// Ops adds an operator with n outputs.
func (b *Builder) Ops(code BuiltinOperator, options any, n int, inputs ...Ref) []Ref {
	return b.operator(OperatorCode{Builtin: code, Version: 1}, options, nil, n, inputs)
}

// Custom adds a custom operator with one output of the shape given, or of the
// inferred one where the shape is nil.
func (b *Builder) Custom(name string, options []byte, shape []int, inputs ...Ref) Ref {
	y := b.operator(OperatorCode{Builtin: OpCustom, Custom: name, Version: 1}, options, shape, 1, inputs)
	return y[0]
}

// Customs adds a custom operator whose shapes are known here, with n outputs.
func (b *Builder) Customs(name string, options []byte, n int, inputs ...Ref) []Ref {
	return b.operator(OperatorCode{Builtin: OpCustom, Custom: name, Version: 1}, options, nil, n, inputs)
}

func (b *Builder) operator(code OperatorCode, options any, shape []int, n int, inputs []Ref) []Ref {
	refs := slices.Repeat([]Ref{None}, n)
	op := &Operator{Options: options}
	if raw, ok := options.([]byte); ok {
		op.Options, op.CustomOptions = nil, raw
	}
	for _, x := range inputs {
		if x != None {
			b.tensor(x)
		}
		op.Inputs = append(op.Inputs, int32(x))
	}
	if b.err != nil {
		return refs
	}
	op.OpcodeIndex = b.m.CodeIndex(code)
	op.Outputs = slices.Repeat([]int32{-1}, n)
	shapes := [][]int32{int32s(shape)}
	if shape == nil {
		var err error
		if shapes, err = b.in.shapes(op); err != nil {
			b.err = under(fmt.Sprintf("operators[%d].(%s)", len(b.g.Operators), code.Name()), err)
			return refs
		}
	}
	for i := range refs {
		refs[i] = b.add(b.output(code.Builtin, op, i, shapes[i]))
		op.Outputs[i] = int32(refs[i])
	}
	b.g.Operators = append(b.g.Operators, op)
	b.in.fold(op)
	return refs
}

// output makes output tensor i, of the type that the operator gives.
func (b *Builder) output(code BuiltinOperator, op *Operator, i int, shape []int32) *Tensor {
	t := &Tensor{Shape: shape, Type: b.outputType(code, op), HasRank: true}
	if places, ok := placeOutputs[code]; ok && slices.Contains(places, i) {
		t.Type = TypeInt32
	}
	if from := b.dataInput(code, op); from != nil && from.Type == t.Type && from.Quantization != nil {
		q := *from.Quantization
		t.Quantization = &q
	}
	return t
}

// placeOutputs are the outputs that hold places or numbers of places, int32.
var placeOutputs = map[BuiltinOperator][]int{OpTopKV2: {1}, OpNonMaxSuppressionV4: {0, 1}, OpNonMaxSuppressionV5: {0, 2}}

// dataInput is the input whose type and quantization an output inherits.
func (b *Builder) dataInput(code BuiltinOperator, op *Operator) *Tensor {
	i := 0
	switch code {
	case OpSplit, OpFill, OpSelect, OpSelectV2, OpNonMaxSuppressionV4, OpNonMaxSuppressionV5:
		i = 1
	case OpTransposeConv, OpOneHot:
		i = 2
	}
	return tensorAt(b.g, op.Inputs, i)
}

func (b *Builder) outputType(code BuiltinOperator, op *Operator) TensorType {
	switch o := op.Options.(type) {
	case *ArgMaxOptions:
		return o.OutputType
	case *ArgMinOptions:
		return o.OutputType
	case *ShapeOptions:
		return o.OutType
	case *CastOptions:
		return o.OutDataType
	case *LessOptions, *LessEqualOptions, *GreaterOptions, *GreaterEqualOptions, *EqualOptions, *NotEqualOptions:
		return TypeBool
	}
	if code == OpDequantize || b.m.Code(op).Custom == OpDetectionPostProcess {
		return TypeFloat32
	}
	return typeOf(b.dataInput(code, op))
}

// dropUnusedCodes removes operator codes that no operator has.
func (m *Model) dropUnusedCodes() {
	index := map[uint32]uint32{}
	var kept []*OperatorCode
	for _, g := range m.Subgraphs {
		for _, op := range g.Operators {
			to, ok := index[op.OpcodeIndex]
			if !ok {
				to = uint32(len(kept))
				index[op.OpcodeIndex] = to
				kept = append(kept, m.OperatorCodes[op.OpcodeIndex])
			}
			op.OpcodeIndex = to
		}
	}
	m.OperatorCodes = kept
}

func int32s(v []int) []int32 {
	out := make([]int32, len(v))
	for i, n := range v {
		out[i] = int32(n)
	}
	return out
}
