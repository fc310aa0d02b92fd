package tflite

import (
	"testing"

	"edged/model"
)

// strided is a CONV_2D or DEPTHWISE_CONV_2D on h x w with SAME padding.
func strided(depthwise bool, h, w, k, s int) *model.Model {
	b := model.NewBuilder()
	x := b.Input("x", model.TypeFloat32, 1, h, w, 1)
	weights := model.Const(b, "w", []int{1, k, k, 1}, make([]float32, k*k))
	bias := model.Const(b, "b", []int{1}, []float32{0})
	if depthwise {
		return b.Model(b.DepthwiseConv2D(x, weights, bias, model.DepthwiseConv2DOptions{StrideH: int32(s), StrideW: int32(s), DilationH: 1, DilationW: 1, DepthMultiplier: 1}))
	}
	return b.Model(b.Conv2D(x, weights, bias, model.Conv2DOptions{StrideH: int32(s), StrideW: int32(s), DilationH: 1, DilationW: 1}))
}

func TestFixPadding(t *testing.T) {
	for _, c := range []struct {
		h, w, k, s       int
		changed, refused bool
	}{
		{8, 8, 3, 2, false, false}, // pads one
		{9, 9, 1, 2, false, false}, // the last window ends at the end
		{8, 8, 1, 2, true, false},  // the last column is never read
		{6, 6, 2, 3, true, false},
		{6, 8, 2, 3, true, false}, // one axis fits exactly
		{6, 7, 2, 3, false, true}, // one axis pads, the other must not
	} {
		for _, depthwise := range []bool{false, true} {
			m := strided(depthwise, c.h, c.w, c.k, c.s)
			before := m.Subgraphs[0].Tensors[m.Subgraphs[0].Outputs[0]].Shape
			changed, refused := fixPadding(m)
			if changed != c.changed || (refused != "") != c.refused {
				t.Errorf("%+v depthwise %v: changed %v, refused %q", c, depthwise, changed, refused)
			}
			if err := m.InferShapes(0); err != nil {
				t.Fatal(err)
			}
			if after := m.Subgraphs[0].Tensors[m.Subgraphs[0].Outputs[0]].Shape; after[1] != before[1] || after[2] != before[2] {
				t.Errorf("%+v: the output was %v and is %v", c, before, after)
			}
			if short := shortWindows(strided(depthwise, c.h, c.w, c.k, c.s)); short != (c.k < c.s) {
				t.Errorf("%+v: shortWindows %v", c, short)
			}
		}
	}
}

func TestUnreadResults(t *testing.T) {
	b := model.NewBuilder()
	x := b.Input("x", model.TypeFloat32, 1, 4)
	m := b.Model(b.Op(model.OpRelu, nil, b.Op(model.OpRelu, nil, x)))
	if name := unread(m); name != "" {
		t.Errorf("%s is read", name)
	}
	m.Subgraphs[0].Outputs[0] = m.Subgraphs[0].Operators[0].Outputs[0]
	if name := unread(m); name != "operator 1 (RELU version 1)" {
		t.Errorf("unread: %q", name)
	}
}

func TestOneSlope(t *testing.T) {
	for _, slopes := range []int{1, 4} {
		b := model.NewBuilder()
		x := b.Input("x", model.TypeFloat32, 1, 3, 3, 4)
		m := b.Model(b.Prelu(x, model.Const(b, "slopes", []int{1, 1, slopes}, make([]float32, slopes))))
		if name := oneSlope(m); (name != "") != (slopes == 1) {
			t.Errorf("%d slopes for 4 channels: %q", slopes, name)
		}
	}
}

func TestExplain(t *testing.T) {
	b := model.NewBuilder()
	x := b.Input("x", model.TypeFloat32, 1, 4)
	m := b.Model(b.Op(model.OpTanh, nil, b.Op(model.OpRelu, nil, x)))
	for _, c := range []struct {
		lines []string
		want  string
	}{
		{nil, "the library gives no reason"},
		{[]string{"a/b/conv.cc:350 x != y (8 != 4)", "Node number 1 (TANH) failed to prepare."}, "operator 1 (TANH version 1): conv.cc: x != y (8 != 4)"},
		{[]string{"failed to delegate RELU node #0", "Node number 2 (TfLiteXNNPackDelegate) failed to prepare."}, "operator 0 (RELU version 1): failed to delegate RELU node #0"},
		{[]string{"Node number 2 (TfLiteXNNPackDelegate) failed to invoke."}, "Node number 2 (TfLiteXNNPackDelegate) failed to invoke"},
	} {
		if got := explain(m, c.lines); got != c.want {
			t.Errorf("%q: %q, want %q", c.lines, got, c.want)
		}
	}
}
