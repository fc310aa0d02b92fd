package rewrite

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"edged/fallback"
	"edged/model"
)

// detector has two heads at two strides, flattened so that positions mix with
// channels, and joined.
func detector() *model.Model {
	b := newMaker(28, model.TypeFloat32)
	x := b.conv(b.conv(b.input(32, 32, 3), 8, square(3, 2).same()), 8, square(3, 2).same())
	near := b.Name(b.conv(x, 6, square(1, 1).bare()), "near")
	far := b.Name(b.conv(b.conv(x, 8, square(3, 2).same()), 6, square(1, 1).bare()), "far")
	return b.Model(b.Name(b.Concat(1, b.Reshape(near, 1, 192, 2), b.Reshape(far, 1, 48, 2)), "boxes"))
}

// TestCutsOfADetector: both maps in one file, each with its grid, both verified.
func TestCutsOfADetector(t *testing.T) {
	m := detector()
	_, err := Rewrite(m, "", Options{})
	if why := asRefusal(err); why == nil || !strings.Contains(why.Instead, "--cut maps") {
		t.Errorf("no way out in %v", err)
	}
	for _, o := range []Options{
		{Cuts: []string{"near", "far"}}, {Cuts: []string{"maps"}}, {Cuts: []string{"maps"}, OutputStride: [2]int{4, 4}},
		{Cuts: []string{"far", "near"}}, {Cuts: []string{"maps"}, Form: Shifts, OutputStride: [2]int{4, 4}},
	} {
		r, err := Rewrite(m, "", o)
		if err != nil {
			t.Fatalf("%v: %v", o.Cuts, err)
		}
		want := []string{"near", "far"}
		if o.Cuts[0] == "far" {
			want = o.Cuts
		}
		f, err := r.Model.Manifest()
		if err != nil || !slices.Equal(f.Cuts, want) || len(f.Outputs) != 2 {
			t.Errorf("%v: cuts %v, outputs %+v, %v", o.Cuts, f.Cuts, f.Outputs, err)
		}
		for i, x := range f.Outputs {
			if x.Tensor != want[i] || x.Grid.Stride == [2]float64{} {
				t.Errorf("%v: output %d is %+v", o.Cuts, i, x)
			}
		}
		verifiedAs(t, m, r)
	}
}

// TestSecondOutputIsCompared: a weight of the second head alone is another.
func TestSecondOutputIsCompared(t *testing.T) {
	m := detector()
	r, err := Rewrite(m, "", Options{Cuts: []string{"maps"}, OutputStride: [2]int{4, 4}})
	if err != nil {
		t.Fatal(err)
	}
	g := m.Subgraphs[0]
	last := g.Operators[slices.IndexFunc(g.Operators, func(op *model.Operator) bool { return g.Tensors[op.Outputs[0]].Name == "far" })]
	data := m.Buffers[g.Tensors[last.Inputs[1]].Buffer]
	data.Data = slices.Clone(data.Data)
	data.Data[3] ^= 0x80
	base, _ := m.Write()
	dense, _ := r.Model.Write()
	for _, blackBox := range []bool{false, true} {
		if v, err := Verify(base, dense, fallback.Open, VerifyOptions{BlackBox: blackBox}); err != nil || v.Level != Refuted {
			t.Errorf("black box %v: %+v, %v", blackBox, v, err)
		}
	}
}

// TestCutsThatAreNone: twice, unknown, the input.
func TestCutsThatAreNone(t *testing.T) {
	var usage *UsageError
	for _, cuts := range [][]string{{"near", "near"}, {"near", "nowhere"}, {"maps", "near"}} {
		if _, err := Rewrite(detector(), "", Options{Cuts: cuts}); !errors.As(err, &usage) {
			t.Errorf("%v: %v", cuts, err)
		}
	}
	b := newMaker(29, model.TypeFloat32)
	list := b.Model(b.Reshape(b.input(8, 8, 3), 1, 96, 2))
	if _, err := Rewrite(list, "", Options{Cuts: []string{"maps"}}); asRefusal(err) == nil || strings.Contains(err.Error(), `"x"`) {
		t.Errorf("a cut at the input: %v", err)
	}
}

// TestInputsThatNothingReads: of two inputs the cut leaves one.
func TestInputsThatNothingReads(t *testing.T) {
	b := newMaker(30, model.TypeFloat32)
	other := b.q(b.Input("other", model.TypeFloat32, 1, 8, 8, 4))
	x := b.Name(b.conv(b.input(16, 16, 3), 4, square(3, 2).same()), "features")
	m := b.Model(b.Name(b.Add(x, other, model.ActNone), "sum"))
	if _, err := Rewrite(m, "", Options{}); asRefusal(err) == nil {
		t.Errorf("two inputs: %v", err)
	}
	r, err := Rewrite(m, "", Options{Cuts: []string{"features"}, Input: [2]int{18, 17}})
	if err != nil {
		t.Fatal(err)
	}
	verifiedAs(t, m, r)
}
