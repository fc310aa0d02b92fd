//go:build tflite && cgo

package tflite

import (
	"strings"
	"testing"

	"edged"
	"edged/model"
)

func written(t *testing.T, m *model.Model) []byte {
	t.Helper()
	b, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// relu is x -> RELU -> y on [1, 4] floats.
func relu() *model.Model {
	b := model.NewBuilder()
	return b.Model(b.Op(model.OpRelu, nil, b.Input("x", model.TypeFloat32, 1, 4)))
}

// Every refusal is one line that names the operator and says why.
func TestRefusalsNameTheOperator(t *testing.T) {
	change := func(f func(m *model.Model)) []byte {
		m := relu()
		f(m)
		return written(t, m)
	}
	grouped := func() []byte { // TFLite 2.9 has no grouped convolution, and finds that in Prepare
		b := model.NewBuilder()
		x := b.Input("x", model.TypeFloat32, 1, 4, 4, 8)
		w := model.Const(b, "w", []int{2, 1, 1, 4}, make([]float32, 8))
		bias := model.Const(b, "b", []int{2}, make([]float32, 2))
		m := b.Model(b.Conv2D(x, w, bias, model.Conv2DOptions{StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}))
		m.OperatorCodes[0].Version = 1
		return written(t, m)
	}
	for _, c := range []struct {
		name string
		file []byte
		want []string
	}{
		{"empty", nil, []string{"malformed"}},
		{"unknown custom operator", npmModel(t, "selfie_segmentation"),
			[]string{"operator 244 (Convolution2DTransposeBias version 1)", "custom operator"}},
		{"version too new", change(func(m *model.Model) { m.OperatorCodes[0].Version = 9 }),
			[]string{"operator 0 (RELU version 9)", "outside 1 to 3"}},
		{"operator too new", change(func(m *model.Model) { m.OperatorCodes[0].Builtin = model.OpAtan2 }), []string{"operator 0 (ATAN2 version 1)", "does not have"}},
		{"version of an operator that is not used", change(func(m *model.Model) {
			m.OperatorCodes = append(m.OperatorCodes, &model.OperatorCode{Builtin: model.OpAdd, Version: 99})
		}), []string{"operator code 1 (ADD version 99)"}},
		{"read before written", change(func(m *model.Model) { m.Subgraphs[0].Inputs = nil }), []string{"operator 0", "before anything writes it"}},
		{"another type", change(func(m *model.Model) { m.Subgraphs[0].Tensors[1].Type = model.TypeInt64 }), []string{"operator 0 (RELU", "reads float32 and writes int64"}},
		{"no quantisation", change(func(m *model.Model) {
			m.Subgraphs[0].Tensors[0].Type, m.Subgraphs[0].Tensors[1].Type = model.TypeInt8, model.TypeInt8
		}), []string{"operator 0 (RELU", "quantisation"}},
		{"what only TFLite knows", grouped(), []string{"operator 0 (CONV_2D version 1): conv.cc", "(8 != 4)"}},
	} {
		for kernels, open := range kernelSets {
			e, err := open(c.file, edged.Options{})
			if err == nil {
				err = e.Run()
				e.Close()
			}
			if err == nil {
				t.Errorf("%s, %s: no error", c.name, kernels)
				continue
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%s, %s: %q lacks %q or is not one line", c.name, kernels, err, w)
				}
			}
		}
	}
}

func TestEveryNPMModelRuns(t *testing.T) {
	for _, name := range []string{"pose_landmark_lite", "pose_landmark_full", "face_detection_short_range",
		"face_detection_full_range", "face_detection_full_range_sparse"} {
		file := npmModel(t, name)
		if err := Try(file, edged.Options{}); err != nil {
			t.Errorf("%s, xnnpack: %v", name, err)
		}
		if err := TryBuiltin(file, edged.Options{}); err != nil {
			t.Errorf("%s, builtin: %v", name, err)
		}
	}
	if err := Try(npmModel(t, "selfie_segmentation"), edged.Options{}); err == nil {
		t.Error("selfie_segmentation loads, though TFLite lacks its custom operator")
	}
}

// A shape that is computed at run time: outputs are described after Run, and
// XNNPACK, which takes no such graph, says so in the name.
func TestShapesThatDependOnValues(t *testing.T) {
	b := model.NewBuilder()
	x := b.Input("x", model.TypeFloat32, 1, 6)
	m := b.Model(b.Op(model.OpReshape, &model.ReshapeOptions{NewShape: []int32{1, 6}}, x, b.Ints(1, 6)))
	sg := m.Subgraphs[0]
	shape := sg.Operators[0].Inputs[1]
	sg.Tensors[shape].Buffer = 0
	sg.Inputs = append(sg.Inputs, shape)
	for kernels, open := range kernelSets {
		e, err := open(written(t, m), edged.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		if kernels == "xnnpack" && e.Name() != nameBuiltin+" (xnnpack refuses shapes that depend on values)" {
			t.Errorf("name %q", e.Name())
		}
		copy(edged.View[float32](e.Input(0)), []float32{1, 2, 3, 4, 5, 6})
		for _, want := range [][2]int32{{2, 3}, {3, 2}, {6, 1}} {
			copy(edged.View[int32](e.Input(1)), want[:])
			if err := e.Run(); err != nil {
				t.Fatal(err)
			}
			got := e.Outputs()[0].Shape
			if got[0] != int(want[0]) || got[1] != int(want[1]) || edged.View[float32](e.Output(0))[5] != 6 {
				t.Errorf("%s: output %v %v, want shape %v", kernels, got, e.Output(0), want)
			}
		}
		copy(edged.View[int32](e.Input(1)), []int32{4, 2})
		if err := e.Run(); err == nil || !strings.Contains(err.Error(), "operator 0 (RESHAPE version 1)") {
			t.Errorf("%s: six elements in 4x2: %v", kernels, err)
		}
	}
}

// XNNPACK fixes the padding of a window shorter than its stride at load, so
// such a model keeps its size there, and takes any on the builtin kernels.
func TestResizeWithShortWindows(t *testing.T) {
	file := written(t, strided(false, 6, 6, 2, 3))
	for kernels, open := range kernelSets {
		e, err := open(file, edged.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		if err := e.Resize(0, []int{1, 6, 6, 1}); err != nil {
			t.Errorf("%s: the same size: %v", kernels, err)
		}
		err = e.Resize(0, []int{1, 7, 7, 1})
		if refused := err != nil && strings.Contains(err.Error(), "SAME window"); refused != (kernels == "xnnpack") {
			t.Errorf("%s: another size: %v", kernels, err)
		}
	}
	e, err := Open(written(t, strided(true, 6, 7, 2, 3)), edged.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if want := nameBuiltin + " (xnnpack refuses operator 0 (DEPTHWISE_CONV_2D version 1))"; e.Name() != want {
		t.Errorf("name %q, want %q", e.Name(), want)
	}
}

// Every element type that edged exchanges, through CAST.
func TestElementTypes(t *testing.T) {
	types := map[model.TensorType]edged.DType{
		model.TypeFloat32: edged.Float32, model.TypeInt8: edged.Int8, model.TypeUint8: edged.Uint8, model.TypeInt32: edged.Int32,
		model.TypeInt64: edged.Int64, model.TypeBool: edged.Bool, model.TypeInt16: edged.Int16,
	}
	for from, want := range types {
		b := model.NewBuilder()
		x := b.Input("x", from, 3)
		o := &model.CastOptions{InDataType: from, OutDataType: model.TypeFloat32}
		m := b.Model(b.Op(model.OpCast, o, x))
		m.Subgraphs[0].Tensors[m.Subgraphs[0].Outputs[0]].Type = model.TypeFloat32
		e, err := Open(written(t, m), edged.Options{})
		if err != nil {
			t.Errorf("%s: %v", from, err)
			continue
		}
		if got := e.Inputs()[0]; got.Type != want || len(e.Input(0)) != 3*want.Size() {
			t.Errorf("%s: input %v of %d bytes", from, got, len(e.Input(0)))
		}
		if err := e.Run(); err != nil {
			t.Errorf("%s: %v", from, err)
		}
		e.Close()
	}
}

// go-tflite's Error constant is OK again; nothing may compare with it.
func TestStatusOfGoTFLite(t *testing.T) {
	if statusDelegateError == 0 || statusApplicationError == 0 {
		t.Fatal("a failure equals OK")
	}
}
