//go:build tflite && cgo

package rewrite

import (
	"testing"

	"edged/model"
)

// mutantNet has what the mutants need: strided and unstrided convolutions of
// SAME and VALID padding, a max pool that pads, and strides that differ per
// axis.
func mutantNet(typ model.TensorType, pad model.Padding) func() *model.Model {
	return func() *model.Model {
		b := newMaker(31, typ)
		w := func(k, s int) win { v := square(k, s).bare(); v.pad = pad; return v }
		x := b.conv(b.input(46, 42, 3), 5, w(3, 2))
		x = b.maxPool(x, w(3, 2))
		x = b.conv(x, 5, w(3, 1))
		x = b.avgPool(x, win{pair{2, 3}, pair{2, 3}, pair{1, 1}, pad, 0})
		return b.Model(b.Name(b.conv(x, 4, w(2, 1)), "map"))
	}
}

// joinNet has branches of unequal dense length.
func joinNet() *model.Model {
	b := newMaker(32, model.TypeFloat32)
	x := b.conv(b.input(40, 36, 3), 4, square(3, 2).same())
	main := b.conv(x, 4, square(3, 2).same().bare())
	short := b.conv(x, 4, square(1, 2).same().bare())
	x = b.add(main, short)
	return b.Model(b.Name(b.conv(x, 3, square(2, 1).bare()), "map"))
}

// onWindows applies a fault to the dense windows of the nodes it is about.
func onWindows(fault func(nd *node, st *step)) func(*dense) {
	return func(d *dense) {
		for _, nd := range d.nodes {
			st := d.steps[nd]
			fault(nd, &st)
			d.steps[nd] = st
		}
	}
}

func scaled(nd *node, st *step, by pair) {
	for i := range by {
		st.ratio[i] = by[i]
		st.win.d[i], st.win.a[i], st.win.b[i] = nd.win.d[i]*by[i], nd.win.a[i]*by[i], nd.win.b[i]*by[i]
	}
}

func mutants() []mutant {
	valid, same := mutantNet(model.TypeFloat32, model.PaddingValid), mutantNet(model.TypeFloat32, model.PaddingSame)
	int8Same := mutantNet(model.TypeInt8, model.PaddingSame)
	unpadded := func(fault func(*node, *step)) func(*dense) { return onWindows(fault) }
	return []mutant{
		{name: "e_l for e_(l-1)", net: valid, plan: unpadded(func(nd *node, st *step) {
			scaled(nd, st, pair{st.ratio[0] * nd.win.s[0], st.ratio[1] * nd.win.s[1]})
		})},
		{name: "pool stride removed but not dilated", net: valid, plan: onWindows(func(nd *node, st *step) {
			if nd.kind == kindMax || nd.kind == kindMean {
				scaled(nd, st, pair{1, 1})
			}
		})},
		{name: "stride-1 layers left undilated", net: valid, plan: onWindows(func(nd *node, st *step) {
			if nd.win.s == (pair{1, 1}) {
				scaled(nd, st, pair{1, 1})
			}
		})},
		{name: "E counted from pools only", net: valid, plan: eFromPools},
		{name: "pads not scaled", net: same, plan: onWindows(func(nd *node, st *step) {
			if nd.kind == kindConv || nd.kind == kindMax {
				st.win.a, st.win.b = nd.win.a, nd.win.b
			}
		})},
		{name: "SAME kept", net: same, plan: func(d *dense) {
			for _, nd := range d.nodes {
				st := d.steps[nd]
				if st.block != (pair{1, 1}) && nd.kind == kindConv {
					resolved := window{k: st.win.k, s: pair{1, 1}, d: st.win.d}
					resolved.freeze(model.PaddingSame, pair{1000, 1000})
					st.win.a, st.win.b = resolved.a, resolved.b
				}
				d.steps[nd] = st
			}
		}},
		{name: "pads resolved again per shift", net: same, prep: resolvedAgain},
		{name: "PAD 0 for max", net: same, graph: zeroForLowest},
		{name: "PAD without quantization", net: int8Same, graph: func(m *model.Model) int {
			return editAll(m, model.OpPad, func(op *model.Operator) bool { return padByZeroByte(m, op) })
		}},
		{name: "average with padded divisor", net: same, graph: func(m *model.Model) int {
			return editAll(m, model.OpAveragePool2D, func(op *model.Operator) bool {
				o := *op.Options.(*model.Pool2DOptions)
				a := pair{(int(o.FilterHeight) - 1) / 2, (int(o.FilterWidth) - 1) / 2}
				insertPad(m, op, a, pair{int(o.FilterHeight) - 1 - a[0], int(o.FilterWidth) - 1 - a[1]})
				o.Padding = model.PaddingValid
				op.Options = &o
				return true
			})
		}},
		{name: "B2S in first-in order", net: valid, o: Options{Form: Fragments}, order: func(lo *lowering) {
			for v, l := range lo.at {
				h := []pair{}
				for i := len(l.hist) - 1; i >= 0; i-- {
					h = append(h, l.hist[i])
				}
				lo.at[v] = laid{l.t, h}
			}
		}},
		{name: "block axes swapped", net: valid, plan: onWindows(func(nd *node, st *step) {
			if nd.kind == kindMax || nd.kind == kindMean || nd.kind == kindConv {
				scaled(nd, st, pair{st.ratio[1], st.ratio[0]})
			}
		})},
		{name: "batch order swapped", net: valid, o: Options{Form: Fragments}, graph: func(m *model.Model) int {
			return editAll(m, model.OpBatchToSpaceND, func(op *model.Operator) bool { return swapBlocks(m, op) })
		}},
		{name: "crop at the wrong end", net: valid, o: Options{Form: Fragments}, graph: func(m *model.Model) int {
			return editAll(m, model.OpBatchToSpaceND, func(op *model.Operator) bool { return cropsInFront(m, op) })
		}},
		{name: "joins cropped at the start", net: joinNet, graph: joinsAtStart},
	}
}

func eFromPools(d *dense) {
	e := map[*value]pair{d.input: {1, 1}}
	for _, nd := range d.nodes {
		st, r := d.steps[nd], e[nd.maps()[0]]
		scaled(nd, &st, r)
		d.steps[nd] = st
		if nd.kind == kindMax || nd.kind == kindMean || nd.kind == kindCrop {
			r = pair{r[0] * nd.win.s[0], r[1] * nd.win.s[1]}
		}
		e[nd.out[0]] = r
	}
}

// resolvedAgain takes the pads that SAME would have on a map one pixel larger.
func resolvedAgain(n *net) {
	for _, nd := range n.nodes {
		if nd.kind != kindConv && nd.kind != kindMax {
			continue
		}
		n := nd.maps()[0].n
		nd.win.freeze(model.PaddingSame, pair{n[0] + 1, n[1] + 1})
	}
	if err := n.place(n.frame); err != nil {
		panic(err)
	}
}

func zeroForLowest(m *model.Model) int {
	n := 0
	for _, op := range opsOf(m, model.OpPadV2) {
		t := m.Subgraphs[0].Tensors[op.Inputs[2]]
		m.Buffers[t.Buffer] = &model.Buffer{Data: make([]byte, len(m.Data(t)))}
		n++
	}
	return n
}

// padByZeroByte makes a PAD write the byte 0, as it does without quantization.
func padByZeroByte(m *model.Model, op *model.Operator) bool {
	g := m.Subgraphs[0]
	out := g.Tensors[op.Outputs[0]]
	m.Buffers = append(m.Buffers, &model.Buffer{Data: []byte{0}})
	g.Tensors = append(g.Tensors, &model.Tensor{Name: "zero", Type: out.Type, Quantization: out.Quantization, Buffer: uint32(len(m.Buffers) - 1), HasRank: true})
	op.OpcodeIndex = m.CodeIndex(model.OperatorCode{Builtin: model.OpPadV2, Version: 2})
	op.Options = &model.PadV2Options{}
	op.Inputs = append(op.Inputs[:2:2], int32(len(g.Tensors)-1))
	return true
}

// swapBlocks exchanges y and x of a square block's fragments by reading the
// batch in the other order: it transposes the block of a B2S that is square.
func swapBlocks(m *model.Model, op *model.Operator) bool {
	b, _ := ints(m, m.Subgraphs[0].Tensors[op.Inputs[1]])
	if b[0] == b[1] {
		return false
	}
	g := m.Subgraphs[0]
	n := int(g.Tensors[op.Inputs[0]].Shape[0])
	order := make([]int, n)
	per := n / (b[0] * b[1])
	for y := range b[0] {
		for x := range b[1] {
			for k := range per {
				order[(y*b[1]+x)*per+k] = (x*b[0]+y)*per + k
			}
		}
	}
	insertGather(m, op, order)
	return true
}

func insertGather(m *model.Model, op *model.Operator, order []int) {
	g := m.Subgraphs[0]
	x := *g.Tensors[op.Inputs[0]]
	m.Buffers = append(m.Buffers, &model.Buffer{Data: int32Bytes(order...)})
	g.Tensors = append(g.Tensors, &model.Tensor{Name: "order", Type: model.TypeInt32, Shape: []int32{int32(len(order))}, Buffer: uint32(len(m.Buffers) - 1), HasRank: true}, &x)
	x.Name += "/swapped"
	y := int32(len(g.Tensors) - 1)
	gather := &model.Operator{OpcodeIndex: m.CodeIndex(model.OperatorCode{Builtin: model.OpGather, Version: 1}), Options: &model.GatherOptions{},
		Inputs: []int32{op.Inputs[0], y - 1}, Outputs: []int32{y}}
	for i, o := range g.Operators {
		if o == op {
			g.Operators = append(g.Operators[:i:i], append([]*model.Operator{gather}, g.Operators[i:]...)...)
			break
		}
	}
	op.Inputs = append([]int32{y}, op.Inputs[1:]...)
}

func cropsInFront(m *model.Model, op *model.Operator) bool {
	changed := false
	setInts(m, op, 2, func(v []int) {
		changed = v[1] > 0 || v[3] > 0
		v[0], v[1], v[2], v[3] = v[1], v[0], v[3], v[2]
	})
	return changed
}

func joinsAtStart(m *model.Model) int {
	g := m.Subgraphs[0]
	adds := map[int32]bool{}
	for _, op := range opsOf(m, model.OpAdd) {
		adds[op.Inputs[0]], adds[op.Inputs[1]] = true, true
	}
	return editAll(m, model.OpSlice, func(op *model.Operator) bool {
		if !adds[op.Outputs[0]] {
			return false
		}
		have, keep := g.Tensors[op.Inputs[0]].Shape, g.Tensors[op.Outputs[0]].Shape
		setInts(m, op, 1, func(v []int) { v[1], v[2] = int(have[1]-keep[1]), int(have[2]-keep[2]) })
		return true
	})
}

// TestVerifyKillsEveryMutant breaks dense graphs on purpose; each must fail
// verification by what it computes, and the unbroken one must pass.
func TestVerifyKillsEveryMutant(t *testing.T) {
	for _, x := range mutants() {
		t.Run(x.name, func(t *testing.T) {
			base := x.net()
			if x.o.Form == "" {
				x.o.Form = Dilated
			}
			right := x
			right.plan, right.order, right.graph, right.prep = nil, nil, nil, nil
			if r := verdictOf(t, right, base); !r.Equivalent {
				t.Fatalf("the right graph fails: %s", r.Why)
			}
			r := verdictOf(t, x, base)
			if r.Equivalent {
				t.Fatalf("survived: %+v", *r)
			}
			if r.MaxAbsDiff == 0 {
				t.Errorf("killed by something else than its values: %s", r.Why)
			}
		})
	}
}

func verdictOf(t *testing.T, x mutant, base *model.Model) *Report {
	t.Helper()
	m, err := lowerMutant(x, base)
	if err != nil {
		t.Fatal(err)
	}
	dense, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	b, err := base.Write()
	if err != nil {
		t.Fatal(err)
	}
	r, err := verifyOnTFLite(b, dense, VerifyOptions{BlackBox: true})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
