package fallback

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"edged"
	"edged/internal/enginetest"
	"edged/internal/kernel/conv"
	"edged/model"
)

// chained are graphs on [2, 70, 61, 8]; chains is how many 1x1 convolutions
// are computed with what they read where there is no Winograd, and where there is.
var chained = []struct {
	name   string
	chains [2]int
	build  func(g *grapher, x model.Ref) []model.Ref
}{
	{"a head", [2]int{1, 1}, func(g *grapher, x model.Ref) []model.Ref {
		return one(g.pointwise(g.conv(x, 24), 5))
	}},
	{"one channel, dilated", [2]int{1, 1}, func(g *grapher, x model.Ref) []model.Ref {
		a := g.q(g.Conv2D(x, g.weights(20, 3, 3, 8), g.bias(20), model.Conv2DOptions{DilationH: 2, DilationW: 3, Activation: model.ActRelu}))
		return one(g.pointwise(a, 1))
	}},
	{"fully connected behind a reshape", [2]int{1, 1}, func(g *grapher, x model.Ref) []model.Ref {
		a := g.q(g.Conv2D(x, g.weights(21, 3, 3, 8), g.bias(21), model.Conv2DOptions{Padding: model.PaddingValid}))
		b := g.q(g.FullyConnected(g.q(g.Reshape(a, -1, 21)), g.weights(7, 21), g.bias(7), model.FullyConnectedOptions{}))
		return one(g.q(g.Reshape(b, 2, 68, 59, 7)))
	}},
	{"fully connected, of maps", [2]int{1, 1}, func(g *grapher, x model.Ref) []model.Ref {
		return one(g.q(g.FullyConnected(g.conv(x, 18), g.weights(9, 18), g.bias(9), model.FullyConnectedOptions{KeepNumDims: true})))
	}},
	{"behind a pool", [2]int{1, 1}, func(g *grapher, x model.Ref) []model.Ref {
		a := g.q(g.MaxPool(x, model.Pool2DOptions{Padding: model.PaddingValid, FilterHeight: 2, FilterWidth: 2, StrideH: 1, StrideW: 1}))
		return one(g.pointwise(g.conv(a, 24), 6))
	}},
	{"a border around the result", [2]int{1, 0}, func(g *grapher, x model.Ref) []model.Ref {
		return one(g.conv2(g.pointwise(g.conv(x, 19), 8), 4))
	}},
	{"columns of the result in their place", [2]int{1, 1}, func(g *grapher, x model.Ref) []model.Ref {
		return one(g.concat(3, g.conv(x, 5), g.pointwise(g.conv(x, 24), 7)))
	}},
	{"a residual", [2]int{1, 1}, func(g *grapher, x model.Ref) []model.Ref {
		return one(g.q(g.Add(g.pointwise(g.conv(x, 24), 8), x, model.ActNone)))
	}},
	{"with stride", [2]int{1, 1}, func(g *grapher, x model.Ref) []model.Ref {
		x = g.q(g.Op(model.OpTile, nil, x, g.Ints(1, 2, 2, 1)))
		return one(g.pointwise(g.conv2(x, 21), 6))
	}},
	{"two in a row", [2]int{1, 1}, func(g *grapher, x model.Ref) []model.Ref {
		return one(g.pointwise(g.pointwise(g.conv(x, 24), 20), 5))
	}},
	{"a second reader", [2]int{0, 0}, func(g *grapher, x model.Ref) []model.Ref {
		a := g.conv(x, 24)
		return []model.Ref{g.pointwise(a, 5), g.conv(a, 3)}
	}},
	{"an output between", [2]int{0, 0}, func(g *grapher, x model.Ref) []model.Ref {
		a := g.conv(x, 24)
		return []model.Ref{g.pointwise(a, 5), a}
	}},
	{"all of a row at once", [2]int{0, 0}, func(g *grapher, x model.Ref) []model.Ref {
		a := g.q(g.Reshape(g.conv(x, 24), -1, 48))
		return one(g.q(g.FullyConnected(a, g.weights(9, 48), g.bias(9), model.FullyConnectedOptions{})))
	}},
	{"with padding", [2]int{0, 0}, func(g *grapher, x model.Ref) []model.Ref {
		a := g.q(g.Pad(g.conv(x, 24), [2]int{0, 0}, [2]int{1, 0}, [2]int{0, 1}, [2]int{0, 0}))
		return one(g.q(g.Conv2D(a, g.weights(4, 1, 1, 24), g.bias(4), model.Conv2DOptions{Padding: model.PaddingValid})))
	}},
	{"with many weights", [2]int{0, 0}, func(g *grapher, x model.Ref) []model.Ref {
		return one(g.pointwise(g.conv(x, 96), 400))
	}},
}

// conv2 is a convolution of stride 2.
func (g *grapher) conv2(x model.Ref, to int) model.Ref {
	o := model.Conv2DOptions{StrideH: 2, StrideW: 2}
	return g.q(g.Conv2D(x, g.weights(to, 3, 3, g.Shape(x)[3]), g.bias(to), o))
}

// TestChains compares every graph with itself where all results are kept. Rates
// decide between direct convolution and Winograd in float32 alone.
func TestChains(t *testing.T) {
	for _, c := range []struct {
		typ    model.TensorType
		rates  string
		chains int
	}{
		{model.TypeFloat32, "100,1,1,1", 0},
		{model.TypeFloat32, "1,100,100,100", 1},
		{model.TypeInt8, "1,1,1,1", 0},
		{model.TypeUint8, "1,1,1,1", 0},
	} {
		t.Setenv(conv.RatesVariable, c.rates)
		for _, s := range chained[:min(len(chained), enginetest.Cases(t, len(chained)))] {
			t.Run(s.name+" "+c.typ.String()+" "+c.rates, func(t *testing.T) {
				for _, threads := range []int{1, 3} {
					g := &grapher{Builder: model.NewBuilder(), typ: c.typ, r: rand.New(rand.NewPCG(1, 1))}
					o := edged.Options{Threads: threads}
					data := file(t, g.Builder, s.build(g, g.in(2, 70, 61, 8))...)
					with := open(t, data, o).(*Engine)
					if n := chainsOf(with.plan); n != s.chains[c.chains] {
						t.Errorf("%d chains, want %d", n, s.chains[c.chains])
					}
					sameFrames(t, with, copying(t, data, o))
				}
			})
		}
	}
}

// TestChainsOfOtherShapes: an input that is resized is planned like any other.
func TestChainsOfOtherShapes(t *testing.T) {
	g := &grapher{Builder: model.NewBuilder(), typ: model.TypeFloat32, r: rand.New(rand.NewPCG(1, 1))}
	data := file(t, g.Builder, g.pointwise(g.conv(g.in(1, 9, 8, 16), 24), 5))
	with, shape := open(t, data, edged.Options{Threads: 2}).(*Engine), []int{3, 50, 61, 16}
	if n := chainsOf(with.plan); n != 0 {
		t.Errorf("%d chains of a small map", n)
	}
	if err := with.Resize(0, shape); err != nil {
		t.Fatal(err)
	}
	if n := chainsOf(with.plan); n != 1 {
		t.Errorf("%d chains of a large map", n)
	}
	apart := open(t, data, edged.Options{Threads: 1}).(*Engine)
	if err := apart.Resize(0, shape); err != nil {
		t.Fatal(err)
	}
	keepAll(t, apart)
	sameFrames(t, with, apart)
}

// TestChainsWithinTheLimit: where the memory for what the first convolution
// reads and the last one writes is too much at a time, all results are kept.
func TestChainsWithinTheLimit(t *testing.T) {
	g := &grapher{Builder: model.NewBuilder(), typ: model.TypeFloat32, r: rand.New(rand.NewPCG(1, 1))}
	x := g.Op(model.OpTile, nil, g.in(1, 10, 10, 16), g.Ints(1, 20, 20, 1))
	data := file(t, g.Builder, g.Reduce(model.OpSum, g.pointwise(g.conv2(x, 24), 40), true, 1, 2))
	with, apart := open(t, data, edged.Options{Threads: 1}).(*Engine), copying(t, data, edged.Options{Threads: 1})
	if n := chainsOf(with.plan); n != 1 {
		t.Fatalf("%d chains", n)
	}
	limit := apart.plan.arenaBytes + apart.plan.fixedBytes
	if need := with.plan.arenaBytes + with.plan.fixedBytes; need <= limit {
		t.Fatalf("%d bytes, apart %d", need, limit)
	}
	within, err := Open(data, edged.Options{Threads: 1, MemoryLimit: limit})
	if err != nil {
		t.Fatal(err)
	}
	defer within.Close()
	if n := chainsOf(within.(*Engine).plan); n != 0 {
		t.Errorf("%d chains within the limit", n)
	}
}

// TestChainsTell: a step that computes two operators says so, and counts both.
func TestChainsTell(t *testing.T) {
	g := &grapher{Builder: model.NewBuilder(), typ: model.TypeInt8, r: rand.New(rand.NewPCG(1, 1))}
	info, err := Describe(file(t, g.Builder, g.pointwise(g.conv(g.in(1, 100, 90, 16), 24), 5)), edged.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	macs, kernels := int64(0), ""
	for _, s := range info.Steps {
		macs, kernels = macs+s.MACs, s.Kernel
	}
	if !strings.HasSuffix(kernels, " i8, 1x1 i8") {
		t.Errorf("the last step is %q", kernels)
	}
	if want := int64(100 * 90 * 24 * (9*16 + 5)); macs != want {
		t.Errorf("%d multiply-accumulates, want %d", macs, want)
	}
}

func chainsOf(p *plan) int {
	n := 0
	for _, s := range p.steps {
		if s.how.chained != nil {
			n++
		}
	}
	return n
}

// BenchmarkChains runs a convolution with a narrow one behind it, together and
// one after the other, on maps that fit the caches and on some that do not.
func BenchmarkChains(b *testing.B) {
	for _, typ := range []model.TensorType{model.TypeFloat32, model.TypeInt8} {
		for _, size := range []int{24, 48, 96, 192, 384} {
			g := &grapher{Builder: model.NewBuilder(), typ: typ, r: rand.New(rand.NewPCG(1, 1))}
			data := file(b, g.Builder, g.pointwise(g.conv(g.in(1, size, size, 24), 32), 5))
			o := edged.Options{Threads: 1}
			for name, e := range map[string]*Engine{"together": open(b, data, o).(*Engine), "apart": copying(b, data, o)} {
				b.Run(fmt.Sprintf("%v/%d/%s", typ, size, name), func(b *testing.B) {
					for b.Loop() {
						e.Run()
					}
				})
			}
		}
	}
}
