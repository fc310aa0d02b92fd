package model

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// convNet is a 1x1 convolution to three classes, and what tail makes of it.
func convNet(t *testing.T, weights, bias []float32, tail func(b *Builder, x Ref) Ref) *Model {
	t.Helper()
	b := NewBuilder()
	x := b.Input("x", TypeFloat32, 1, 4, 5, 2)
	y := b.Conv2D(x, Const(b, "w", []int{3, 1, 1, 2}, weights), Const(b, "b", []int{3}, bias), Conv2DOptions{StrideH: 1, StrideW: 1})
	if tail != nil {
		y = tail(b, b.Name(y, "map"))
	}
	m, err := b.Build(y)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestCheckNumbers(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for _, c := range []struct {
		name          string
		weights, bias []float32
		tail          func(b *Builder, x Ref) Ref
		says          string
	}{
		{"right", []float32{1, 2, 3, 4, 5, math.MaxFloat32}, []float32{math.Float32frombits(1 << 31), 0, 1e-40}, nil, ""},
		{"NaN weight", []float32{1, 2, 3, 4, nan, 6}, []float32{0, 0, 0}, nil, `"w" holds NaN at element 4`},
		{"infinite bias", []float32{1, 2, 3, 4, 5, 6}, []float32{0, inf, 0}, nil, `"b" holds an infinity at element 1`},
		{"an infinity that masks", []float32{1, 2, 3, 4, 5, 6}, []float32{0, 0, 0}, func(b *Builder, x Ref) Ref {
			return b.Add(x, Const(b, "mask", []int{3}, []float32{0, inf, 0}), ActNone)
		}, ""},
		{"a NaN that masks", []float32{1, 2, 3, 4, 5, 6}, []float32{0, 0, 0}, func(b *Builder, x Ref) Ref {
			return b.Add(x, Const(b, "mask", []int{3}, []float32{0, 0, nan}), ActNone)
		}, `"mask" holds NaN at element 2`},
		{"float16 weights", []float32{1, 2, 3, 4, 5, 6}, []float32{0, 0, 0}, func(b *Builder, x Ref) Ref {
			w := b.Float16s("half", []int{1, 1, 1, 3}, []float32{1, 1e9, 2}) // 1e9 is infinite there
			return b.Conv2D(x, w, Const(b, "b2", []int{1}, []float32{0}), Conv2DOptions{StrideH: 1, StrideW: 1})
		}, `"half" holds an infinity at element 1`},
	} {
		err := convNet(t, c.weights, c.bias, c.tail).CheckNumbers()
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
	}
}

func names(m *Model, list []int32) []string {
	var all []string
	for _, t := range list {
		all = append(all, m.Subgraphs[0].Tensors[t].Name)
	}
	return all
}

// A map that becomes whole numbers is watched, one that is seen or was made of
// whole numbers is not.
func TestLossy(t *testing.T) {
	weights, bias := []float32{1, 2, 3, 4, 5, 6}, []float32{0, 0, 0}
	for name, c := range map[string]struct {
		tail func(b *Builder, x Ref) Ref
		want []string
	}{
		"none":    {nil, nil},
		"softmax": {func(b *Builder, x Ref) Ref { return b.Softmax(x) }, nil},
		"argmax":  {argMax, []string{"map"}},
		"int8":    {func(b *Builder, x Ref) Ref { return b.Quantize(x, TypeInt8, 1, 0) }, []string{"map"}},
		"there and back": {func(b *Builder, x Ref) Ref {
			y := b.Dequantize(b.Quantize(x, TypeInt8, 1, 0))
			return b.Quantize(y, TypeInt8, 2, 0)
		}, []string{"map"}},
		"cast": {func(b *Builder, x Ref) Ref {
			return b.Op(OpCast, &CastOptions{InDataType: TypeFloat32, OutDataType: TypeInt32}, b.Name(b.Relu(x), "positive"))
		}, []string{"positive"}},
	} {
		m := convNet(t, weights, bias, c.tail)
		got := m.Lossy()
		if !slices.Equal(names(m, got), c.want) {
			t.Errorf("%s: %q, want %q", name, names(m, got), c.want)
		}
		w := m.WithOutputs(got...)
		if err := w.Validate(); err != nil || len(w.Subgraphs[0].Outputs) != len(m.Subgraphs[0].Outputs)+len(got) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func argMax(b *Builder, x Ref) Ref {
	return b.Op(OpArgMax, &ArgMaxOptions{OutputType: TypeInt64}, x, b.Ints(3))
}

func TestTakeOffArgMax(t *testing.T) {
	weights, bias := []float32{1, 2, 3, 4, 5, 6}, []float32{0, 0, 0}
	for name, c := range map[string]struct {
		tail  func(b *Builder, x Ref) Ref
		taken bool
	}{
		"argmax": {argMax, true},
		"cast behind": {func(b *Builder, x Ref) Ref {
			return b.Op(OpCast, &CastOptions{InDataType: TypeInt64, OutDataType: TypeInt32}, argMax(b, x))
		}, true},
		"reshaped": {func(b *Builder, x Ref) Ref { return b.Reshape(argMax(b, x), 1, 4, 5, 1) }, true},
		"rows": {func(b *Builder, x Ref) Ref {
			return b.Op(OpArgMax, &ArgMaxOptions{OutputType: TypeInt64}, x, b.Ints(1))
		}, false},
		"flat": {func(b *Builder, x Ref) Ref {
			return b.Op(OpArgMax, &ArgMaxOptions{OutputType: TypeInt64}, b.Reshape(x, 20, 3), b.Ints(1))
		}, false},
		"none": {nil, false},
	} {
		m := convNet(t, weights, bias, c.tail)
		before := slices.Clone(m.Subgraphs[0].Outputs)
		taken := m.TakeOffArgMax(0)
		if (taken != m) != c.taken {
			t.Errorf("%s: taken off: %v", name, taken != m)
		}
		if !slices.Equal(m.Subgraphs[0].Outputs, before) {
			t.Errorf("%s: the model itself has changed", name)
		}
		if !c.taken {
			continue
		}
		if got := names(taken, taken.Subgraphs[0].Outputs); !slices.Equal(got, []string{"map"}) || len(taken.Subgraphs[0].Operators) != 1 {
			t.Errorf("%s: outputs %q, %d operators", name, got, len(taken.Subgraphs[0].Operators))
		}
		if _, err := taken.Write(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
