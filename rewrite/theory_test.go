package rewrite

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"edged"
	"edged/fallback"
	"edged/model"

	"github.com/google/go-cmp/cmp"
)

// layer1 is a layer of the reference simulator: one axis, whole numbers.
type layer1 struct {
	w          []int // nil: max
	k, s, d    int
	a, b, bias int
}

const minusInf = -1 << 40

// run computes the layer by its definition at stride s and dilation d with
// pads a and b.
func (l layer1) run(x []int, s, d, a, b int) []int {
	var out []int
	for at := -a; at+(l.k-1)*d < len(x)+b; at += s {
		sum, best := l.bias, minusInf
		for i := range l.k {
			if p := at + i*d; p >= 0 && p < len(x) {
				best = max(best, x[p])
				if l.w != nil {
					sum += l.w[i] * x[p]
				}
			}
		}
		if l.w == nil {
			sum = best
		} else {
			sum = max(sum, -7)
		}
		out = append(out, sum)
	}
	return out
}

func strided(net []layer1, x []int) []int {
	for _, l := range net {
		x = l.run(x, l.s, l.d, l.a, l.b)
	}
	return x
}

func literalDense(net []layer1, x []int) []int {
	e := 1
	for _, l := range net {
		x = l.run(x, 1, l.d*e, l.a*e, l.b*e)
		e *= l.s
	}
	return x
}

func drawLayers(r *rand.Rand, pads bool) []layer1 {
	var net []layer1
	for range 1 + r.IntN(4) {
		l := layer1{k: 1 + r.IntN(5), s: 1 + r.IntN(3), d: 1 + r.IntN(2), bias: r.IntN(5) - 2}
		if r.IntN(3) > 0 {
			for range l.k {
				l.w = append(l.w, r.IntN(5)-2)
			}
		}
		if pads {
			l.a, l.b = r.IntN(l.k), r.IntN(l.k)
		}
		net = append(net, l)
	}
	return net
}

func reach(net []layer1) (e, field int) {
	e, field = 1, 1
	for _, l := range net {
		field += (l.k - 1) * l.d * e
		e *= l.s
	}
	return e, field
}

// TestTheoremA: D[t] = N(x[t : t+R]) for every t, on whole-number nets without
// padding.
func TestTheoremA(t *testing.T) {
	for seed := range uint64(400) {
		r := newRandom(seed)
		net := drawLayers(r, false)
		_, field := reach(net)
		x := noise(r, field+r.IntN(30))
		d := literalDense(net, x)
		if len(d) != len(x)-field+1 {
			t.Fatalf("net %d: %d outputs, want %d", seed, len(d), len(x)-field+1)
		}
		for p := range d {
			if n := strided(net, x[p:p+field]); n[0] != d[p] {
				t.Fatalf("net %d position %d: %d, the window gives %d", seed, p, d[p], n[0])
			}
		}
	}
}

// TestTheoremB: phase 0 equals the strided net, borders included; other phases
// wherever place says that no padded value is seen.
func TestTheoremB(t *testing.T) {
	for seed := range uint64(400) {
		r := newRandom(seed)
		net := drawLayers(r, true)
		e, _ := reach(net)
		x := noise(r, 20+r.IntN(30))
		n := strided(net, x)
		if len(n) == 0 {
			continue
		}
		d := literalDense(net, x)
		g := placeLayers(net, len(x))
		if g.e != e || g.n != len(n) || g.span != len(d) {
			t.Fatalf("net %d: placed %+v; simulated e=%d n=%d span=%d", seed, g, e, len(n), len(d))
		}
		ext := append(slices.Clone(x), make([]int, e-1)...)
		for off := range e {
			crop := strided(net, ext[off:off+len(x)])
			for j, want := range crop {
				p := off + j*e
				if p >= len(d) || off > 0 && (p-off < g.before || g.span-1-p < g.after) {
					continue
				}
				if d[p] != want {
					t.Fatalf("net %d phase %d unit %d: %d, the crop gives %d", seed, off, j, d[p], want)
				}
			}
		}
	}
}

func placeLayers(net []layer1, n int) axisGrid {
	g := axisGrid{e: 1, r: 1, n: n, span: n, before: unpadded, after: unpadded}
	v := &value{}
	v.grid[0] = g
	for _, l := range net {
		nd := &node{kind: kindConv, win: window{k: pair{l.k, 1}, s: pair{l.s, 1}, d: pair{l.d, 1}, a: pair{l.a, 0}, b: pair{l.b, 0}}, args: []arg{{val: v}}}
		next, err := nd.placeAxis(0)
		if err != nil {
			panic(err)
		}
		v = &value{}
		v.grid[0] = next
	}
	return v.grid[0]
}

func noise(r *rand.Rand, n int) []int {
	x := make([]int, n)
	for i := range x {
		x[i] = r.IntN(19) - 9
	}
	return x
}

// TestAuthorsEPoolVectors are the values of the paper's own implementation,
// Caffe pull request 4301.
func TestAuthorsEPoolVectors(t *testing.T) {
	five := []float32{1, 2, 5, 2, 3, 9, 4, 1, 4, 8, 1, 2, 5, 2, 3, 3, 5, 8, 7, 1, 6, 2, 9, 1, 7}
	three := []float32{1, 2, 4, 2, 3, 2, 4, 2, 1}
	for _, c := range []struct {
		size, k, pad int
		in, want     []float32
	}{
		{5, 2, 0, five, []float32{5, 2, 5, 9, 7, 8, 9, 2, 9}},
		{3, 3, 2, three, []float32{4, 2, 4, 2, 3, 2, 4, 2, 4}},
	} {
		nd := &node{kind: kindMax, code: model.OpMaxPool2D, win: square(c.k, 1).window(),
			op: &model.Operator{Options: &model.Pool2DOptions{FilterHeight: int32(c.k), FilterWidth: int32(c.k), Padding: model.PaddingValid}}}
		got := runEPool(t, nd, c.size, c.pad, c.in)
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("ePool k=%d eST=2 pad=%d (-want +got):\n%s", c.k, c.pad, d)
		}
	}
}

func (w win) window() window { return window{k: w.k, s: w.s, d: w.d} }

// runEPool emits one pool at eST 2 and runs it.
func runEPool(t *testing.T, nd *node, size, pad int, in []float32) []float32 {
	t.Helper()
	b := model.NewBuilder()
	x := b.Input("x", model.TypeFloat32, 1, size, size, 1)
	m := b.Model(b.Relu(x))
	m.OperatorCodes = append(m.OperatorCodes, &model.OperatorCode{Builtin: model.OpMaxPool2D, Version: 1})
	nd.op.OpcodeIndex = uint32(len(m.OperatorCodes) - 1)
	v := &value{name: "x", ch: 1, n: pair{size, size}}
	nd.args, nd.out = []arg{{val: v, konst: -1}}, []*value{{name: "y", ch: 1}}
	lo := &lowering{dense: &dense{net: &net{m: m, g: m.Subgraphs[0]}}, emitter: newEmitter(m)}
	src := lo.addTensor(&model.Tensor{Name: "x", Shape: []int32{1, int32(size), int32(size), 1}, HasRank: true})
	lo.emitter.g.Inputs = []int32{src}
	st := step{win: nd.win, ratio: pair{2, 2}, block: pair{1, 1}}
	st.win.d, st.win.a, st.win.b = pair{2, 2}, pair{pad, pad}, pair{pad, pad}
	lo.emitter.g.Outputs = []int32{lo.emitPool(nd, st, src, nd.out[0].spec())}
	file, err := lo.emitter.m.Write()
	if err != nil {
		t.Fatal(err)
	}
	e, err := fallback.Open(file, edged.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	copy(edged.View[float32](e.Input(0)), in)
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(edged.View[float32](e.Output(0)))
}

func TestFrameSmallerThanTheFieldIsRefused(t *testing.T) {
	_, err := Rewrite(poolNet(1, model.TypeFloat32, 46, 41), "00", Options{Input: [2]int{21, 41}})
	if asRefusal(err) == nil {
		t.Errorf("error %v, want a refusal: the receptive field is 22", err)
	}
	r, err := Rewrite(poolNet(1, model.TypeFloat32, 46, 41), "00", Options{Input: [2]int{22, 22}})
	if err != nil || r.Outputs[0].Size != [2]int{1, 1} {
		t.Errorf("T = 1: %v, %+v", err, r)
	}
}

func TestOutputStrideMustBeAPrefixProduct(t *testing.T) {
	_, err := Rewrite(poolNet(1, model.TypeFloat32, 46, 41), "00", Options{OutputStride: [2]int{3, 3}})
	var usage *UsageError
	if !errors.As(err, &usage) {
		t.Errorf("error %v, want wrong usage", err)
	}
}

// TestStrideOneIsTheIdentity: a net without strides comes back as it is.
func TestStrideOneIsTheIdentity(t *testing.T) {
	b := newMaker(5, model.TypeInt8)
	x := b.conv(b.input(12, 12, 3), 4, square(3, 1).same())
	x = b.maxPool(b.conv(x, 4, square(2, 1)), square(3, 1).same())
	m := written(t, b.Model(b.Name(x, "map")))
	for _, f := range []Form{Auto, Dilated, Fragments, Shifts} {
		r, err := Rewrite(m, "00", Options{Form: f})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(opList(m), opList(r.Model)); d != "" {
			t.Errorf("%s: operators changed (-before +after):\n%s", f, d)
		}
	}
}

func opList(m *model.Model) []any {
	var l []any
	for _, op := range m.Subgraphs[0].Operators {
		l = append(l, m.Code(op).Builtin.String(), op.Options)
	}
	return l
}
