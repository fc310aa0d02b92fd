package fallback

import (
	"math"
	"math/rand/v2"
	"testing"

	"edged"
	"edged/internal/kernel/conv"
	"edged/model"
)

// fusion is a graph that fuses to one operator: chain gives the intermediate
// tensors and last the result.
type fusion struct {
	name  string
	typ   model.TensorType
	fuses bool
	build func(g *grapher, x model.Ref) []model.Ref
}

func fusions() []fusion {
	conv := func(p model.Padding, d int32) func(g *grapher, x model.Ref) model.Ref {
		return func(g *grapher, x model.Ref) model.Ref {
			return g.q(g.Conv2D(x, g.weights(4, 3, 3, 3), g.bias(4), model.Conv2DOptions{Padding: p, DilationH: d, DilationW: 1}))
		}
	}
	depth := func(g *grapher, x model.Ref) model.Ref {
		return g.q(g.DepthwiseConv2D(x, g.weights(1, 3, 2, 3), g.bias(3), model.DepthwiseConv2DOptions{Padding: model.PaddingSame}))
	}
	pool := func(code model.BuiltinOperator, p model.Padding) func(g *grapher, x model.Ref) model.Ref {
		return func(g *grapher, x model.Ref) model.Ref {
			return g.q(g.Op(code, &model.Pool2DOptions{Padding: p, StrideH: 1, StrideW: 1, FilterHeight: 2, FilterWidth: 3}, x))
		}
	}
	// around puts an operator between S2B and B2S: pads on 11x10, block 2x3.
	around := func(op func(g *grapher, x model.Ref) model.Ref, pads, crops [2][2]int) func(g *grapher, x model.Ref) []model.Ref {
		return func(g *grapher, x model.Ref) []model.Ref {
			a := g.q(g.SpaceToBatch(x, [2]int{2, 3}, pads))
			b := op(g, a)
			return []model.Ref{a, b, g.q(g.BatchToSpace(b, [2]int{2, 3}, crops))}
		}
	}
	tail := [2][2]int{{0, 1}, {0, 2}}
	both := [2][2]int{{2, 3}, {1, 1}}
	var list []fusion
	add := func(name string, fuses bool, build func(g *grapher, x model.Ref) []model.Ref) {
		for _, typ := range []model.TensorType{model.TypeFloat32, model.TypeInt8} {
			list = append(list, fusion{name + " " + typ.String(), typ, fuses, build})
		}
	}
	add("dilated conv", true, around(conv(model.PaddingValid, 1), tail, tail))
	add("dilated conv that reads the padding", true, around(conv(model.PaddingValid, 1), both, [2][2]int{{0, 0}, {0, 0}}))
	add("dilated conv, SAME", true, around(conv(model.PaddingSame, 2), both, [2][2]int{{3, 0}, {0, 2}}))
	add("dilated depthwise", true, around(depth, tail, tail))
	add("dilated max pool", true, around(pool(model.OpMaxPool2D, model.PaddingValid), tail, tail))
	add("dilated average pool", true, around(pool(model.OpAveragePool2D, model.PaddingValid), tail, [2][2]int{{1, 1}, {0, 2}}))
	add("average pool that reads the padding", false, around(pool(model.OpAveragePool2D, model.PaddingValid), tail, [2][2]int{{0, 0}, {0, 0}}))
	add("max pool that reads the padding", false, around(pool(model.OpMaxPool2D, model.PaddingSame), tail, tail))
	add("padded conv", true, func(g *grapher, x model.Ref) []model.Ref {
		a := g.q(g.Pad(x, [2]int{0, 0}, [2]int{1, 2}, [2]int{0, 3}, [2]int{0, 0}))
		return []model.Ref{a, conv(model.PaddingValid, 1)(g, a)}
	})
	add("padded channels", false, func(g *grapher, x model.Ref) []model.Ref {
		a := g.q(g.Pad(x, [2]int{0, 0}, [2]int{1, 2}, [2]int{0, 3}, [2]int{0, 1}))
		return []model.Ref{a, g.q(g.Conv2D(a, g.weights(4, 3, 3, 4), g.bias(4), model.Conv2DOptions{Padding: model.PaddingValid}))}
	})
	add("padded dilated max pool", true, func(g *grapher, x model.Ref) []model.Ref {
		least := model.Const(g.Builder, "", []int{1}, []float32{float32(math.Inf(-1))})
		if g.typ == model.TypeInt8 {
			least = g.q(model.Const(g.Builder, "", []int{1}, []int8{-128}))
		}
		a := g.q(g.PadV2(x, least, [2]int{0, 0}, [2]int{2, 3}, [2]int{3, 2}, [2]int{0, 0}))
		return append([]model.Ref{a}, around(pool(model.OpMaxPool2D, model.PaddingValid), [2][2]int{{0, 0}, {0, 0}}, [2][2]int{{0, 0}, {0, 0}})(g, a)...)
	})
	list = append(list, fusion{"padded conv, weights in float16", model.TypeFloat32, true, func(g *grapher, x model.Ref) []model.Ref {
		a := g.Pad(x, [2]int{0, 0}, [2]int{1, 2}, [2]int{0, 3}, [2]int{0, 0})
		w := g.Float16s("w", []int{4, 3, 3, 3}, randoms(g.r, 4*3*3*3))
		return []model.Ref{a, g.Conv2D(a, w, g.bias(4), model.Conv2DOptions{Padding: model.PaddingValid})}
	}})
	list = append(list, fusion{"activation", model.TypeFloat32, true, func(g *grapher, x model.Ref) []model.Ref {
		a := conv(model.PaddingSame, 1)(g, x)
		return []model.Ref{a, g.Unary(model.OpRelu6, a)}
	}})
	return list
}

// TestFusionIsExact compares every graph with itself where the tensors between
// are outputs too, which forbids fusion.
func TestFusionIsExact(t *testing.T) {
	t.Setenv(conv.RatesVariable, "100,1,1,1") // no Winograd, which rounds each form in its own way
	for _, f := range fusions() {
		t.Run(f.name, func(t *testing.T) {
			build := func(all bool) *Engine {
				g := &grapher{Builder: model.NewBuilder(), typ: f.typ, r: rand.New(rand.NewPCG(1, 1))}
				h := 11
				if f.name[:6] == "padded" {
					h = 13
				}
				chain := f.build(g, g.in(2, h, 10, 3))
				outputs := chain[len(chain)-1:]
				if all {
					outputs = append(outputs, chain[:len(chain)-1]...)
				}
				return open(t, file(t, g.Builder, outputs...), edged.Options{Threads: 2}).(*Engine)
			}
			fusedNet, plain := build(false), build(true)
			if fuses := len(fusedNet.plan.steps) < len(plain.plan.steps); fuses != f.fuses {
				t.Errorf("%d steps, unfused %d: fuses %v, want %v", len(fusedNet.plan.steps), len(plain.plan.steps), fuses, f.fuses)
			}
			sameOutput(t, fusedNet, plain, f.typ)
		})
	}
}

// sameOutput runs both on one random input and compares a's outputs with b's
// first ones.
func sameOutput(t *testing.T, a, b *Engine, typ model.TensorType) {
	t.Helper()
	r := rand.New(rand.NewPCG(2, 2))
	if typ == model.TypeFloat32 {
		copy(edged.View[float32](a.Input(0)), randoms(r, len(a.Input(0))/4))
	} else {
		for i := range a.Input(0) {
			a.Input(0)[i] = byte(r.Uint32())
		}
	}
	copy(b.Input(0), a.Input(0))
	for _, e := range []*Engine{a, b} {
		if err := e.Run(); err != nil {
			t.Fatal(err)
		}
	}
	for i := range a.Outputs() {
		sameValues(t, a.Output(i), b.Output(i), typ)
	}
}

// sameValues compares two outputs: integers bit for bit.
func sameValues(t *testing.T, a, b []byte, typ model.TensorType) {
	t.Helper()
	if len(a) != len(b) || len(a) == 0 {
		t.Fatalf("%d bytes, unfused %d", len(a), len(b))
	}
	if typ != model.TypeFloat32 {
		for i := range a {
			if a[i] != b[i] {
				t.Fatalf("byte %d: %d, unfused %d", i, a[i], b[i])
			}
		}
		return
	}
	got, want := edged.View[float32](a), edged.View[float32](b)
	for i := range got {
		if d := math.Abs(float64(got[i] - want[i])); !(d <= 1e-5) {
			t.Fatalf("element %d: %g, unfused %g", i, got[i], want[i])
		}
	}
}

// TestFusionKeepsRefusals: a graph that TFLite refuses stays refused.
func TestFusionKeepsRefusals(t *testing.T) {
	g := &grapher{Builder: model.NewBuilder(), typ: model.TypeFloat32, r: rand.New(rand.NewPCG(1, 1))}
	x := g.in(1, 12, 9, 3)
	a := g.SpaceToBatch(x, [2]int{2, 3}, [2][2]int{{0, 0}, {0, 0}})
	b := g.MaxPool(a, model.Pool2DOptions{StrideH: 1, StrideW: 1, FilterHeight: 2, FilterWidth: 2})
	e := open(t, file(t, g.Builder, g.BatchToSpace(b, [2]int{2, 3}, [2][2]int{{0, 0}, {0, 0}})), edged.Options{})
	if err := e.Resize(0, []int{1, 13, 9, 3}); err == nil {
		t.Error("a height of 13 went into blocks of 2")
	}
}
