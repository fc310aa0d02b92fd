package tflite

import (
	"math"
	"strings"
	"testing"

	"edged/model"
)

// graphOf is one operator on an input x of a type and shape, with constants
// behind it.
func graphOf(code model.BuiltinOperator, options any, t model.TensorType, shape []int, more ...func(b *model.Builder) model.Ref) *model.Model {
	b := model.NewBuilder()
	in := []model.Ref{b.Input("x", t, shape...)}
	if t == model.TypeInt8 {
		b.Quant(in[0], 0.1, 0)
	}
	for _, f := range more {
		in = append(in, f(b))
	}
	return b.Model(b.Op(code, options, in...))
}

func ints(v ...int) func(b *model.Builder) model.Ref {
	return func(b *model.Builder) model.Ref { return b.Ints(v...) }
}

func zeros(shape ...int) func(b *model.Builder) model.Ref {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return func(b *model.Builder) model.Ref { return model.Const(b, "", shape, make([]float32, n)) }
}

func first(m *model.Model) (*model.Operator, *model.Subgraph) {
	return m.Subgraphs[0].Operators[0], m.Subgraphs[0]
}

// Each rule refuses the graph that breaks it and accepts the one before.
func TestVerifyRules(t *testing.T) {
	depthwise := func() *model.Model { return strided(true, 8, 8, 3, 1) }
	slice := func() *model.Model {
		return graphOf(model.OpStridedSlice, &model.StridedSliceOptions{}, model.TypeFloat32, []int{4}, ints(0), ints(4), ints(2))
	}
	add := func() *model.Model {
		return graphOf(model.OpAdd, &model.AddOptions{}, model.TypeFloat32, []int{2, 3}, zeros(3))
	}
	deconvolution := func() *model.Model {
		b := model.NewBuilder()
		x, w := b.Input("x", model.TypeFloat32, 1, 4, 4, 1), model.Const(b, "w", []int{1, 3, 3, 1}, make([]float32, 9))
		return b.Model(b.TransposeConv(x, w, model.None, 8, 8, model.TransposeConvOptions{StrideH: 2, StrideW: 2}))
	}
	gather := func() *model.Model {
		return graphOf(model.OpGather, &model.GatherOptions{}, model.TypeFloat32, []int{4}, ints(0, 3))
	}
	for _, c := range []struct {
		name  string
		base  func() *model.Model
		spoil func(m *model.Model)
		want  string
	}{
		{"a tensor is written twice", add, func(m *model.Model) { op, sg := first(m); sg.Operators = append(sg.Operators, op) }, "written already"},
		{"an output is left out", add, func(m *model.Model) { op, _ := first(m); op.Outputs[0] = -1 }, "leaves an output out"},
		{"an input is constant", add, func(m *model.Model) { op, sg := first(m); sg.Inputs = append(sg.Inputs, op.Inputs[1]) }, "constant or listed twice"},
		{"nothing writes an output", add, func(m *model.Model) { m.Subgraphs[0].Operators = nil }, "nothing writes output"},
		{"an infinite scale", add, func(m *model.Model) {
			m.Subgraphs[0].Tensors[0].Quantization = &model.Quantization{Scale: []float32{float32(math.Inf(1))}, ZeroPoint: []int64{0}}
		}, "no finite positive number"},
		{"a zero point outside int8", add, func(m *model.Model) {
			*m.Subgraphs[0].Tensors[0] = model.Tensor{Type: model.TypeInt8, Shape: []int32{2, 3}, Quantization: &model.Quantization{Scale: []float32{1}, ZeroPoint: []int64{128}}}
		}, "zero point 128"},
		{"an activation that is none", add, func(m *model.Model) { op, _ := first(m); op.Options.(*model.AddOptions).Activation = 9 }, "no such function"},
		{"a stride of zero", depthwise, func(m *model.Model) { op, _ := first(m); op.Options.(*model.DepthwiseConv2DOptions).StrideW = 0 }, "StrideW is 0"},
		{"a huge dilation", depthwise, func(m *model.Model) {
			op, _ := first(m)
			op.Options.(*model.DepthwiseConv2DOptions).DilationH = 1 << 20
		}, "DilationH is 1048576"},
		{"a wrong depth multiplier", depthwise, func(m *model.Model) {
			op, _ := first(m)
			op.Options.(*model.DepthwiseConv2DOptions).DepthMultiplier = 3
		}, "depth multiplier of 3"},
		{"no bias", depthwise, func(m *model.Model) { op, _ := first(m); op.Inputs = op.Inputs[:2] }, "no bias"},
		{"weights left out", depthwise, func(m *model.Model) { op, _ := first(m); op.Inputs[1] = -1 }, "input 1 is left out"},
		{"a stride of zero in a slice", slice, func(m *model.Model) { op, sg := first(m); clear(m.Data(sg.Tensors[op.Inputs[3]])) }, "a stride of 0"},
		{"operands of two types", add, func(m *model.Model) { op, sg := first(m); sg.Tensors[op.Inputs[1]].Type = model.TypeInt32 }, "operands of float32 and int32"},
		{"a broadcast of rank five", add, func(m *model.Model) { op, sg := first(m); sg.Tensors[op.Inputs[0]].Shape = []int32{1, 1, 1, 2, 3} }, "broadcasts"},
		{"an output size of no input", deconvolution, func(m *model.Model) { op, sg := first(m); m.Data(sg.Tensors[op.Inputs[0]])[4] = 11 }, "does not belong"},
		{"an index outside, no options", gather, func(m *model.Model) { op, sg := first(m); op.Options = nil; m.Data(sg.Tensors[op.Inputs[1]])[2] = 1 }, "index 65536 is outside"},
		{"an index outside", gather, func(m *model.Model) { op, sg := first(m); m.Data(sg.Tensors[op.Inputs[1]])[0] = 4 }, "index 4 is outside"},
	} {
		m := c.base()
		if err := verify(m); err != nil {
			t.Errorf("%s: before: %v", c.name, err)
		}
		c.spoil(m)
		if err := verify(m); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// int8 arithmetic without scales, or with a result scale that overflows the
// fixed-point multiplier, aborts in C.
func TestVerifyScales(t *testing.T) {
	sum := func(code model.BuiltinOperator, scale float32) *model.Model {
		b := model.NewBuilder()
		x, y := b.Quant(b.Input("x", model.TypeInt8, 4), 0.5, 0), b.Quant(b.Input("y", model.TypeInt8, 4), 0.5, 0)
		return b.Model(b.Quant(b.Op(code, nil, x, y), scale, 0))
	}
	for _, c := range []struct {
		code  model.BuiltinOperator
		scale float32
		ok    bool
	}{
		{model.OpAdd, 0.5, true}, {model.OpAdd, 2.0 / (1 << 20), true}, {model.OpAdd, 1.0 / (1 << 20), false},
		{model.OpSquaredDifference, 2.0 / (1 << 14), true}, {model.OpSquaredDifference, 1.0 / (1 << 14), false},
		{model.OpMaximum, 0, false},
	} {
		if err := verify(sum(c.code, c.scale)); (err == nil) != c.ok {
			t.Errorf("%s with scale %g: %v", c.code, c.scale, err)
		}
	}
}

func TestVerifySparsity(t *testing.T) {
	sparse := func(segments, indices []int32, rows int32) *model.Tensor {
		return &model.Tensor{Name: "w", Shape: []int32{2, 3}, Sparsity: &model.Sparsity{TraversalOrder: []int32{0, 1}, DimMetadata: []*model.DimensionMetadata{
			{DenseSize: rows}, {Format: model.DimensionSparseCSR, ArraySegments: &model.Int32Vector{Values: segments}, ArrayIndices: &model.Int32Vector{Values: indices}},
		}}}
	}
	for _, c := range []struct {
		name string
		t    *model.Tensor
		ok   bool
	}{
		{"two rows", sparse([]int32{0, 1, 3}, []int32{2, 0, 1}, 2), true},
		{"too many rows", sparse([]int32{0, 1, 3}, []int32{2, 0, 1}, 3), false},
		{"a column outside", sparse([]int32{0, 1, 3}, []int32{3, 0, 1}, 2), false},
		{"a segment missing", sparse([]int32{0, 3}, []int32{2, 0, 1}, 2), false},
		{"segments that go back", sparse([]int32{0, 4, 3}, []int32{2, 0, 1}, 2), false},
		{"segments past the end", sparse([]int32{0, 1, 9}, []int32{2, 0, 1}, 2), false},
	} {
		if err := verifySparsity(c.t); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
