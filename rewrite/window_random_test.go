package rewrite

import (
	"bytes"
	"fmt"
	"testing"

	"edged"
	"edged/fallback"
	"edged/model"
)

// drawPatch makes patch classifier number seed, padded for the most part: the
// layers of draw, squeeze-and-excitation, dynamic-range weights, and a head that
// leaves one position. nil where the draw does not fit.
func drawPatch(seed uint64) *model.Model {
	types := []model.TensorType{model.TypeFloat32, model.TypeFloat32, model.TypeInt8, model.TypeUint8}
	b := newMaker(seed, model.TypeFloat32)
	b.typ = types[b.r.IntN(len(types))]
	b.whole = b.typ == model.TypeFloat32 && b.r.IntN(4) == 0
	n := &randomNet{maker: b, e: pair{1, 1}}
	n.x = b.input(7+b.r.IntN(14), 7+b.r.IntN(14), 1+b.r.IntN(3))
	pads := b.r.IntN(6) != 0
	for range 1 + b.r.IntN(4) {
		n.layer(pads)
		switch b.r.IntN(8) {
		case 0:
			n.excite()
		case 1:
			n.dynamicRange()
		}
	}
	if b.Err() != nil {
		return nil
	}
	n.onePosition()
	m, err := b.Build(n.x)
	if err != nil {
		return nil
	}
	return m
}

// excite multiplies the map by a statistic of all of it.
func (n *randomNet) excite() {
	if s := n.Shape(n.x); n.typ == model.TypeFloat32 && !n.whole && len(s) == 4 {
		mean := n.Mean(n.x, true, 1, 2)
		n.x = n.Mul(n.x, n.Unary(model.OpLogistic, n.conv(mean, s[3], square(1, 1))), model.ActNone)
	}
}

// dynamicRange is a convolution of float32 with weights of 8 bits: it scales by
// the largest value of its whole input.
func (n *randomNet) dynamicRange() {
	s := n.Shape(n.x)
	if n.typ != model.TypeFloat32 || n.whole || len(s) != 4 {
		return
	}
	b := newMaker(uint64(n.r.IntN(1<<30)), model.TypeInt8)
	b.Builder, b.n = n.Builder, 1000+n.n
	n.n++
	w, _ := b.weights([]int{4, 3, 3, s[3]}, 0)
	bias := model.Const(n.Builder, fmt.Sprintf("dynamic%d", n.n), []int{4}, []float32{1, 0, -1, 2})
	n.x = n.Conv2D(n.x, w, bias, model.Conv2DOptions{Padding: model.PaddingSame, StrideH: 1, StrideW: 1})
}

// dynamicHead is a classifier's last layer with weights of 8 bits between floats.
func (n *randomNet) dynamicHead(x model.Ref, out int) model.Ref {
	b := newMaker(uint64(n.r.IntN(1<<30)), model.TypeInt8)
	b.Builder, b.n = n.Builder, 2000+n.n
	n.n++
	w, _ := b.fcWeights(out, n.Shape(x)[1])
	bias := model.Const(n.Builder, fmt.Sprintf("dynamic%d", n.n), []int{out}, make([]float32, out))
	return n.FullyConnected(x, w, bias, model.FullyConnectedOptions{})
}

// onePosition ends the net in one of the heads that classifiers have.
func (n *randomNet) onePosition() {
	s := n.Shape(n.x)
	out := 1 + n.r.IntN(4)
	switch kind := n.r.IntN(4); {
	case (kind == 0 || kind == 1) && n.typ == model.TypeFloat32 && !n.whole && n.r.IntN(4) == 0:
		n.x = n.dynamicHead(n.Mean(n.x, false, 1, 2), out)
	case kind == 0 || n.whole:
		n.x = n.fc(n.Reshape(n.x, 1, s[1]*s[2]*s[3]), out)
	case kind == 1:
		n.x = n.fc(n.Mean(n.x, false, 1, 2), out)
	case kind == 2:
		n.x = n.conv(n.Mean(n.x, true, 1, 2), out, square(1, 1).bare())
	default:
		n.x = n.avgPool(n.x, win{k: pair{s[1], s[2]}, s: pair{1, 1}, d: pair{1, 1}, pad: model.PaddingValid})
	}
}

// windowOptions draw a stride and a frame that holds at least one window.
func windowOptions(m *model.Model, seed uint64) Options {
	r := newRandom(seed)
	in := m.Subgraphs[0].Tensors[m.Subgraphs[0].Inputs[0]].Shape
	o := Options{Form: Windows}
	for i := range o.Input {
		o.OutputStride[i] = 1 + r.IntN(8)
		o.Input[i] = int(in[1+i]) + r.IntN(20)
	}
	return o
}

// tryWindows rewrites random patch classifiers window by window and verifies each.
func tryWindows(t *testing.T, count int, first uint64, verify verifier) {
	tried, vacuous := 0, 0
	part, of := shard(t)
	for seed := first + part; tried < count; seed += of {
		m := drawPatch(seed)
		if m == nil {
			continue
		}
		if tried++; tried%500 == 0 {
			t.Logf("%d nets so far", tried)
		}
		rep, o, err := tryWindow(m, seed, verify)
		switch {
		case err != nil:
			t.Errorf("net %d, %+v: %v", seed, o, err)
		case isVacuous(rep):
			vacuous++
		case rep.Level != Proved:
			t.Errorf("net %d, %+v: %s: %s", seed, o, rep.Level, rep.Why)
		}
	}
	t.Logf("%d nets, %d vacuous", tried, vacuous)
	if vacuous > tried/10 {
		t.Errorf("%d of %d nets prove nothing", vacuous, tried)
	}
}

func tryWindow(m *model.Model, seed uint64, verify verifier) (*Report, Options, error) {
	o := windowOptions(m, seed)
	base, err := m.Write()
	if err != nil {
		return nil, o, err
	}
	r, err := Rewrite(m, hashOf(base), o)
	if err != nil {
		return nil, o, err
	}
	dense, err := r.Model.Write()
	if err != nil {
		return nil, o, err
	}
	rep, err := verify(base, dense, VerifyOptions{Positions: 64, Seed: seed})
	return rep, o, err
}

// shared is what EDGED_SHARING can say: windows by themselves, layers shared as far
// as that is possible, and as far as it pays.
var shared = []string{"off", "all", ""}

// TestRandomWindowsShared: what windows share and what each computes by itself
// makes no difference, not in a bit where nothing but sums is computed.
func TestRandomWindowsShared(t *testing.T) {
	tried, sharing := 0, 0
	for seed := uint64(7_200_000); tried < randomNets(t, 150, 10000); seed++ {
		m := drawPatch(seed)
		if m == nil {
			continue
		}
		tried++
		r, err := Rewrite(m, "00", windowOptions(m, seed))
		if err != nil {
			t.Fatalf("net %d: %v", seed, err)
		}
		dense, err := r.Model.Write()
		if err != nil {
			t.Fatal(err)
		}
		var first [][]byte
		for _, how := range shared {
			t.Setenv("EDGED_SHARING", how)
			out := exactAnswers(t, dense, seed)
			if first == nil {
				first = out
			}
			if info, err := fallback.Describe(dense, edged.Options{}); err != nil || info.Windows == nil {
				t.Fatalf("net %d: it is not run window by window (%v)", seed, err)
			} else if how == "all" && len(info.Windows.Shared) > 0 {
				sharing++
			}
			for i := range out {
				if !bytes.Equal(out[i], first[i]) {
					t.Errorf("net %d, sharing %q: output %d is another one than without sharing", seed, how, i)
				}
			}
		}
	}
	t.Logf("%d of %d nets share layers", sharing, tried)
	if sharing < tried/2 {
		t.Errorf("only %d of %d nets share layers", sharing, tried)
	}
}

// exactAnswers are a file's outputs on noise, computed exactly.
func exactAnswers(t *testing.T, file []byte, seed uint64) [][]byte {
	t.Helper()
	e, err := fallback.Open(file, edged.Options{Threads: 1 + int(seed%2), Exact: true})
	if err != nil {
		t.Fatalf("net %d: %v", seed, err)
	}
	defer e.Close()
	fillRandom(e.Input(0), e.Inputs()[0].Type, newRandom(seed), false)
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for i := range e.Outputs() {
		out = append(out, bytes.Clone(e.Output(i)))
	}
	return out
}

// TestRandomWindows is the property of the form windows: padded nets, strides and
// frames at random, every window compared with the baseline on that window.
func TestRandomWindows(t *testing.T) {
	tryWindows(t, randomNets(t, 40, 10_000), 7_000_000, func(base, dense []byte, o VerifyOptions) (*Report, error) {
		return Verify(base, dense, fallback.Open, o)
	})
}

// TestDrawPatchDrawsEachKind: the property means something for the nets of the field
// only if they are among those drawn.
func TestDrawPatchDrawsEachKind(t *testing.T) {
	kinds, nets := map[string]int{}, 0
	for seed := uint64(7_000_000); nets < 400; seed++ {
		m := drawPatch(seed)
		if m == nil {
			continue
		}
		nets++
		g := m.Subgraphs[0]
		has := map[string]bool{}
		for i, op := range g.Operators {
			code := m.Code(op).Builtin
			in := g.Tensors[op.Inputs[0]]
			weighted := code == model.OpConv2D || code == model.OpFullyConnected
			switch {
			case weighted && in.Type == model.TypeFloat32 && g.Tensors[op.Inputs[1]].Type == model.TypeInt8:
				has["dynamic-range "+code.String()] = true
			case code == model.OpMul && m.Data(g.Tensors[op.Inputs[1]]) == nil && i > 0 && m.Code(g.Operators[i-1]).Builtin == model.OpLogistic:
				has["squeeze-excite"] = true
			}
			has["padded"] = has["padded"] || padsSame(op)
		}
		for k := range has {
			kinds[k]++
		}
	}
	for kind, least := range map[string]int{"dynamic-range CONV_2D": 20, "dynamic-range FULLY_CONNECTED": 8, "squeeze-excite": 20, "padded": 200} {
		if kinds[kind] < least {
			t.Errorf("%s: %d of %d nets, want %d: %v", kind, kinds[kind], nets, least, kinds)
		}
	}
}

func padsSame(op *model.Operator) bool {
	switch o := op.Options.(type) {
	case *model.Conv2DOptions:
		return o.Padding == model.PaddingSame
	case *model.DepthwiseConv2DOptions:
		return o.Padding == model.PaddingSame
	case *model.Pool2DOptions:
		return o.Padding == model.PaddingSame
	}
	return false
}
