package rewrite

import (
	"testing"

	"edged"
	"edged/fallback"
	"edged/model"
)

// TestProofAsksForPlainSums: whole-number nets must agree bit for bit, which
// Winograd's sixths and twenty-fourths would spoil; so every engine of a proof
// is asked for plain summation, but the one that runs as the daemon does.
func TestProofAsksForPlainSums(t *testing.T) {
	base := wholeNumberNet(t)
	m, err := model.Read(base)
	if err != nil {
		t.Fatal(err)
	}
	result, err := Rewrite(m, "", Options{Input: [2]int{48, 48}})
	if err != nil {
		t.Fatal(err)
	}
	dense, err := result.Model.Write()
	if err != nil {
		t.Fatal(err)
	}
	opened, fast := 0, 0
	open := func(m []byte, o edged.Options) (edged.Engine, error) {
		if opened++; !o.Exact {
			fast++
		}
		return fallback.Open(m, o)
	}
	r, err := Verify(base, dense, open, VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if fast != 1 || r.AsRunDiff == nil {
		t.Errorf("%d engines were opened without Exact, want the one that runs as the daemon does, and its difference told: %v", fast, r.AsRunDiff)
	}
	if opened < 3 || !r.Equivalent || !r.BitIdentical {
		t.Errorf("%d engines opened, equivalent %t, bit identical %t", opened, r.Equivalent, r.BitIdentical)
	}
}

// wholeNumberNet is 3x3 convolutions wide enough for Winograd around a strided
// pool, with weights of -1, 0 and 1.
func wholeNumberNet(t *testing.T) []byte {
	b := model.NewBuilder()
	conv := func(x model.Ref, n int) model.Ref {
		in := b.Shape(x)[3]
		w := make([]float32, n*9*in)
		for i := range w {
			w[i] = float32(i*7%5%3 - 1)
		}
		return b.Conv2D(x, model.Const(b, "w"+string(rune('a'+n%26)), []int{n, 3, 3, in}, w), model.Const(b, "b"+string(rune('a'+n%26)), []int{n}, make([]float32, n)),
			model.Conv2DOptions{Padding: model.PaddingValid, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1})
	}
	x := conv(b.Input("x", model.TypeFloat32, 1, 10, 10, 3), 16)
	x = b.MaxPool(x, model.Pool2DOptions{Padding: model.PaddingValid, FilterHeight: 2, FilterWidth: 2, StrideH: 2, StrideW: 2})
	file, err := b.Model(conv(x, 17)).Write()
	if err != nil {
		t.Fatal(err)
	}
	return file
}
