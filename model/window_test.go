package model

import "testing"

// TestWindowOf: every operator that slides tells its window, no other does.
func TestWindowOf(t *testing.T) {
	b := NewBuilder()
	x := b.Input("x", TypeFloat32, 1, 20, 21, 2)
	bias := Const(b, "b", []int{2}, []float32{0, 0})
	conv := b.Conv2D(x, Const(b, "w", []int{2, 3, 4, 2}, make([]float32, 48)), bias,
		Conv2DOptions{Padding: PaddingValid, StrideH: 2, StrideW: 1, DilationH: 1, DilationW: 3})
	depth := b.DepthwiseConv2D(conv, Const(b, "d", []int{1, 5, 3, 2}, make([]float32, 30)), bias,
		DepthwiseConv2DOptions{StrideH: 1, StrideW: 2, DilationH: 2, DilationW: 1, DepthMultiplier: 1})
	pool := b.MaxPool(depth, Pool2DOptions{StrideH: 3, StrideW: 2, FilterHeight: 2, FilterWidth: 3})
	m := b.Model(b.Op(OpRelu, nil, pool))
	g := m.Subgraphs[0]
	want := []Window{
		{Padding: PaddingValid, Filter: [2]int{3, 4}, Stride: [2]int{2, 1}, Dilation: [2]int{1, 3}},
		{Filter: [2]int{5, 3}, Stride: [2]int{1, 2}, Dilation: [2]int{2, 1}},
		{Filter: [2]int{2, 3}, Stride: [2]int{3, 2}, Dilation: [2]int{1, 1}, Pool: true},
	}
	for i, op := range g.Operators {
		w, ok := WindowOf(m, g, op)
		if ok != (i < len(want)) {
			t.Fatalf("operator %d slides: %v", i, ok)
		}
		if !ok {
			continue
		}
		if w != want[i] {
			t.Errorf("operator %d: %+v, want %+v", i, w, want[i])
		}
		in, out := g.Tensors[op.Inputs[0]].Shape, g.Tensors[op.Outputs[0]].Shape
		for axis := range 2 {
			before, after := w.Pads(axis, int64(in[1+axis]))
			padded := Window{PaddingValid, w.Filter, w.Stride, w.Dilation, w.Pool}.Out(axis, int64(in[1+axis])+before+after)
			if n := w.Out(axis, int64(in[1+axis])); n != int64(out[1+axis]) || n != padded {
				t.Errorf("operator %d axis %d: %d of %d inputs, %d over its pads, shape %v", i, axis, n, in[1+axis], padded, out)
			}
		}
	}
	other := *g.Operators[0]
	other.Options = &Pool2DOptions{}
	if w, ok := WindowOf(m, g, &other); ok {
		t.Errorf("a convolution with a pool's options slides %+v", w)
	}
}

// TestWindowSet: the options change, those that another graph holds do not.
func TestWindowSet(t *testing.T) {
	b := NewBuilder()
	x := b.Input("x", TypeFloat32, 1, 8, 8, 1)
	m := b.Model(b.AvgPool(x, Pool2DOptions{StrideH: 2, StrideW: 2, FilterHeight: 2, FilterWidth: 2, Activation: ActRelu}))
	g := m.Subgraphs[0]
	held := g.Operators[0].Options
	w, _ := WindowOf(m, g, g.Operators[0])
	w.Stride = [2]int{1, 3}
	w.Set(g.Operators[0])
	if got, _ := WindowOf(m, g, g.Operators[0]); got != w {
		t.Errorf("%+v is set, %+v is read", w, got)
	}
	if held.(*Pool2DOptions).StrideH != 2 {
		t.Error("the options before are written to")
	}
	if a := ActivationOf(g.Operators[0].Options); a != ActRelu {
		t.Errorf("activation %v", a)
	}
}
