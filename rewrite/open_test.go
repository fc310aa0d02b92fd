package rewrite

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"edged/fallback"
	"edged/model"
)

// sameNet is a net that pads, at h x w: TF pads even sizes otherwise than odd ones.
func sameNet(h, w int) *model.Model {
	b := newMaker(46, model.TypeFloat32)
	x := b.conv(b.input(h, w, 3), 8, square(3, 2).same())
	return b.Model(b.conv(x, 4, square(3, 1).same()))
}

func validNet(h, w int) *model.Model {
	b := newMaker(47, model.TypeFloat32)
	x := b.maxPool(b.conv(b.input(h, w, 3), 8, square(3, 2)), square(2, 2))
	return b.Model(b.conv(x, 4, square(3, 1)))
}

// TestOpenSizeIsGivenFirst: a net whose size is open, rewritten at a size, is the
// net compiled at that size, rewritten. The place-holder of 1x1 once gave it a
// padding of its own.
func TestOpenSizeIsGivenFirst(t *testing.T) {
	for _, size := range [][2]int{{16, 16}, {17, 20}, {8, 31}} {
		fixed := sameNet(size[0], size[1])
		open := opened(fixed)
		want, err := Rewrite(fixed, "", Options{Input: size})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Rewrite(open, "", Options{Input: size})
		if err != nil {
			t.Fatal(err)
		}
		if a, b := graphSHA(t, want.Model), graphSHA(t, got.Model); a != b {
			t.Errorf("at %v: graph %s, the fixed net gives %s", size, b, a)
		}
		if !slices.Equal(got.Outputs, want.Outputs) || got.Contract != Frame {
			t.Errorf("at %v: %+v, the fixed net gives %+v", size, got.Outputs, want.Outputs)
		}
		verifiedAs(t, open, got)
		verifiedAs(t, fixed, got)
	}
}

func graphSHA(t *testing.T, m *model.Model) string {
	t.Helper()
	c, err := canonicalOf(m)
	if err != nil {
		t.Fatal(err)
	}
	return c.sha()
}

// TestOpenSizeNotGiven: without a size nothing can be said.
func TestOpenSizeNotGiven(t *testing.T) {
	open := opened(sameNet(16, 16))
	var usage *UsageError
	if _, err := Rewrite(open, "", Options{}); !errors.As(err, &usage) || !strings.Contains(err.Error(), "--input HxW") {
		t.Errorf("no size: %v", err)
	}
	if open.OpenSize() != "[-1,-1,-1,3]" {
		t.Errorf("signature %q", open.OpenSize())
	}
}

// TestOpenBatchIsOne: exporters leave the batch open, and that alone.
func TestOpenBatchIsOne(t *testing.T) {
	m := sameNet(16, 15)
	in := m.Subgraphs[0].Tensors[m.Subgraphs[0].Inputs[0]]
	in.ShapeSignature = []int32{-1, 16, 15, 3}
	in.Shape = []int32{8, 16, 15, 3}
	r, err := Rewrite(m, "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s := r.Model.Subgraphs[0].Tensors[r.Model.Subgraphs[0].Inputs[0]].Shape; !slices.Equal(s, []int32{1, 16, 15, 3}) {
		t.Errorf("input %v", s)
	}
	verifiedAs(t, m, r)
}

// TestOpenSizeBelowTheNet: a size at which nothing is left is refused, and one
// open axis beside a fixed one is a size too.
func TestOpenSizeBelowTheNet(t *testing.T) {
	m := validNet(20, 22)
	if _, err := Rewrite(opened(m), "", Options{Input: [2]int{2, 2}}); asRefusal(err) == nil {
		t.Errorf("a frame of 2x2: %v", err)
	}
	half := sameNet(16, 16)
	in := half.Subgraphs[0].Tensors[half.Subgraphs[0].Inputs[0]]
	in.Shape, in.ShapeSignature = []int32{1, 16, 1, 3}, []int32{1, 16, -1, 3}
	r, err := Rewrite(half, "", Options{Input: [2]int{16, 24}})
	if err != nil {
		t.Fatal(err)
	}
	verifiedAs(t, half, r)
}

// TestOpenWithoutPadding: no engine loads such a net at its place-holder.
func TestOpenWithoutPadding(t *testing.T) {
	m := opened(validNet(20, 22))
	r, err := Rewrite(m, "", Options{Input: [2]int{26, 24}})
	if err != nil {
		t.Fatal(err)
	}
	verifiedAs(t, m, r)
}

// TestAnotherOpenNetIsRefuted: one weight is another.
func TestAnotherOpenNetIsRefuted(t *testing.T) {
	m := opened(sameNet(16, 16))
	r, err := Rewrite(m, "", Options{Input: [2]int{18, 16}})
	if err != nil {
		t.Fatal(err)
	}
	other := m.Clone()
	for _, b := range other.Buffers {
		if len(b.Data) > 400 {
			b.Data = slices.Clone(b.Data)
			b.Data[3] ^= 0x80
			break
		}
	}
	base, _ := other.Write()
	dense, _ := r.Model.Write()
	for _, blackBox := range []bool{false, true} {
		if v, err := Verify(base, dense, fallback.Open, VerifyOptions{BlackBox: blackBox}); err != nil || v.Level != Refuted {
			t.Errorf("black box %v: %+v, %v", blackBox, v, err)
		}
	}
}
