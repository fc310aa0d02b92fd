package enginetest

import (
	"bytes"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"testing"
	"time"

	"edged"
	"edged/model"
)

// Subject is an engine under test and what it promises beyond the contract.
type Subject struct {
	Open edged.Opener
	// FloatThreads says that float32 outputs are the same bits for every number
	// of threads. Integer outputs always must be.
	FloatThreads bool
}

// Run checks how an engine behaves.
func Run(t *testing.T, s Subject) {
	for _, k := range []kind{f32, i8, u8} {
		t.Run(k.name, func(t *testing.T) {
			t.Run("Specs", func(t *testing.T) { testSpecs(t, s, k) })
			t.Run("Repeat", func(t *testing.T) { testRepeat(t, s, k) })
			t.Run("Resize", func(t *testing.T) { testResize(t, s, k) })
			t.Run("Threads", func(t *testing.T) { testThreads(t, s, k) })
			t.Run("NoAllocation", func(t *testing.T) { testNoAllocation(t, s, k) })
		})
	}
	t.Run("SeveralInputs", func(t *testing.T) { testSeveralInputs(t, s) })
	t.Run("RefusedResize", func(t *testing.T) { testRefusedResize(t, s) })
	t.Run("Close", func(t *testing.T) { testClose(t, s) })
	t.Run("BadFiles", func(t *testing.T) { testBadFiles(t, s) })
	t.Run("MemoryLimit", func(t *testing.T) { testMemoryLimit(t, s) })
	t.Run("LeavesMemoryFlat", func(t *testing.T) { testLeaks(t, s) })
}

// net is a small convolutional net with two outputs, a map and scores, on an
// h x w image. Its weights do not depend on h and w.
func net(k kind, h, w int32) *Case {
	g := newGraph(rand.New(rand.NewPCG(7, 7)), k)
	x := g.input([]int32{1, h, w, 3})
	conv := func(x, in, out, kernel, stride int32) int32 {
		g.terms = int(kernel*kernel*in) + 1
		weights, scales := g.weights([]int32{out, kernel, kernel, in}, 0)
		bias := g.bias(out, x, scales)
		y := g.accumulated(x, scales)
		g.op(model.OpConv2D, &model.Conv2DOptions{
			Padding: model.PaddingSame, StrideH: stride, StrideW: stride, DilationH: 1, DilationW: 1, Activation: model.ActRelu,
		}, []int32{x, weights, bias}, y)
		return y
	}
	x = conv(x, 3, 16, 3, 2)
	pooled := g.like(x)
	g.op(model.OpMaxPool2D, &model.Pool2DOptions{
		Padding: model.PaddingSame, StrideH: 1, StrideW: 1, FilterHeight: 3, FilterWidth: 3,
	}, []int32{x}, pooled)
	features := conv(pooled, 16, 24, 3, 1)
	logits := conv(features, 24, 5, 1, 1)
	scores := g.tensor(k.dtype, nil, g.fixedQuant(1.0/256, -128, 0))
	g.op(model.OpSoftmax, &model.SoftmaxOptions{Beta: 1}, []int32{logits}, scores)
	c := g.finish("net", approximate)
	c.Model.Subgraphs[0].Outputs = []int32{features, scores}
	return c
}

// opened loads a case and feeds its inputs; the engine is closed with the test.
func (c *Case) opened(t *testing.T, open edged.Opener, o edged.Options) edged.Engine {
	t.Helper()
	file, err := c.Model.Write()
	if err != nil {
		t.Fatal(err)
	}
	e, err := open(file, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	clear(file) // an engine keeps no reference to the file
	if err := fill(e, c.Inputs); err != nil {
		t.Fatal(err)
	}
	return e
}

func ran(t *testing.T, e edged.Engine) []Output {
	t.Helper()
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	return outputs(e)
}

func testSpecs(t *testing.T, s Subject, k kind) {
	c := net(k, 20, 14)
	e := c.opened(t, s.Open, edged.Options{Threads: 1})
	sg := c.Model.Subgraphs[0]
	check := func(what string, specs []edged.Spec, ids []int32, data func(int) []byte) {
		if len(specs) != len(ids) {
			t.Fatalf("%d %s, want %d", len(specs), what, len(ids))
		}
		for i, spec := range specs {
			want := sg.Tensors[ids[i]]
			q := edged.Quant{}
			if want.Quantization != nil {
				q = edged.Quant{Scale: want.Quantization.Scale[0], ZeroPoint: int32(want.Quantization.ZeroPoint[0])}
			}
			if spec.Name != want.Name || spec.Type.String() != want.Type.String() || spec.Quant != q ||
				!slices.EqualFunc(spec.Shape, want.Shape, func(a int, b int32) bool { return a == int(b) }) {
				t.Errorf("%s %d: %+v, want %+v", what, i, spec, want)
			}
			if len(data(i)) != spec.Bytes() {
				t.Errorf("%s %d: %d bytes, the description says %d", what, i, len(data(i)), spec.Bytes())
			}
		}
	}
	check("inputs", e.Inputs(), sg.Inputs, e.Input)
	ran(t, e)
	check("outputs", e.Outputs(), sg.Outputs, e.Output)
	e.Inputs()[0].Shape[0] = 99
	if e.Inputs()[0].Shape[0] == 99 {
		t.Error("the caller can write into the engine's own description")
	}
	if e.Name() == "" {
		t.Error("the engine has no name")
	}
}

// testRepeat runs twice with another frame in between.
func testRepeat(t *testing.T, s Subject, k kind) {
	c := net(k, 20, 14)
	e := c.opened(t, s.Open, edged.Options{Threads: 1})
	in := e.Input(0)
	first := ran(t, e)
	clear(in)
	other := ran(t, e)
	copy(in, c.Inputs[0])
	second := ran(t, e)
	if d := diff(second, first, limits{}); d != "" {
		t.Errorf("the same input again: %s", d)
	}
	if diff(other, first, limits{}) == "" {
		t.Error("a black frame gives the same outputs: the input is not read")
	}
}

func testResize(t *testing.T, s Subject, k kind) {
	e := net(k, 20, 14).opened(t, s.Open, edged.Options{Threads: 1})
	for _, size := range [][2]int32{{33, 41}, {9, 7}, {9, 8}, {20, 14}} {
		c := net(k, size[0], size[1])
		if err := e.Resize(0, []int{1, int(size[0]), int(size[1]), 3}); err != nil {
			t.Fatalf("resize to %v: %v", size, err)
		}
		if err := fill(e, c.Inputs); err != nil {
			t.Fatalf("after a resize to %v: %v", size, err)
		}
		fresh := ran(t, c.opened(t, s.Open, edged.Options{Threads: 1}))
		if d := diff(ran(t, e), fresh, limits{}); d != "" {
			t.Errorf("resized to %v it differs from one loaded at that size: %s", size, d)
		}
	}
}

func testRefusedResize(t *testing.T, s Subject) {
	for _, c := range []struct {
		input int
		shape []int
	}{{0, nil}, {0, []int{1, 20, 14}}, {0, []int{1, 0, 14, 3}}, {0, []int{1, -1, 14, 3}}, {0, []int{1, 20, 14, 4}}, {1, []int{1, 20, 14, 3}}, {-1, []int{1, 20, 14, 3}}} {
		e := net(f32, 20, 14).opened(t, s.Open, edged.Options{Threads: 1})
		if err := e.Resize(c.input, c.shape); err == nil {
			t.Errorf("input %d took the shape %v", c.input, c.shape)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

func testThreads(t *testing.T, s Subject, k kind) {
	c := net(k, 37, 29)
	l := limits{}
	if k == f32 && !s.FloatThreads {
		l.bound = c.Bound
	}
	want := ran(t, c.opened(t, s.Open, edged.Options{Threads: 1}))
	for _, n := range []int{0, 2, 3, 4, 7} {
		if d := diff(ran(t, c.opened(t, s.Open, edged.Options{Threads: n})), want, l); d != "" {
			t.Errorf("%d threads: %s", n, d)
		}
	}
}

func testNoAllocation(t *testing.T, s Subject, k kind) {
	e := net(k, 20, 14).opened(t, s.Open, edged.Options{Threads: 2})
	frame := func() {
		e.Input(0)[0]++
		if err := e.Run(); err != nil {
			t.Fatal(err)
		}
		_ = e.Output(0)
	}
	if n := testing.AllocsPerRun(20, frame); n != 0 {
		t.Errorf("a frame allocates %v times", n)
	}
}

func testSeveralInputs(t *testing.T, s Subject) {
	g := newGraph(rand.New(rand.NewPCG(8, 8)), f32)
	a, b := g.input([]int32{2, 3}), g.input([]int32{3})
	g.op(model.OpSub, &model.SubOptions{PotScaleInt16: true}, []int32{a, b}, g.like(a))
	c := g.finish("two inputs", exact)
	c.Inputs = [][]byte{float32s(1, 2, 3, 4, 5, 6), float32s(10, 20, 30)}
	got := ran(t, c.opened(t, s.Open, edged.Options{}))
	if want := float32s(-9, -18, -27, -6, -15, -24); len(got) != 1 || !bytes.Equal(got[0].Data, want) {
		t.Errorf("a - b = %v", got)
	}
}

func testClose(t *testing.T, s Subject) {
	e := net(f32, 20, 14).opened(t, s.Open, edged.Options{Threads: 2})
	ran(t, e)
	for range 2 {
		if err := e.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if e.Run() == nil {
		t.Error("a closed engine runs")
	}
	if e.Resize(0, []int{1, 20, 14, 3}) == nil {
		t.Error("a closed engine resizes")
	}
}

// testBadFiles: an error, never a crash. Every flipped byte lies in the tables
// and not in the weights.
func testBadFiles(t *testing.T, s Subject) {
	good, err := net(f32, 20, 14).Model.Write()
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]byte{nil, {}, {0}, []byte("not a model at all, just text"), make([]byte, 4096)} {
		if e, err := s.Open(bad, edged.Options{}); err == nil {
			e.Close()
			t.Errorf("%d bytes of %.10q loaded", len(bad), bad)
		}
	}
	for n := 0; n < len(good); n += 1 + len(good)/97 {
		if e, err := s.Open(good[:n:n], edged.Options{}); err == nil {
			e.Close()
			t.Errorf("the first %d of %d bytes loaded", n, len(good))
		}
	}
}

func testMemoryLimit(t *testing.T, s Subject) {
	file, err := net(f32, 200, 200).Model.Write()
	if err != nil {
		t.Fatal(err)
	}
	if e, err := s.Open(file, edged.Options{MemoryLimit: 64 << 10}); err == nil {
		e.Close()
		t.Error("a net on a 200x200 image loads within 64 KiB")
	}
	e, err := s.Open(file, edged.Options{MemoryLimit: 64 << 20})
	if err != nil {
		t.Fatalf("64 MiB: %v", err)
	}
	defer e.Close()
	if e.Resize(0, []int{1, 6000, 6000, 3}) == nil {
		t.Error("6000x6000 fits in 64 MiB")
	}
}

// testLeaks loads and unloads: the resident set and the goroutines stay.
func testLeaks(t *testing.T, s Subject) {
	const warmUp, cycles, margin = 30, 150, 12 << 20
	c := net(f32, 100, 100)
	file, err := c.Model.Write()
	if err != nil {
		t.Fatal(err)
	}
	goroutines := 0
	before := 0
	for i := range warmUp + cycles {
		if i == warmUp {
			goroutines, before = runtime.NumGoroutine(), resident(t)
		}
		if _, err := run(s.Open, file, nil, c.Inputs, edged.Options{Threads: 1 + i%10/9}); err != nil {
			t.Fatal(err)
		}
	}
	if after := resident(t); after > before+margin {
		t.Errorf("the resident set grew from %d KB to %d KB over %d cycles", before>>10, after>>10, cycles)
	}
	// A worker that was told to stop may take a moment to go.
	for range 100 {
		if runtime.NumGoroutine() <= goroutines {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines before, %d after", goroutines, runtime.NumGoroutine())
}

func resident(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory() // what Go has let go of is no leak
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(string(bytes.Fields(b)[1]))
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
