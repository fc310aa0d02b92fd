package fallback

import (
	"math/rand/v2"
	"testing"

	"edged"
	"edged/model"
)

// bordered are graphs on [2, 9, 10, 16]: tensors between, and outputs. copies
// is how many copies into a border are left, in float32 and in int8.
var bordered = []struct {
	name   string
	copies [2]int
	build  func(g *grapher, x model.Ref) (between, outputs []model.Ref)
}{
	{"one reader", [2]int{}, func(g *grapher, x model.Ref) (between, outputs []model.Ref) {
		a := g.pointwise(x, 8)
		return one(a), one(g.depth(a, 3, 1, 8))
	}},
	{"readers that want different borders", [2]int{}, func(g *grapher, x model.Ref) (between, outputs []model.Ref) {
		a := g.pointwise(x, 8)
		c := g.q(g.MaxPool(a, model.Pool2DOptions{FilterHeight: 3, FilterWidth: 2, StrideH: 2, StrideW: 1}))
		d := g.q(g.AvgPool(a, model.Pool2DOptions{FilterHeight: 2, FilterWidth: 3, StrideH: 1, StrideW: 1, Padding: model.PaddingValid}))
		return one(a), []model.Ref{g.depth(a, 5, 1, 8), g.depth(a, 3, 2, 8), c, d, g.pointwise(a, 5)}
	}},
	{"chain", [2]int{}, func(g *grapher, x model.Ref) (between, outputs []model.Ref) {
		a := g.pointwise(x, 8)
		b := g.depth(a, 3, 1, 8)
		return []model.Ref{a, b}, one(g.q(g.Conv2D(b, g.weights(4, 3, 3, 8), g.bias(4), model.Conv2DOptions{StrideH: 2, StrideW: 2})))
	}},
	{"residual", [2]int{0, 1}, func(g *grapher, x model.Ref) (between, outputs []model.Ref) {
		a := g.pointwise(x, 8)
		b := g.depth(a, 3, 1, 8)
		c := g.pointwise(b, 8)
		return []model.Ref{a, b}, one(g.q(g.Add(c, a, model.ActNone)))
	}},
	{"resized", [2]int{0, 1}, func(g *grapher, x model.Ref) (between, outputs []model.Ref) {
		b := g.q(g.ResizeBilinear(g.pointwise(x, 4), 17, 19, model.ResizeBilinearOptions{HalfPixelCenters: true}))
		return one(b), one(g.depth(b, 3, 1, 4))
	}},
	{"a reader that knows no borders", [2]int{1, 1}, func(g *grapher, x model.Ref) (between, outputs []model.Ref) {
		a := g.pointwise(x, 8)
		return one(a), []model.Ref{g.depth(a, 3, 1, 8), g.q(g.Unary(model.OpAbs, a))}
	}},
	{"a fully connected layer, which sees pixels in a row", [2]int{1, 1}, func(g *grapher, x model.Ref) (between, outputs []model.Ref) {
		a := g.pointwise(x, 8)
		return one(a), []model.Ref{g.depth(a, 3, 1, 8), g.q(g.FullyConnected(a, g.weights(5, 8), g.bias(5), model.FullyConnectedOptions{}))}
	}},
	{"a fully connected layer, which sees the map in a row", [2]int{1, 1}, func(g *grapher, x model.Ref) (between, outputs []model.Ref) {
		a := g.pointwise(x, 8)
		return one(a), []model.Ref{g.depth(a, 3, 1, 8), g.q(g.FullyConnected(a, g.weights(5, 720), g.bias(5), model.FullyConnectedOptions{}))}
	}},
	{"a fully connected layer that writes pixels in a row", [2]int{1, 1}, func(g *grapher, x model.Ref) (between, outputs []model.Ref) {
		a := g.q(g.FullyConnected(x, g.weights(8, 16), g.bias(8), model.FullyConnectedOptions{KeepNumDims: true}))
		return one(a), one(g.depth(a, 3, 1, 8))
	}},
	{"a reader through a reshape", [2]int{1, 1}, func(g *grapher, x model.Ref) (between, outputs []model.Ref) {
		a := g.pointwise(x, 8)
		return one(a), []model.Ref{g.depth(a, 3, 1, 8), g.q(g.Softmax(g.q(g.Reshape(a, 2, -1))))}
	}},
}

// TestBorderOfAView: a tensor that is a graph output in another shape has no border.
func TestBorderOfAView(t *testing.T) {
	for _, typ := range []model.TensorType{model.TypeFloat32, model.TypeInt8} {
		build := func(all bool) *Engine {
			g := &grapher{Builder: model.NewBuilder(), typ: typ, r: rand.New(rand.NewPCG(1, 1))}
			a := g.pointwise(g.in(2, 9, 10, 16), 8)
			outputs := []model.Ref{g.q(g.Reshape(a, 2, -1)), g.depth(a, 3, 1, 8)}
			if all {
				outputs = append(outputs, a)
			}
			return open(t, file(t, g.Builder, outputs...), edged.Options{Threads: 2}).(*Engine)
		}
		sameOutput(t, build(false), build(true), typ)
	}
}

// TestNoBorderBesideAView: a convolution that reads a tensor, and adds the same
// memory in a shape of its own, knows of one border only.
func TestNoBorderBesideAView(t *testing.T) {
	for _, k := range []int{1, 3} {
		build := func(all bool) *Engine {
			g := &grapher{Builder: model.NewBuilder(), typ: model.TypeFloat32, r: rand.New(rand.NewPCG(1, 1))}
			a := g.pointwise(g.in(2, 9, 10, 16), 8)
			v := g.Reshape(a, 2, 9, 10, 8)
			y := g.Add(g.Conv2D(a, g.weights(8, k, k, 8), g.bias(8), model.Conv2DOptions{}), v, model.ActNone)
			outputs := []model.Ref{y, g.depth(a, 3, 1, 8)}
			if all {
				outputs = append(outputs, a)
			}
			return open(t, file(t, g.Builder, outputs...), edged.Options{Threads: 2, Exact: true}).(*Engine)
		}
		sameOutput(t, build(false), build(true), model.TypeFloat32)
	}
}

func (g *grapher) pointwise(x model.Ref, to int) model.Ref {
	return g.q(g.Conv2D(x, g.weights(to, 1, 1, g.Shape(x)[3]), g.bias(to), model.Conv2DOptions{}))
}

func (g *grapher) depth(x model.Ref, k int, stride int32, c int) model.Ref {
	return g.q(g.DepthwiseConv2D(x, g.weights(1, k, k, c), g.bias(c), model.DepthwiseConv2DOptions{StrideH: stride, StrideW: stride}))
}

// TestBorders compares every graph with itself where the tensors between are
// outputs too, which have no border.
func TestBorders(t *testing.T) {
	for i, typ := range []model.TensorType{model.TypeFloat32, model.TypeInt8} {
		for _, s := range bordered {
			t.Run(s.name+" "+typ.String(), func(t *testing.T) {
				build := func(all bool) *Engine {
					g := &grapher{Builder: model.NewBuilder(), typ: typ, r: rand.New(rand.NewPCG(1, 1))}
					between, outputs := s.build(g, g.in(2, 9, 10, 16))
					if all {
						outputs = append(outputs, between...)
					}
					return open(t, file(t, g.Builder, outputs...), edged.Options{Threads: 2}).(*Engine)
				}
				with, without := build(false), build(true)
				if n := copies(with); n != s.copies[i] {
					t.Errorf("%d copies into a border, want %d", n, s.copies[i])
				}
				if copies(without) == 0 {
					t.Error("no copies where the tensors are outputs: nothing is compared")
				}
				sameOutput(t, with, without, typ)
			})
		}
	}
}

func copies(e *Engine) int {
	n := 0
	for _, s := range e.plan.steps {
		if s.how.routine == borderCopy {
			n++
		}
	}
	return n
}
