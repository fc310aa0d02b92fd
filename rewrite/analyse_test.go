package rewrite

import (
	"testing"

	"edged/model"

	"github.com/google/go-cmp/cmp"
)

// handNet is input 12x10 -> CONV 3x3 stride (2,1) VALID -> MAX_POOL 2x2 stride 2 SAME,
// written out so that the analysis is tested apart from the builder.
func handNet() *model.Model {
	weights := make([]byte, 4*3*3*1*2)
	return &model.Model{
		Version:       3,
		OperatorCodes: []*model.OperatorCode{{Builtin: model.OpConv2D, Version: 1}, {Builtin: model.OpMaxPool2D, Version: 1}},
		Buffers:       []*model.Buffer{{}, {Data: weights}},
		Subgraphs: []*model.Subgraph{{
			Inputs: []int32{0}, Outputs: []int32{3},
			Tensors: []*model.Tensor{
				{Shape: []int32{1, 12, 10, 1}, Name: "x"},
				{Shape: []int32{2, 3, 3, 1}, Name: "w", Buffer: 1},
				{Shape: []int32{1, 5, 8, 2}, Name: "c"},
				{Shape: []int32{1, 3, 4, 2}, Name: "p"},
			},
			Operators: []*model.Operator{
				{OpcodeIndex: 0, Inputs: []int32{0, 1, -1}, Outputs: []int32{2},
					Options: &model.Conv2DOptions{Padding: model.PaddingValid, StrideH: 2, StrideW: 1, DilationH: 1, DilationW: 1}},
				{OpcodeIndex: 1, Inputs: []int32{2}, Outputs: []int32{3},
					Options: &model.Pool2DOptions{Padding: model.PaddingSame, StrideH: 2, StrideW: 2, FilterHeight: 2, FilterWidth: 2}},
			},
		}},
	}
}

func TestAnalysePlacesEveryTensor(t *testing.T) {
	a := Analyse(handNet())
	want := &Place{Tensor: 3, EST: [2]int{4, 2}, Before: [2]int{0, 0}, Field: [2]int{5, 4}, Length: [2]int{3, 4}, Padded: [2]bool{true, false}, Channel: 2}
	if d := cmp.Diff(want, a.Places[3]); d != "" {
		t.Errorf("place of the output (-want +got):\n%s", d)
	}
	if a.Stride != [2]int{4, 2} || a.Field != [2]int{5, 4} {
		t.Errorf("stride %v, field %v", a.Stride, a.Field)
	}
	if want := int64(5 * 8 * 2 * 9); a.MACs != want {
		t.Errorf("MACs %d, want %d", a.MACs, want)
	}
	if a.Places[1] != nil {
		t.Error("a weight tensor has a place")
	}
}

func TestAnalyseSaysWhyThereIsNoGrid(t *testing.T) {
	m := handNet()
	m.OperatorCodes[1] = &model.OperatorCode{Builtin: model.OpCustom, Custom: "Odd"}
	a := Analyse(m)
	if a.Outputs[0] != nil || a.Why[0] == "" {
		t.Errorf("place %v, why %q", a.Outputs[0], a.Why[0])
	}
	if a.Ops[0].Out == nil {
		t.Error("the convolution before the unknown operator lost its place")
	}
}
