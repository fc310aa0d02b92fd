package fallback

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"edged"
	"edged/internal/kernel"
	"edged/model"
	"edged/rewrite"
)

// paddedNet is a patch classifier in the manner of MobileNet, with a residual unit,
// a pool and a PAD: everything that windows can share, and layers that they cannot.
func paddedNet(typ model.TensorType, size int) *model.Model {
	b := model.NewBuilder()
	r := rand.New(rand.NewPCG(3, uint64(typ)))
	q := func(x model.Ref) model.Ref {
		if typ == model.TypeFloat32 {
			return x
		}
		return b.Quant(x, 0.05, -3)
	}
	n := 0
	weights := func(axis int, shape ...int) (w, bias model.Ref) {
		n++
		name := string(rune('a' + n))
		if typ == model.TypeFloat32 {
			v, o := make([]float32, product(shape)), make([]float32, shape[axis])
			for i := range v {
				v[i] = float32(r.NormFloat64() / 3)
			}
			for i := range o {
				o[i] = float32(r.NormFloat64())
			}
			return model.Const(b, name, shape, v), model.Const(b, name+"bias", shape[axis:axis+1], o)
		}
		v, o := make([]int8, product(shape)), make([]int32, shape[axis])
		for i := range v {
			v[i] = int8(r.IntN(255) - 127)
		}
		for i := range o {
			o[i] = int32(r.IntN(4001) - 2000)
		}
		return b.Quant(model.Const(b, name, shape, v), 0.006, 0), b.Quant(model.Const(b, name+"bias", shape[axis:axis+1], o), 0.006*0.05, 0)
	}
	conv := func(x model.Ref, out, k, s int, p model.Padding) model.Ref {
		w, bias := weights(0, out, k, k, b.Shape(x)[3])
		return q(b.Conv2D(x, w, bias, model.Conv2DOptions{Padding: p, StrideH: int32(s), StrideW: int32(s), DilationH: 1, DilationW: 1, Activation: model.ActRelu}))
	}
	depthwise := func(x model.Ref, s int) model.Ref {
		w, bias := weights(3, 1, 3, 3, b.Shape(x)[3])
		return q(b.DepthwiseConv2D(x, w, bias, model.DepthwiseConv2DOptions{Padding: model.PaddingSame, StrideH: int32(s), StrideW: int32(s), DilationH: 1, DilationW: 1, DepthMultiplier: 1}))
	}
	x := conv(q(b.Input("x", typ, 1, size, size, 3)), 8, 3, 2, model.PaddingSame)
	x = conv(depthwise(x, 1), 8, 1, 1, model.PaddingValid)
	x = q(b.Add(conv(x, 8, 3, 1, model.PaddingSame), x, model.ActRelu))
	x = q(b.MaxPool(x, model.Pool2DOptions{Padding: model.PaddingSame, FilterHeight: 3, FilterWidth: 3, StrideH: 2, StrideW: 2}))
	x = conv(q(b.Pad(x, [2]int{}, [2]int{1, 1}, [2]int{1, 1}, [2]int{})), 8, 3, 1, model.PaddingValid)
	x = conv(depthwise(x, 2), 12, 1, 1, model.PaddingValid)
	x = q(b.Mean(x, true, 1, 2))
	return b.Model(conv(x, 5, 1, 1, model.PaddingValid))
}

// onWindows is the net on every window of a frame, as edged rewrite writes it.
func onWindows(t *testing.T, m *model.Model, frame, q [2]int) *model.Model {
	t.Helper()
	r, err := rewrite.Rewrite(m, "00", rewrite.Options{Form: rewrite.Windows, Input: frame, OutputStride: q})
	if err != nil {
		t.Fatal(err)
	}
	return r.Model
}

// plainPlan is how the file stands: all windows at once.
func plainPlan(m *model.Model, o edged.Options) (*plan, error) {
	k, err := kernel.Default()
	if err != nil {
		return nil, err
	}
	return planGraph(k, m, o, nil)
}

// run computes a frame of noise, and gives every output.
func runPlan(t *testing.T, p *plan) [][]byte {
	t.Helper()
	p.bind()
	pool := newWorkerPool(p.workers)
	defer pool.close()
	for _, w := range pool.workers {
		p.ownScratch.Reserve(&w.direct)
		if p.loop != nil {
			p.loop.plan.ownScratch.Reserve(&w.direct)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	in := p.inputs[0]
	for i := range in.data {
		in.data[i] = byte(r.Uint32())
	}
	if in.typ == model.TypeFloat32 {
		for i := range in.f32() {
			in.f32()[i] = 2*r.Float32() - 1
		}
	}
	for range 2 { // the second frame finds what the first one left
		if err := p.compute(pool, nil); err != nil {
			t.Fatal(err)
		}
	}
	var out [][]byte
	for _, o := range p.outputs {
		out = append(out, bytes.Clone(o.data))
	}
	return out
}

// TestWindowsOneAtATime: one window at a time, sharing layers or not, on one thread
// or two, gives the bits of all windows at once, at any stride.
func TestWindowsOneAtATime(t *testing.T) {
	for _, typ := range []model.TensorType{model.TypeFloat32, model.TypeInt8} {
		for _, q := range [][2]int{{8, 8}, {4, 8}, {3, 5}, {16, 2}, {40, 40}} {
			m := onWindows(t, paddedNet(typ, 32), [2]int{61, 83}, q)
			o := edged.Options{Threads: 2, Exact: true}
			p, err := plainPlan(m, o)
			if err != nil {
				t.Fatal(err)
			}
			want := runPlan(t, p)
			for _, how := range []string{"off", "all", ""} {
				t.Setenv(sharingVariable, how)
				for o.Threads = 1; o.Threads <= 2; o.Threads++ {
					k, _ := kernel.Default()
					p, err := newPlan(k, m, o, nil)
					if err != nil {
						t.Fatal(err)
					}
					if p.loop == nil {
						t.Fatalf("%v, stride %v: all windows are held at once", typ, q)
					}
					if shares := len(p.loop.info.Shared) > 0; how == "off" && shares || how == "all" && !shares {
						t.Errorf("%v, stride %v, sharing %q: %d shared layers", typ, q, how, len(p.loop.info.Shared))
					}
					if got := runPlan(t, p); !slices.EqualFunc(got, want, bytes.Equal) {
						t.Errorf("%v, stride %v, sharing %q, %d threads: other bits than all windows at once", typ, q, how, o.Threads)
					}
				}
			}
		}
	}
}

// TestWindowsAlteredAnyhow: whatever somebody changes in the lists, options and wires
// of such a file, what the engine makes of it is what the operators say.
func TestWindowsAlteredAnyhow(t *testing.T) {
	t.Setenv(sharingVariable, "all")
	var loops, plain, refused int
	for _, typ := range []model.TensorType{model.TypeFloat32, model.TypeInt8} {
		whole := onWindows(t, paddedNet(typ, 16), [2]int{28, 33}, [2]int{4, 6})
		for seed := range uint64(300) {
			m := whole.Clone()
			alterAnyhow(m, rand.New(rand.NewPCG(seed, 9)))
			o := edged.Options{Threads: 1, Exact: true, MemoryLimit: 1 << 28}
			a, err := plainPlan(m, o)
			k, _ := kernel.Default()
			b, errLoop := newPlan(k, m, o, nil)
			if err != nil || errLoop != nil {
				if err == nil {
					t.Errorf("%v, alteration %d: refused only where windows are taken one by one: %v", typ, seed, errLoop)
				}
				refused++
				continue
			}
			if b.loop == nil {
				plain++
				continue
			}
			loops++
			if !slices.EqualFunc(runPlan(t, a), runPlan(t, b), bytes.Equal) {
				t.Errorf("%v, alteration %d: another result than the graph's", typ, seed)
			}
		}
	}
	t.Logf("%d run window by window, %d as they stand, %d refused", loops, plain, refused)
	if min(loops, plain, refused) < 20 {
		t.Errorf("%d, %d, %d: the alterations are all of one kind", loops, plain, refused)
	}
}

// alterAnyhow changes one number of a list, an option, a wire, or an operator.
func alterAnyhow(m *model.Model, r *rand.Rand) {
	g := m.Subgraphs[0]
	op := g.Operators[r.IntN(len(g.Operators))]
	switch r.IntN(4) {
	case 0:
		t := g.Tensors[op.Inputs[r.IntN(len(op.Inputs))]]
		if b := bytes.Clone(m.Data(t)); t.Type == model.TypeInt32 && len(b) >= 4 {
			at := 4 * r.IntN(len(b)/4)
			binary.LittleEndian.PutUint32(b[at:], binary.LittleEndian.Uint32(b[at:])+uint32(r.IntN(3))-1)
			m.Buffers[t.Buffer] = &model.Buffer{Data: b}
		}
	case 1:
		switch o := op.Options.(type) {
		case *model.GatherOptions:
			o.Axis = int32(r.IntN(4))
		case *model.Conv2DOptions:
			o.Padding = 1 - o.Padding
		case *model.DepthwiseConv2DOptions:
			o.StrideH, o.StrideW = 1, 1
		case *model.Pool2DOptions:
			o.FilterHeight = 2
		}
	case 2:
		other := g.Operators[r.IntN(len(g.Operators))]
		op.Inputs = slices.Clone(op.Inputs)
		op.Inputs[0] = other.Outputs[0]
	case 3: // one more operator, which may mix the batch
		between(m, op, r)
	}
}

// between puts an operator behind op, in front of all who read its result.
func between(m *model.Model, op *model.Operator, r *rand.Rand) {
	g := m.Subgraphs[0]
	x := op.Outputs[0]
	t := *g.Tensors[x]
	t.Name = "between"
	g.Tensors = append(g.Tensors, &t)
	y := int32(len(g.Tensors) - 1)
	for _, other := range g.Operators {
		other.Inputs = slices.Clone(other.Inputs)
		for k, in := range other.Inputs {
			if in == x {
				other.Inputs[k] = y
			}
		}
	}
	axis := constant(m, g, []int32{int32(r.IntN(2))})
	more := &model.Operator{Inputs: []int32{x, axis}, Outputs: []int32{y}, OpcodeIndex: m.CodeIndex(model.OperatorCode{Builtin: model.OpReverseV2, Version: 1})}
	if r.IntN(2) == 0 {
		more = &model.Operator{Inputs: []int32{x}, Outputs: []int32{y}, OpcodeIndex: m.CodeIndex(model.OperatorCode{Builtin: model.OpRelu, Version: 1})}
	}
	g.Operators = slices.Insert(g.Operators, slices.Index(g.Operators, op)+1, more)
}

// TestWindowsMemory: without sharing, windows take the frame, the answers and twice
// what the net takes by itself, whatever their number; with it, where the limit is
// too low for all layers, fewer are shared.
func TestWindowsMemory(t *testing.T) {
	base := paddedNet(model.TypeFloat32, 32)
	alone, err := plainPlan(base, edged.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	m := onWindows(t, base, [2]int{200, 300}, [2]int{4, 4})
	k, _ := kernel.Default()
	t.Setenv(sharingVariable, "off")
	off, err := newPlan(k, m, edged.Options{Threads: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if most := off.inputs[0].bytes + off.outputs[0].bytes + 2*alone.arenaBytes; off.arenaBytes > most {
		t.Errorf("%d bytes, at most %d are asked for", off.arenaBytes, most)
	}
	t.Setenv(sharingVariable, "all")
	all, err := newPlan(k, m, edged.Options{Threads: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	limit := (all.arenaBytes + all.fixedBytes + off.arenaBytes + off.fixedBytes) / 2
	some, err := newPlan(k, m, edged.Options{Threads: 1, MemoryLimit: limit}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(some.loop.info.Shared); n >= len(all.loop.info.Shared) || some.arenaBytes+some.fixedBytes > limit {
		t.Errorf("%d of %d layers are shared, in %d of %d bytes", n, len(all.loop.info.Shared), some.arenaBytes+some.fixedBytes, limit)
	}
	if _, err := newPlan(k, m, edged.Options{Threads: 1, MemoryLimit: off.arenaBytes / 2}, nil); !errors.As(err, new(*MemoryError)) {
		t.Errorf("half the memory: %v", err)
	}
}

// TestWindowsAllocateNothing once an engine has run.
func TestWindowsAllocateNothing(t *testing.T) {
	e := open(t, fileOf(t, onWindows(t, paddedNet(model.TypeInt8, 32), [2]int{64, 64}, [2]int{8, 8})), edged.Options{Threads: 2})
	if n := testing.AllocsPerRun(3, func() { _ = e.Run() }); n > 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// No file can name the engine's own operators.
func TestOwnOperatorsAreNobodyElses(t *testing.T) {
	for _, name := range []string{gatherWindows, overWindows} {
		b := model.NewBuilder()
		m := b.Model(b.Custom(name, []byte{1, 2, 3}, []int{1, 1, 4, 1}, b.Input("x", model.TypeFloat32, 1, 1, 4, 1)))
		if _, err := Open(fileOf(t, m), edged.Options{}); !errors.As(err, new(*model.UnsupportedError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func fileOf(t *testing.T, m *model.Model) []byte {
	t.Helper()
	b, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
