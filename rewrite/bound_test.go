package rewrite

import (
	"math"
	"testing"

	"edged"
	"edged/fallback"
	"edged/model"
)

// values runs a float32 net on in and gives its first output in float64,
// computed by the engine.
func values(t *testing.T, m *model.Model, in []float32) []float64 {
	t.Helper()
	b, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	e, err := fallback.Open(b, edged.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	copy(edged.View[float32](e.Input(0)), in)
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	return realValues(e.Output(0), e.Outputs()[0])
}

// TestRangesHoldEveryValue: what a net computes lies in the ranges that the
// bound works with.
func TestRangesHoldEveryValue(t *testing.T) {
	tried := 0
	for seed := uint64(1); tried < 60; seed++ {
		m := draw(seed)
		if m == nil || m.Subgraphs[0].Tensors[m.Subgraphs[0].Inputs[0]].Type != model.TypeFloat32 {
			continue
		}
		tried++
		n, err := lift(m)
		if err != nil {
			t.Fatal(err)
		}
		out := n.outputs[0].val
		r := n.propagate(1)[out]
		if r == nil {
			t.Fatalf("net %d: no range for its output", seed)
		}
		in := make([]float32, n.input.n.area()*n.input.ch)
		rnd := newRandom(seed)
		for i := range in {
			in[i] = 2*rnd.Float32() - 1
		}
		for i, v := range values(t, m, in) {
			c := i % out.ch
			slack := r.err[c] + 1e-6
			if v < r.lo[c]-slack || v > r.hi[c]+slack {
				t.Fatalf("net %d channel %d: %g outside [%g, %g]", seed, c, v, r.lo[c], r.hi[c])
			}
			if r.err[c] < 0 || math.IsNaN(r.err[c]) {
				t.Fatalf("net %d channel %d: bound %g", seed, c, r.err[c])
			}
		}
	}
}

// TestBoundIsTheFormula on one convolution: 2 gamma_K (|W||x| + |b|).
func TestBoundIsTheFormula(t *testing.T) {
	b := model.NewBuilder()
	x := b.Input("x", model.TypeFloat32, 1, 4, 4, 2)
	w := model.Const(b, "w", []int{1, 1, 1, 2}, []float32{3, -4})
	y := b.Conv2D(x, w, model.Const(b, "b", []int{1}, []float32{5}), model.Conv2DOptions{Padding: model.PaddingValid, StrideH: 1, StrideW: 1})
	n, err := lift(b.Model(y))
	if err != nil {
		t.Fatal(err)
	}
	r := n.propagate(2)[n.outputs[0].val]
	want := 2 * gamma(3) * (3*2 + 4*2 + 5)
	if math.Abs(r.err[0]-want) > 1e-12 || r.lo[0] != 5-14 || r.hi[0] != 5+14 {
		t.Errorf("range [%g, %g] bound %g, want %g", r.lo[0], r.hi[0], r.err[0], want)
	}
}

func TestHalfFloats(t *testing.T) {
	for h, want := range map[uint16]float64{0x0000: 0, 0x3c00: 1, 0xc000: -2, 0x3555: 0.333251953125, 0x0001: 5.9604644775390625e-08, 0x7bff: 65504} {
		if got := halfFloat(h); got != want {
			t.Errorf("%#04x is %g, want %g", h, got, want)
		}
	}
	if !math.IsNaN(halfFloat(0x7e00)) {
		t.Error("a NaN became a number")
	}
}

// TestWholeNetsAreFound: bit identity is demanded exactly where sums are exact.
func TestWholeNetsAreFound(t *testing.T) {
	whole := func(w bool, pool bool) bool {
		b := newMaker(3, model.TypeFloat32)
		b.whole = w
		x := b.conv(b.input(12, 12, 2), 3, square(3, 2))
		if pool {
			x = b.avgPool(x, square(2, 1))
		}
		n, err := lift(b.Model(x))
		if err != nil {
			t.Fatal(err)
		}
		return (&verification{net: n}).integerNet()
	}
	if !whole(true, false) || whole(false, false) || whole(true, true) {
		t.Errorf("whole %v, fractions %v, averages %v", whole(true, false), whole(false, false), whole(true, true))
	}
}
