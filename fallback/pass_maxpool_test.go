package fallback

import (
	"math/rand/v2"
	"slices"
	"testing"

	"edged"
	"edged/internal/kernel/conv"
	"edged/model"
)

// pooled are graphs on [2, 20, 17, 16] with a max pool; steps is how many they
// take where the pool's reader computes it.
var pooled = []struct {
	name  string
	steps int
	build func(g *grapher, x model.Ref) []model.Ref
}{
	{"winograd", 1, func(g *grapher, x model.Ref) []model.Ref {
		a := g.Op(model.OpMaxPool2D, &model.Pool2DOptions{Padding: model.PaddingValid, StrideH: 1, StrideW: 1, FilterHeight: 3, FilterWidth: 2}, x)
		return []model.Ref{a, g.Conv2D(a, g.weights(13, 3, 3, 16), g.bias(13), model.Conv2DOptions{Activation: model.ActRelu})}
	}},
	{"winograd of a dilated pool", 1, func(g *grapher, x model.Ref) []model.Ref {
		none := [2][2]int{{0, 0}, {0, 1}}
		a := g.SpaceToBatch(x, [2]int{2, 2}, none)
		b := g.Op(model.OpMaxPool2D, &model.Pool2DOptions{Padding: model.PaddingValid, StrideH: 1, StrideW: 1, FilterHeight: 2, FilterWidth: 2}, a)
		c := g.BatchToSpace(b, [2]int{2, 2}, none)
		return []model.Ref{a, b, c, g.Conv2D(c, g.weights(16, 3, 3, 16), g.bias(16), model.Conv2DOptions{Padding: model.PaddingValid})}
	}},
	{"direct", 2, func(g *grapher, x model.Ref) []model.Ref {
		a := g.Op(model.OpMaxPool2D, &model.Pool2DOptions{Padding: model.PaddingValid, StrideH: 1, StrideW: 1, FilterHeight: 2, FilterWidth: 2}, x)
		return []model.Ref{a, g.Conv2D(a, g.weights(7, 1, 1, 16), g.bias(7), model.Conv2DOptions{})}
	}},
}

// TestPoolAhead compares every graph with itself where the tensors between are
// outputs too, and on other numbers of threads, bit for bit.
func TestPoolAhead(t *testing.T) {
	t.Setenv(conv.RatesVariable, "1,1,1,1") // Winograd pays, whatever this machine is
	for _, p := range pooled {
		t.Run(p.name, func(t *testing.T) {
			build := func(all bool, threads int) *Engine {
				g := &grapher{Builder: model.NewBuilder(), typ: model.TypeFloat32, r: rand.New(rand.NewPCG(1, 1))}
				chain := p.build(g, g.in(2, 20, 17, 16))
				outputs := chain[len(chain)-1:]
				if all {
					outputs = append(outputs, chain[:len(chain)-1]...)
				}
				return open(t, file(t, g.Builder, outputs...), edged.Options{Threads: threads}).(*Engine)
			}
			alone, fused, plain := build(false, 1), build(false, 3), build(true, 2)
			if steps := len(fused.plan.steps); steps != p.steps {
				t.Errorf("%d steps, want %d", steps, p.steps)
			}
			sameOutput(t, alone, plain, model.TypeFloat32)
			sameOutput(t, fused, plain, model.TypeFloat32)
			if !slices.Equal(alone.Output(0), plain.Output(0)) || !slices.Equal(fused.Output(0), plain.Output(0)) {
				t.Error("other bits than unfused or on other threads")
			}
		})
	}
}
