package fallback

import (
	"errors"
	"math/rand/v2"
	"testing"

	"edged"
	"edged/internal/enginetest"
	"edged/internal/kernel/cpu"
	"edged/model"
)

// file writes the graph that b has built.
func file(t testing.TB, b *model.Builder, outputs ...model.Ref) []byte {
	t.Helper()
	m, err := b.Build(outputs...)
	if err != nil {
		t.Fatal(err)
	}
	data, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func open(t testing.TB, data []byte, o edged.Options) edged.Engine {
	t.Helper()
	e, err := Open(data, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func randoms(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

// smallNet is a float graph with a padded, strided and a dilated convolution,
// pools, a residual sum and a head.
func smallNet(t testing.TB, size int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := model.NewBuilder()
	weights := func(shape ...int) model.Ref { return model.Const(b, "", shape, randoms(r, product(shape))) }
	x := b.Input("frame", model.TypeFloat32, 1, size, size, 3)
	y := b.Conv2D(x, weights(16, 3, 3, 3), weights(16), model.Conv2DOptions{StrideH: 2, StrideW: 2, Activation: model.ActRelu})
	z := b.Conv2D(y, weights(16, 3, 3, 16), weights(16), model.Conv2DOptions{DilationH: 2, DilationW: 2})
	y = b.Add(y, z, model.ActRelu6)
	y = b.MaxPool(y, model.Pool2DOptions{FilterHeight: 2, FilterWidth: 2, StrideH: 2, StrideW: 2})
	y = b.Mean(y, true, 1, 2)
	y = b.FullyConnected(y, weights(5, 16), weights(5), model.FullyConnectedOptions{})
	return file(t, b, b.Softmax(y))
}

func TestThreadsDoNotChangeResults(t *testing.T) {
	data := smallNet(t, 64)
	var want []float32
	for _, threads := range []int{1, 2, 3, 7} {
		e := open(t, data, edged.Options{Threads: threads})
		copy(edged.View[float32](e.Input(0)), randoms(rand.New(rand.NewPCG(3, 4)), 64*64*3))
		if err := e.Run(); err != nil {
			t.Fatal(err)
		}
		got := append([]float32(nil), edged.View[float32](e.Output(0))...)
		if want == nil {
			want = got
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%d threads: output %d is %g, with one thread %g", threads, i, got[i], want[i])
			}
		}
	}
}

func TestFrameAllocatesNothing(t *testing.T) {
	for _, threads := range []int{1, 2} {
		e := open(t, smallNet(t, 64), edged.Options{Threads: threads})
		if n := testing.AllocsPerRun(10, func() {
			if err := e.Run(); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%d threads: %g allocations a frame", threads, n)
		}
	}
}

func TestUnsupportedOperatorIsNamed(t *testing.T) {
	b := model.NewBuilder()
	x := b.Input("x", model.TypeFloat32, 1, 4)
	y := b.Relu(x)
	_, err := Open(file(t, b, b.Unary(model.OpSign, y)), edged.Options{})
	var unsupported *model.UnsupportedError
	if !errors.As(err, &unsupported) {
		t.Fatalf("error %v, want an UnsupportedError", err)
	}
	if want := "SIGN version 1: this operator is not supported"; unsupported.Path != "subgraphs[0].operators[1]" || unsupported.Problem != want {
		t.Errorf("refusal %q, %q", unsupported.Path, unsupported.Problem)
	}
}

func TestMemoryLimit(t *testing.T) {
	data := smallNet(t, 64)
	e := open(t, data, edged.Options{Threads: 1})
	need := e.(*Engine).plan.arenaBytes + e.(*Engine).plan.fixedBytes
	if _, err := Open(data, edged.Options{Threads: 1, MemoryLimit: need}); err != nil {
		t.Errorf("refused with just enough: %v", err)
	}
	_, err := Open(data, edged.Options{Threads: 1, MemoryLimit: need - 1})
	var memory *MemoryError
	if !errors.As(err, &memory) || memory.Limit != need-1 || memory.Need != need {
		t.Errorf("one byte short: %v", err)
	}
}

func TestEngine(t *testing.T) {
	enginetest.Run(t, enginetest.Subject{Open: Open, FloatThreads: true})
}

// TestFoldingIsBounded: a small file that asks for 10^11 multiplications of
// constants at load.
func TestFoldingIsBounded(t *testing.T) {
	b := model.NewBuilder()
	fill := func(v float32, shape ...int) model.Ref {
		return b.Op(model.OpFill, nil, b.Ints(shape...), model.Const(b, "", nil, []float32{v}))
	}
	x := b.Input("x", model.TypeFloat32, 1)
	y := b.Conv2D(fill(1, 1, 600, 600, 1), fill(2, 1, 550, 550, 1), -1, model.Conv2DOptions{})
	_, err := Open(file(t, b, b.Add(x, y, model.ActNone)), edged.Options{})
	var unsupported *model.UnsupportedError
	if !errors.As(err, &unsupported) {
		t.Errorf("error %v, want an UnsupportedError", err)
	}
}

// eachKernel runs a test once per kernel variant of this machine.
func eachKernel(t *testing.T, f func(t *testing.T)) {
	for _, v := range cpu.Available() {
		t.Run(string(v), func(t *testing.T) {
			t.Setenv(cpu.EnvVariable, string(v))
			f(t)
		})
	}
}
