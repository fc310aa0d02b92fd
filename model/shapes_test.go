package model_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"edged/model"
)

// The shapes of every case, kept: the test with TFLite proves them, this one
// guards them where there is no TFLite.
func TestShapesAreAsKept(t *testing.T) {
	var s strings.Builder
	for _, name := range slices.Sorted(maps.Keys(every)) {
		fmt.Fprintf(&s, "%s\n", name)
		b := model.NewBuilder()
		m, err := b.Build(every[name](b)...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, id := range m.Subgraphs[0].Outputs {
			x := m.Subgraphs[0].Tensors[id]
			fmt.Fprintf(&s, "  %v%s\n", x.Type, model.FormatShape(x.Shape))
		}
	}
	const golden = "testdata/shapes.txt"
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(golden, []byte(s.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), s.String()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// A graph takes another input size without being built again.
func TestInferShapesFollowsTheInput(t *testing.T) {
	b := model.NewBuilder()
	x := image(b, 32, 32, 3)
	y := b.Conv2D(x, floats(b, 8, 3, 3, 3), model.None, model.Conv2DOptions{StrideH: 2, StrideW: 2})
	y = b.MaxPool(y, model.Pool2DOptions{Padding: model.PaddingValid, FilterHeight: 2, FilterWidth: 2, StrideH: 2, StrideW: 2})
	m := b.Model(y)
	m.Subgraphs[0].Tensors[x].Shape = []int32{2, 65, 40, 3}
	m.Subgraphs[0].Tensors[y].ShapeSignature = []int32{-1, 8, 8, 8}
	if err := m.InferShapes(0); err != nil {
		t.Fatal(err)
	}
	if got := m.Subgraphs[0].Tensors[y].Shape; !slices.Equal(got, []int32{2, 16, 10, 8}) {
		t.Errorf("shape %v", got)
	}
	if got := m.Subgraphs[0].Tensors[y].ShapeSignature; !slices.Equal(got, []int32{-1, 16, 10, 8}) {
		t.Errorf("signature %v", got)
	}
}

// Contradictions are named, not computed with.
func TestShapesRefuse(t *testing.T) {
	none := [2]int{}
	for name, c := range map[string]struct {
		build func(b *model.Builder) model.Ref
		want  string
	}{
		"channels": {func(b *model.Builder) model.Ref {
			return b.Conv2D(image(b, 8, 8, 3), floats(b, 4, 3, 3, 2), model.None, model.Conv2DOptions{})
		}, "does not fit 3 input channels"},
		"filter too large": {func(b *model.Builder) model.Ref {
			return b.MaxPool(image(b, 4, 8, 1), model.Pool2DOptions{Padding: model.PaddingValid, FilterHeight: 5, FilterWidth: 1})
		}, "height: a filter of 5"},
		"negative stride": {func(b *model.Builder) model.Ref {
			return b.AvgPool(image(b, 4, 8, 1), model.Pool2DOptions{StrideW: -1})
		}, "width: filter 1, stride -1"},
		"unknown padding": {func(b *model.Builder) model.Ref {
			return b.AvgPool(image(b, 4, 8, 1), model.Pool2DOptions{Padding: 7})
		}, "padding(7)"},
		"broadcast": {func(b *model.Builder) model.Ref {
			return b.Add(image(b, 4, 4, 3), b.Input("y", model.TypeFloat32, 4, 3, 3), model.ActNone)
		}, "do not broadcast"},
		"concatenation": {func(b *model.Builder) model.Ref {
			return b.Concat(3, image(b, 4, 4, 3), b.Input("y", model.TypeFloat32, 1, 4, 5, 3))
		}, "does not join"},
		"axis":         {func(b *model.Builder) model.Ref { return b.Mean(image(b, 4, 4, 3), true, 4) }, "axis 4 of 4"},
		"reshape":      {func(b *model.Builder) model.Ref { return b.Reshape(image(b, 4, 4, 3), 5, -1) }, "does not become"},
		"two unknowns": {func(b *model.Builder) model.Ref { return b.Reshape(image(b, 4, 4, 3), -1, -1) }, "sizes [-1 -1]"},
		"negative pad": {func(b *model.Builder) model.Ref { return b.Pad(image(b, 4, 4, 3), none, [2]int{-1, 0}, none, none) }, "pads"},
		"too few pads": {func(b *model.Builder) model.Ref { return b.Pad(image(b, 4, 4, 3), none) }, "2 pads for 4 dimensions"},
		"block": {func(b *model.Builder) model.Ref {
			return b.SpaceToBatch(image(b, 5, 4, 3), [2]int{2, 2}, [2][2]int{})
		}, "does not divide 5"},
		"crop": {func(b *model.Builder) model.Ref {
			return b.BatchToSpace(b.Input("x", model.TypeFloat32, 4, 1, 1, 1), [2]int{2, 2}, [2][2]int{{2, 1}, {0, 0}})
		}, "dimension -1"},
		"permutation": {func(b *model.Builder) model.Ref { return b.Transpose(image(b, 4, 4, 3), 0, 1, 1, 3) }, "permutation"},
		"slice": {func(b *model.Builder) model.Ref {
			return b.Slice(image(b, 4, 4, 3), []int{0, 2, 0, 0}, []int{1, 3, 4, 3})
		}, "3 elements from 2"},
		"stride 0": {func(b *model.Builder) model.Ref {
			return b.StridedSlice(image(b, 4, 4, 3), []int{0}, []int{1}, []int{0}, model.StridedSliceOptions{})
		}, "stride 0"},
		"index": {func(b *model.Builder) model.Ref {
			return b.StridedSlice(image(b, 4, 4, 3), []int{0, 4}, []int{0, 0}, []int{1, 1}, model.StridedSliceOptions{ShrinkAxisMask: 2})
		}, "index 4 of a dimension of 4"},
		"overflow": {func(b *model.Builder) model.Ref {
			return b.Op(model.OpTile, &model.TileOptions{}, b.Input("x", model.TypeInt8, 1<<30, 1<<30), b.Ints(1<<30, 1<<30))
		}, "times"},
		"too many elements": {func(b *model.Builder) model.Ref {
			return b.Op(model.OpFill, &model.FillOptions{}, b.Ints(1<<30, 1<<30, 1<<30), scalar(b, 1))
		}, "too many elements"},
		"data": {func(b *model.Builder) model.Ref {
			return b.Op(model.OpReshape, &model.ReshapeOptions{}, image(b, 4, 4, 3), b.Input("shape", model.TypeInt32, 2))
		}, "depends on the data of input 1"},
		"other options": {func(b *model.Builder) model.Ref {
			return b.Op(model.OpConv2D, &model.Pool2DOptions{}, image(b, 4, 4, 3), floats(b, 1, 1, 1, 3))
		}, "options are of type *model.Pool2DOptions"},
		"no rule":       {func(b *model.Builder) model.Ref { return b.Op(model.OpWhere, nil, image(b, 4, 4, 3)) }, "(WHERE): no shape rule"},
		"missing input": {func(b *model.Builder) model.Ref { return b.Op(model.OpRelu, nil) }, "input 0 is missing"},
	} {
		b := model.NewBuilder()
		_, err := b.Build(c.build(b))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}
