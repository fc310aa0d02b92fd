package fallback

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"edged"
	"edged/internal/kernel/conv"
	"edged/model"
)

// joined are graphs on [2, 9, 10, 16]. copied is how many operands are still
// copied into their concatenation, in float32 and in 8 bits.
var joined = []struct {
	name   string
	copied [2]int
	build  func(g *grapher, x model.Ref) []model.Ref
}{
	{"several operands", [2]int{0, 0}, func(g *grapher, x model.Ref) []model.Ref {
		return one(g.concat(3, g.pointwise(x, 8), g.conv(x, 3), g.conv(x, 21), g.conv(x, 5)))
	}},
	{"nested", [2]int{0, 0}, func(g *grapher, x model.Ref) []model.Ref {
		a := g.concat(3, g.conv(x, 7), g.pointwise(x, 5))
		b := g.concat(3, g.conv(a, 9), a)
		return one(g.pointwise(g.concat(3, b, g.conv(b, 11)), 6))
	}},
	{"a reader beside it", [2]int{0, 0}, func(g *grapher, x model.Ref) []model.Ref {
		a := g.conv(x, 13)
		return []model.Ref{g.concat(3, a, g.pointwise(a, 3)), g.conv(a, 5), g.pointwise(a, 17)}
	}},
	{"a reader that wants no gaps", [2]int{1, 1}, func(g *grapher, x model.Ref) []model.Ref {
		a := g.conv(x, 13)
		return []model.Ref{g.concat(3, a, g.conv(x, 4)), g.q(g.Unary(model.OpAbs, a))}
	}},
	{"a fully connected layer, which sees the map in a row", [2]int{1, 1}, func(g *grapher, x model.Ref) []model.Ref {
		a := g.conv(x, 8)
		return []model.Ref{g.concat(3, a, g.conv(x, 4)), g.q(g.FullyConnected(a, g.weights(5, 720), g.bias(5), model.FullyConnectedOptions{}))}
	}},
	{"a reader through a reshape", [2]int{1, 1}, func(g *grapher, x model.Ref) []model.Ref {
		a := g.conv(x, 13)
		return []model.Ref{g.concat(3, a, g.conv(x, 4)), g.q(g.Softmax(g.q(g.Reshape(a, 2, -1))))}
	}},
	{"an operand twice", [2]int{1, 1}, func(g *grapher, x model.Ref) []model.Ref {
		a := g.conv(x, 7)
		return one(g.concat(3, a, g.conv(x, 2), a))
	}},
	{"in two concatenations", [2]int{1, 1}, func(g *grapher, x model.Ref) []model.Ref {
		a := g.conv(x, 7)
		return []model.Ref{g.concat(3, a, g.conv(x, 2)), g.concat(3, g.conv(a, 3), a)}
	}},
	{"a border around it", [2]int{0, 0}, func(g *grapher, x model.Ref) []model.Ref {
		return one(g.conv(g.concat(3, g.conv(x, 7), g.pointwise(x, 6)), 9))
	}},
	{"an input and an output", [2]int{2, 2}, func(g *grapher, x model.Ref) []model.Ref {
		a := g.conv(x, 7)
		return []model.Ref{g.concat(3, a, x, g.conv(x, 2)), a}
	}},
	{"columns", [2]int{0, 0}, func(g *grapher, x model.Ref) []model.Ref {
		return one(g.concat(2, g.pointwise(x, 7), g.conv(x, 7)))
	}},
	{"rows of images, and these beside others", [2]int{2, 2}, func(g *grapher, x model.Ref) []model.Ref {
		a := g.concat(1, g.pointwise(x, 7), g.conv(x, 7))
		return one(g.concat(3, a, g.pointwise(g.concat(1, x, x), 3)))
	}},
	{"images, whoever computes them", [2]int{0, 0}, func(g *grapher, x model.Ref) []model.Ref {
		a, b := g.q(g.Unary(model.OpAbs, x)), g.q(g.Reshape(g.q(g.Unary(model.OpRelu, x)), 2, 10, 9, 16))
		return one(g.concat(0, g.q(g.Reshape(a, 2, 10, 9, 16)), b))
	}},
	{"resized", [2]int{0, 0}, func(g *grapher, x model.Ref) []model.Ref {
		a := g.conv(x, 7)
		b := g.q(g.ResizeNearest(a, 18, 20, model.ResizeNearestNeighborOptions{}))
		c := g.q(g.ResizeNearest(g.concat(3, g.pointwise(x, 3), a), 18, 20, model.ResizeNearestNeighborOptions{}))
		return one(g.conv(g.concat(3, b, c, g.conv(c, 5)), 4))
	}},
	{"a residual", [2]int{0, 2}, func(g *grapher, x model.Ref) []model.Ref {
		a := g.conv(x, 7)
		return one(g.concat(3, a, g.q(g.Add(g.conv(x, 7), a, model.ActNone)), g.conv(x, 1+1)))
	}},
}

func (g *grapher) concat(axis int, xs ...model.Ref) model.Ref { return g.q(g.Concat(axis, xs...)) }

func (g *grapher) conv(x model.Ref, to int) model.Ref {
	return g.q(g.Conv2D(x, g.weights(to, 3, 3, g.Shape(x)[3]), g.bias(to), model.Conv2DOptions{}))
}

// TestJoins compares every graph with itself where operands are copied, over
// several frames and any number of threads.
func TestJoins(t *testing.T) {
	for _, rates := range []string{"100,1,1,1", "1,100,100,100"} { // direct; Winograd
		t.Setenv(conv.RatesVariable, rates)
		for i, typ := range []model.TensorType{model.TypeFloat32, model.TypeInt8, model.TypeUint8} {
			for _, s := range joined {
				t.Run(s.name+" "+typ.String()+" "+rates, func(t *testing.T) {
					for threads := range 3 {
						g := &grapher{Builder: model.NewBuilder(), typ: typ, r: rand.New(rand.NewPCG(1, 1))}
						data := file(t, g.Builder, s.build(g, g.in(2, 9, 10, 16))...)
						with := open(t, data, edged.Options{Threads: 1 + threads}).(*Engine)
						if n, want := copiedOperands(with.plan), s.copied[min(i, 1)]; n != want {
							t.Errorf("%d operands are copied, want %d", n, want)
						}
						sameFrames(t, with, copying(t, data, edged.Options{Threads: 1 + threads}))
					}
				})
			}
		}
	}
}

// copying is an engine that copies what it concatenates and keeps the result of
// every convolution.
func copying(t testing.TB, data []byte, o edged.Options) *Engine {
	t.Helper()
	e := open(t, data, o).(*Engine)
	keepAll(t, e)
	return e
}

// keepAll plans e again in this way.
func keepAll(t testing.TB, e *Engine) {
	t.Helper()
	p, err := newPlanOf(e.routines, e.graph, e.options, e.shapes, false)
	if err != nil {
		t.Fatal(err)
	}
	p.bind()
	for _, w := range e.pool.workers {
		p.ownScratch.Reserve(&w.direct)
	}
	e.plan = p
}

func copiedOperands(p *plan) int {
	n := 0
	for _, s := range p.steps {
		if s.concat != nil {
			n += len(s.reads)
		}
	}
	return n
}

// sameFrames compares the outputs of some frames, bit for bit.
func sameFrames(t *testing.T, a, b *Engine) {
	t.Helper()
	r := rand.New(rand.NewPCG(2, 2))
	for frame := range 3 {
		if a.Inputs()[0].Type == edged.Float32 {
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
			if !bytes.Equal(a.Output(i), b.Output(i)) {
				t.Fatalf("frame %d: output %d differs", frame, i)
			}
		}
	}
	if n := testing.AllocsPerRun(2, func() { a.Run() }); n != 0 && a.options.Threads == 1 { // others may still meet a layer for the first time
		t.Errorf("%g allocations a frame", n)
	}
}

// TestJoinsTell: the plan says who writes into a concatenation, and how much
// is copied.
func TestJoinsTell(t *testing.T) {
	g := &grapher{Builder: model.NewBuilder(), typ: model.TypeFloat32, r: rand.New(rand.NewPCG(1, 1))}
	x := g.in(1, 1, 10, 4)
	info, err := Describe(file(t, g.Builder, g.Concat(1, x, g.Unary(model.OpAbs, x))), edged.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	var kernels []string
	for _, s := range info.Steps {
		kernels = append(kernels, s.Kernel)
	}
	if len(kernels) != 2 || !strings.HasSuffix(kernels[0], ", in place") || kernels[1] != "copy 1 of 2" {
		t.Errorf("the steps are %q", kernels)
	}
}

// TestJoinsWithinTheLimit: where the memory for all operands is too much to
// have from the first one on, they are copied.
func TestJoinsWithinTheLimit(t *testing.T) {
	g := &grapher{Builder: model.NewBuilder(), typ: model.TypeFloat32, r: rand.New(rand.NewPCG(1, 1))}
	x := g.in(1, 1, 10, 1)
	a := g.Unary(model.OpAbs, x)
	wide := g.Unary(model.OpAbs, g.Op(model.OpTile, nil, x, g.Ints(1, 1, 300, 100)))
	long := g.Op(model.OpTile, nil, g.Reduce(model.OpSum, wide, true, 2, 3), g.Ints(1, 9000, 10, 1))
	data := file(t, g.Builder, g.Concat(1, a, long))
	with, without := open(t, data, edged.Options{}).(*Engine), copying(t, data, edged.Options{})
	limit := without.plan.arenaBytes + without.plan.fixedBytes
	if n := copiedOperands(with.plan); n != 0 || with.plan.arenaBytes <= without.plan.arenaBytes {
		t.Fatalf("%d operands are copied, in %d bytes; copying takes %d", n, with.plan.arenaBytes, without.plan.arenaBytes)
	}
	within, err := Open(data, edged.Options{MemoryLimit: limit})
	if err != nil {
		t.Fatal(err)
	}
	defer within.Close()
	if n := copiedOperands(within.(*Engine).plan); n != 2 {
		t.Errorf("%d operands are copied, want both", n)
	}
}

// BenchmarkJoins runs dense blocks, whose layers read all that came before,
// as they are planned and with copies.
func BenchmarkJoins(b *testing.B) {
	for _, typ := range []model.TensorType{model.TypeFloat32, model.TypeInt8} {
		g := &grapher{Builder: model.NewBuilder(), typ: typ, r: rand.New(rand.NewPCG(1, 1))}
		x := g.conv(g.in(1, 56, 56, 16), 64)
		for range 6 {
			x = g.concat(3, x, g.conv(g.pointwise(x, 64), 32))
		}
		data := file(b, g.Builder, g.pointwise(x, 64))
		for name, e := range map[string]*Engine{"in place": open(b, data, edged.Options{Threads: 1}).(*Engine), "copied": copying(b, data, edged.Options{Threads: 1})} {
			b.Run(typ.String()+"/"+name, func(b *testing.B) {
				for b.Loop() {
					e.Run()
				}
			})
		}
	}
}
