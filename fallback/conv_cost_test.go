package fallback

import (
	"math/rand/v2"
	"testing"

	"edged"
	"edged/internal/kernel/conv"
	"edged/internal/kernel/cpu"
	"edged/model"
)

// chosen is the way in which the net's convolution is computed.
func chosen(t *testing.T, data []byte, o edged.Options) StepInfo {
	t.Helper()
	info, err := Describe(data, o)
	if err != nil {
		t.Fatal(err)
	}
	return info.Steps[len(info.Steps)-1]
}

// TestChoiceFollowsTheRates: the same layer on two machines, for every number
// of threads; and never where results must be exact.
func TestChoiceFollowsTheRates(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	b := model.NewBuilder()
	x := b.Input("x", model.TypeFloat32, 1, 32, 32, 16)
	y := b.Conv2D(x, model.Const(b, "", []int{16, 3, 3, 16}, randoms(r, 16*9*16)), model.None, model.Conv2DOptions{})
	data := file(t, b, y)
	best := cpu.Available()[len(cpu.Available())-1]
	t.Setenv(cpu.EnvVariable, string(best))
	for rates, want := range map[string]string{"1,1,1,1": "winograd f32", "1,1,0.01,1": "direct f32", "1,0.2,1,1": "direct f32", "100,100,100,0.01": "direct f32"} {
		t.Setenv(conv.RatesVariable, rates)
		for threads := 1; threads < 9; threads++ {
			s := chosen(t, data, edged.Options{Threads: threads})
			if s.Kernel != want || len(s.Choice) != 2 || s.Choice[0].Kernel != want || s.Choice[0].MS <= 0 {
				t.Errorf("rates %s, %d threads: %+v, want %s", rates, threads, s, want)
			}
		}
		if s := chosen(t, data, edged.Options{Exact: true}); s.Kernel == "winograd f32" || s.Choice != nil {
			t.Errorf("rates %s, exact: %+v", rates, s)
		}
	}
	t.Setenv(conv.RatesVariable, "1,1")
	if _, err := Open(data, edged.Options{}); err == nil {
		t.Error("two rates were taken")
	}
}

// TestPredictionCounts: products, transforms and weights of a layer that fills
// its tiles, and of a dilated one that does not.
func TestPredictionCounts(t *testing.T) {
	one := window{k: 3, stride: 1, dilate: 1, out: 8}
	s := &convShape{n: 2, c: 16, oc: 20, groups: 1, y: one, x: one}
	unit := &conv.Rates{Direct: 1e-6, Products: 1e-6, Transform: 1e-6, Memory: 4e-6}
	if got, want := s.directMS(unit), float64(2*64*9*16*24+9*16*24); got != want {
		t.Errorf("direct %g, want %g", got, want)
	}
	if got, want := s.winogradMS(unit), float64(2*4*36*(16*24+16+24)+36*16*24); got != want {
		t.Errorf("Winograd %g, want %g", got, want)
	}
	for _, c := range []struct{ n, dilate, want int }{{8, 1, 2}, {9, 1, 3}, {8, 2, 2}, {9, 2, 3}, {3, 4, 3}, {17, 4, 5}} {
		if got := tilesOf(c.n, c.dilate); got != c.want {
			t.Errorf("%d outputs, dilation %d: %d tiles, want %d", c.n, c.dilate, got, c.want)
		}
	}
}
