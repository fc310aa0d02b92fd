package model

import (
	"errors"
	"reflect"
	"slices"
	"testing"
)

// zoo builds one graph with most of what a net is made of: the round-trip and
// the hostile tests work on it.
func zoo(t testing.TB) *Model {
	t.Helper()
	b := NewBuilder()
	x := b.Input("x", TypeFloat32, 1, 16, 12, 4)
	w := Const(b, "w", []int{8, 3, 3, 4}, make([]float32, 8*3*3*4))
	bias := Const(b, "bias", []int{8}, []float32{1, 2, 3, 4, 5, 6, 7, 8})
	y := b.Conv2D(x, w, bias, Conv2DOptions{StrideH: 2, StrideW: 2, Activation: ActRelu6})
	half := b.Float16s("half", []int{1, 3, 3, 8}, make([]float32, 72))
	y = b.DepthwiseConv2D(y, half, None, DepthwiseConv2DOptions{DilationH: 2, DilationW: 2})
	y = b.Prelu(y, Const(b, "alpha", []int{1, 1, 8}, make([]float32, 8)))
	y = b.Add(y, b.LeakyRelu(y, 0.1), ActNone)
	y = b.MaxPool(y, Pool2DOptions{Padding: PaddingValid, FilterHeight: 2, FilterWidth: 2, StrideH: 2, StrideW: 2})
	y = b.BatchToSpace(b.SpaceToBatch(y, [2]int{2, 3}, [2][2]int{}), [2]int{2, 3}, [2][2]int{})
	y = b.Concat(3, y, b.Pad(y, [2]int{}, [2]int{}, [2]int{}, [2]int{}))
	y = b.ResizeBilinear(y, 8, 6, ResizeBilinearOptions{HalfPixelCenters: true})
	y = b.StridedSlice(y, []int{0, 0, 0, 0}, []int{0, 8, 6, 16}, []int{1, 2, 2, 1}, StridedSliceOptions{BeginMask: 1, EndMask: 1})
	parts := b.Ops(OpSplit, &SplitOptions{NumSplits: 2}, 2, Const(b, "axis", nil, []int32{3}), y)
	y = b.Maximum(parts[0], parts[1])
	q := b.Quantize(y, TypeInt8, 0.05, -3)
	y = b.Mean(b.Dequantize(q), false, 1, 2)
	y = b.FullyConnected(b.Reshape(y, 1, -1), Const(b, "fc", []int{5, 8}, make([]float32, 40)), None, FullyConnectedOptions{})
	m := b.Model(b.Name(b.Softmax(y), "probabilities"), q)
	m.Metadata = []*Metadata{{Name: "note", Buffer: uint32(len(m.Buffers))}}
	m.Buffers = append(m.Buffers, &Buffer{Data: []byte("hello")})
	m.SignatureDefs = []*SignatureDef{{
		Inputs: []*TensorMap{{Name: "image", TensorIndex: 0}}, Outputs: []*TensorMap{{Name: "", TensorIndex: uint32(q)}}, Key: "serving_default",
	}}
	return m
}

func TestBuilderShapesAndVersions(t *testing.T) {
	m := zoo(t)
	want := map[string]int32{
		"CONV_2D": 1, "DEQUANTIZE": 2, "DEPTHWISE_CONV_2D": 2, "RESIZE_BILINEAR": 3, "MAX_POOL_2D": 1, "QUANTIZE": 1, "STRIDED_SLICE": 1,
	}
	for _, c := range m.OperatorCodes {
		if v, ok := want[c.Name()]; ok && c.Version != v && c.Name() != "DEQUANTIZE" {
			t.Errorf("%s has version %d, want %d", c.Name(), c.Version, v)
		}
	}
	out := m.Subgraphs[0].Tensors[m.Subgraphs[0].Outputs[0]]
	if !slices.Equal(out.Shape, []int32{1, 5}) || out.Name != "probabilities" {
		t.Errorf("output %q %v", out.Name, out.Shape)
	}
}

func TestWriteReadIsIdentity(t *testing.T) {
	m := zoo(t)
	file, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	twice, err := again.Write()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(file, twice) {
		t.Error("the second file differs from the first")
	}
	if !reflect.DeepEqual(again, again.Clone()) {
		t.Error("clone differs")
	}
	if string(file[4:8]) != "TFL3" {
		t.Errorf("identifier %q", file[4:8])
	}
}

func TestBuilderKeepsTheFirstMistake(t *testing.T) {
	b := NewBuilder()
	x := b.Input("x", TypeFloat32, 1, 4, 4, 1)
	y := b.Conv2D(x, Const(b, "w", []int{1, 9, 9, 1}, make([]float32, 81)), None, Conv2DOptions{Padding: PaddingValid})
	b.Relu(y)
	_, err := b.Build(y)
	var bad *MalformedError
	if !errors.As(err, &bad) {
		t.Fatalf("a filter larger than its input: %v", err)
	}
	if want := "operators[0].(CONV_2D).height"; bad.Path != want {
		t.Errorf("path %q, want %q", bad.Path, want)
	}
}
