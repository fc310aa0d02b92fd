package fallback

import (
	"math/rand/v2"
	"testing"

	"edged/model"
)

// TestSpansKnowTheirPadding holds the closed form of what meets padding against a
// walk through the taps, for random chains of windows.
func TestSpansKnowTheirPadding(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 2))
	shared := 0
	for range 2000 {
		n := 8 + r.IntN(60)
		a := frameSpan(n+r.IntN(50), n, 1+r.IntN(4), 1+r.IntN(12))
		meets := make([]bool, n)
		for range 1 + r.IntN(5) {
			w := window{in: len(meets), k: 1 + r.IntN(5), stride: 1 + r.IntN(2), dilate: 1 + r.IntN(2)}
			if !w.resolve(model.Padding(r.IntN(2))) {
				break
			}
			a, meets = a.slide(w), slid(meets, w)
			if a.step%a.est != 0 {
				if a.units(inner) != 0 {
					t.Fatalf("%+v: windows that begin off the grid share units", a)
				}
				break
			}
			for j, m := range meets {
				if in := j >= a.lo && j < a.hi; in == m {
					t.Fatalf("%+v behind %+v: unit %d meets padding: %v", a, w, j, m)
				}
			}
			if a.units(inner) > 0 {
				shared++
			}
			if a.units(before)+a.units(after)+a.hi-a.lo != len(meets) {
				t.Fatalf("%+v: its parts are not %d units", a, len(meets))
			}
		}
	}
	if shared < 1000 {
		t.Errorf("only %d spans share anything", shared)
	}
}

// slid tells which units behind a window meet padding.
func slid(in []bool, w window) []bool {
	out := make([]bool, w.out)
	for j := range out {
		for k := range w.k {
			at := j*w.stride - w.before + k*w.dilate
			out[j] = out[j] || at < 0 || at >= len(in) || in[at]
		}
	}
	return out
}
