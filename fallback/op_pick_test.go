package fallback

import (
	"errors"
	"slices"
	"testing"

	"edged"
	"edged/model"
)

// oneFrame runs one operator on int32 vectors and gives its first output.
func oneFrame(t *testing.T, code model.BuiltinOperator, options any, inputs ...[]int32) ([]int32, error) {
	t.Helper()
	b := model.NewBuilder()
	var in []model.Ref
	for _, v := range inputs {
		in = append(in, b.Input("x", model.TypeInt32, len(v)))
	}
	e := open(t, file(t, b, b.Op(code, options, in...)), edged.Options{Threads: 2})
	for i, v := range inputs {
		copy(edged.View[int32](e.Input(i)), v)
	}
	err := e.Run()
	return slices.Clone(edged.View[int32](e.Output(0))), err
}

// TestFrameFails: numbers that TFLite refuses fail the frame here too, and not
// the next one.
func TestFrameFails(t *testing.T) {
	for _, c := range []struct {
		name    string
		code    model.BuiltinOperator
		options any
		a, b    []int32
		want    error
	}{
		{"division by zero", model.OpFloorDiv, &model.FloorDivOptions{}, []int32{1, 2}, []int32{1, 0}, errDivisor},
		{"rest by zero", model.OpFloorMod, &model.FloorModOptions{}, []int32{1, 2}, []int32{0, 1}, errDivisor},
		{"negative exponent", model.OpPow, &model.PowOptions{}, []int32{1, 2}, []int32{3, -1}, errExponent},
		{"index behind the end", model.OpGatherND, &model.GatherNdOptions{}, []int32{1, 2}, []int32{2}, errIndices},
		{"negative index", model.OpGatherND, &model.GatherNdOptions{}, []int32{1, 2}, []int32{-1}, errIndices},
	} {
		if _, err := oneFrame(t, c.code, c.options, c.a, c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	got, err := oneFrame(t, model.OpFloorDiv, &model.FloorDivOptions{}, []int32{-7, 7, 7}, []int32{2, -2, 2})
	if err != nil || !slices.Equal(got, []int32{-4, -4, 3}) {
		t.Errorf("floor of quotients: %v, %v", got, err)
	}
}

// TestTopKOfEqualValues: the first of equal ones comes first, for every k.
func TestTopKOfEqualValues(t *testing.T) {
	row := []float32{1, 3, 3, 0, 3, 2, 1, 3}
	order := []int32{1, 2, 4, 7, 5, 0, 6, 3}
	for k := range len(row) + 1 {
		at := make([]int32, k)
		(&best[float32]{row, at}).run()
		if !slices.Equal(at, order[:k]) {
			t.Errorf("the best %d: %v, want %v", k, at, order[:k])
		}
	}
}

// TestChoosingAllocatesNothing: no frame of these operators asks for memory.
func TestChoosingAllocatesNothing(t *testing.T) {
	b := model.NewBuilder()
	x, y := b.Input("x", model.TypeFloat32, 3, 40), b.Input("y", model.TypeFloat32, 3, 1)
	index := b.Input("i", model.TypeInt32, 2, 2)
	greater := b.Op(model.OpGreater, &model.GreaterOptions{}, x, y)
	out := []model.Ref{
		b.Op(model.OpSelectV2, &model.SelectV2Options{}, greater, x, y),
		b.Op(model.OpGatherND, &model.GatherNdOptions{}, x, index),
		b.Op(model.OpFloorDiv, &model.FloorDivOptions{}, x, model.Const(b, "two", []int{1}, []float32{2})),
		b.Op(model.OpCumsum, &model.CumsumOptions{}, x, model.Const(b, "axis", nil, []int32{1})),
	}
	out = append(out, b.Ops(model.OpTopKV2, &model.TopKV2Options{}, 2, x, model.Const(b, "k", nil, []int32{5}))...)
	o := model.DetectionOptions{MaxDetections: 5, MaxClasses: 2, PerClass: 3, Classes: 4, IoUThreshold: 0.5, ScoreThreshold: -1, ScaleY: 1, ScaleX: 1, ScaleH: 1, ScaleW: 1}
	box, score := b.Input("box", model.TypeFloat32, 1, 30, 4), b.Input("score", model.TypeFloat32, 1, 30, 4)
	for _, o.Regular = range []bool{false, true} {
		out = append(out, b.Customs(model.OpDetectionPostProcess, o.Custom(), 4, box, score, model.Const(b, "anchors", []int{30, 4}, make([]float32, 120)))...)
	}
	number := func(v float32) model.Ref { return model.Const(b, "number", nil, []float32{v}) }
	out = append(out, b.Ops(model.OpNonMaxSuppressionV4, &model.NonMaxSuppressionV4Options{}, 2, b.Reshape(box, 30, 4),
		b.Input("s", model.TypeFloat32, 30), model.Const(b, "most", nil, []int32{7}), number(0.5), number(-1))...)
	e := open(t, file(t, b, out...), edged.Options{Threads: 2})
	if n := testing.AllocsPerRun(20, func() {
		if err := e.Run(); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("a frame allocates %v times", n)
	}
}
