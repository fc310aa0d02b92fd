package fallback

import (
	"math/rand/v2"
	"testing"

	"edged"
	"edged/internal/kernel/conv"
	"edged/model"
)

// sums are graphs on [2, 14, 13, 16] that end in an ADD, and what follows
// "+ add" says how many of it a convolution takes.
var sums = []struct {
	name  string
	taken int
	build func(g *grapher, x model.Ref) []model.Ref
}{
	{"winograd", 1, func(g *grapher, x model.Ref) []model.Ref {
		a := g.Conv2D(x, g.weights(16, 3, 3, 16), g.bias(16), model.Conv2DOptions{})
		return []model.Ref{a, g.Add(a, x, model.ActNone)}
	}},
	{"pointwise, the sum's second operand", 1, func(g *grapher, x model.Ref) []model.Ref {
		a := g.Conv2D(x, g.weights(16, 1, 1, 16), g.bias(16), model.Conv2DOptions{})
		return []model.Ref{a, g.Add(x, a, model.ActRelu)}
	}},
	{"stride 2", 1, func(g *grapher, x model.Ref) []model.Ref {
		o := model.Conv2DOptions{StrideH: 2, StrideW: 2}
		a := g.Conv2D(x, g.weights(5, 3, 2, 16), g.bias(5), o)
		b := g.Conv2D(x, g.weights(5, 1, 1, 16), g.bias(5), o)
		return []model.Ref{a, b, g.Add(a, b, model.ActNone)}
	}},
	{"one channel", 1, func(g *grapher, x model.Ref) []model.Ref {
		a := g.Conv2D(x, g.weights(1, 1, 1, 16), g.bias(1), model.Conv2DOptions{})
		b := g.Conv2D(x, g.weights(1, 3, 3, 16), g.bias(1), model.Conv2DOptions{})
		return []model.Ref{a, b, g.Add(b, a, model.ActRelu)}
	}},
	{"depthwise, activation behind", 1, func(g *grapher, x model.Ref) []model.Ref {
		a := g.DepthwiseConv2D(x, g.weights(1, 3, 3, 16), g.bias(16), model.DepthwiseConv2DOptions{})
		b := g.Add(a, x, model.ActNone)
		return []model.Ref{a, b, g.Unary(model.OpRelu6, b)}
	}},
	{"a chain", 2, func(g *grapher, x model.Ref) []model.Ref {
		a := g.DepthwiseConv2D(x, g.weights(1, 3, 3, 16), g.bias(16), model.DepthwiseConv2DOptions{})
		b := g.Add(a, x, model.ActRelu)
		c := g.Conv2D(b, g.weights(16, 1, 1, 16), g.bias(16), model.Conv2DOptions{})
		return []model.Ref{a, c, g.Add(c, b, model.ActRelu)}
	}},
	{"an operand with fewer channels", 1, func(g *grapher, x model.Ref) []model.Ref {
		a := g.Conv2D(x, g.weights(21, 1, 1, 16), g.bias(21), model.Conv2DOptions{})
		return []model.Ref{a, g.Add(a, g.wider(x, 5), model.ActRelu)}
	}},
	{"fewer channels, no bias, border", 1, func(g *grapher, x model.Ref) []model.Ref {
		a := g.Conv2D(x, g.weights(48, 1, 1, 16), -1, model.Conv2DOptions{})
		b := g.Add(g.wider(x, 32), a, model.ActRelu)
		return []model.Ref{a, b, g.DepthwiseConv2D(b, g.weights(1, 3, 3, 48), g.bias(48), model.DepthwiseConv2DOptions{})}
	}},
	{"fewer channels, no whole vectors", 0, func(g *grapher, x model.Ref) []model.Ref {
		a := g.Conv2D(x, g.weights(5, 1, 1, 16), g.bias(5), model.Conv2DOptions{})
		b := g.Conv2D(x, g.weights(9, 1, 1, 16), g.bias(9), model.Conv2DOptions{})
		return []model.Ref{b, g.Add(g.wider(a, 4), b, model.ActNone)}
	}},
	{"depthwise, fewer channels", 0, func(g *grapher, x model.Ref) []model.Ref {
		y := g.Conv2D(x, g.weights(20, 1, 1, 16), g.bias(20), model.Conv2DOptions{})
		a := g.DepthwiseConv2D(y, g.weights(1, 3, 3, 20), g.bias(20), model.DepthwiseConv2DOptions{})
		return []model.Ref{a, g.Add(a, g.wider(x, 4), model.ActNone)}
	}},
	{"activation between", 0, func(g *grapher, x model.Ref) []model.Ref {
		a := g.Conv2D(x, g.weights(16, 1, 1, 16), g.bias(16), model.Conv2DOptions{Activation: model.ActRelu})
		return []model.Ref{a, g.Add(a, x, model.ActNone)}
	}},
	{"broadcast", 0, func(g *grapher, x model.Ref) []model.Ref {
		a := g.Conv2D(x, g.weights(1, 1, 1, 16), g.bias(1), model.Conv2DOptions{})
		return []model.Ref{a, g.Add(a, x, model.ActNone)}
	}},
	{"with itself", 0, func(g *grapher, x model.Ref) []model.Ref {
		a := g.Conv2D(x, g.weights(4, 1, 1, 16), g.bias(4), model.Conv2DOptions{})
		return []model.Ref{a, g.Add(a, a, model.ActNone)}
	}},
	{"an operand that comes later", 0, func(g *grapher, x model.Ref) []model.Ref {
		a := g.Conv2D(x, g.weights(16, 1, 1, 16), g.bias(16), model.Conv2DOptions{})
		b := g.Unary(model.OpAbs, x)
		return []model.Ref{a, b, g.Add(a, b, model.ActNone)}
	}},
}

// TestSums compares every graph with itself where the tensors between are
// outputs too, so that no convolution takes the sum.
func TestSums(t *testing.T) {
	t.Setenv(conv.RatesVariable, "1,1,1,1") // Winograd pays, whatever this machine is
	for _, s := range sums {
		t.Run(s.name, func(t *testing.T) {
			build := func(all bool) *Engine {
				g := &grapher{Builder: model.NewBuilder(), typ: model.TypeFloat32, r: rand.New(rand.NewPCG(1, 1))}
				chain := s.build(g, g.in(2, 14, 13, 16))
				outputs := chain[len(chain)-1:]
				if all {
					outputs = append(outputs, chain[:len(chain)-1]...)
				}
				return open(t, file(t, g.Builder, outputs...), edged.Options{Threads: 2}).(*Engine)
			}
			fused, plain := build(false), build(true)
			if n := takenSums(fused); n != s.taken {
				t.Errorf("convolutions take %d sums, want %d", n, s.taken)
			}
			if n := takenSums(plain); n != 0 {
				t.Errorf("convolutions take %d sums of what is an output", n)
			}
			sameOutput(t, fused, plain, model.TypeFloat32)
		})
	}
}

// wider is x with more channels, of zeros.
func (g *grapher) wider(x model.Ref, more int) model.Ref {
	return g.Pad(x, [2]int{0, 0}, [2]int{0, 0}, [2]int{0, 0}, [2]int{0, more})
}

func takenSums(e *Engine) int {
	n := 0
	for _, s := range e.plan.steps {
		if s.how.residual {
			n++
		}
	}
	return n
}
