package fallback

import (
	"encoding/binary"
	"math"
	"slices"

	"edged/model"
)

// fused is what fusion added to an operator.
type fused struct {
	pads       *[4]int   // top, bottom, left, right; nil: as the options say
	dilate     [2]int    // factors on the operator's own dilation, y and x
	lo, hi     float32   // clamp of float results
	block      [2]int    // the padded input must be a multiple of these,
	padded     [2]int    // with this much padding: what SPACE_TO_BATCH_ND demands
	residual   *residual // the ADD behind it, or nil
	before     *node     // the PAD of a residual, planned only with this ADD
	deferrable bool      // a max pool that its reader may compute
}

var unfused = fused{dilate: [2]int{1, 1}, lo: -math.MaxFloat32, hi: math.MaxFloat32, block: [2]int{1, 1}}

// fuser rewrites the list of operators. Every rule is exact: the fused graph
// computes the same bits.
type fuser struct {
	p         *plan
	nodes     []*node // nil where absorbed
	consumers map[int32][]int
	producer  map[int32]int
}

// newFuser lists the producer and the consumers of each tensor.
func newFuser(p *plan, nodes []*node) *fuser {
	f := &fuser{p: p, nodes: nodes, consumers: map[int32][]int{}, producer: map[int32]int{}}
	for i, n := range nodes {
		for _, t := range n.in {
			f.consumers[t] = append(f.consumers[t], i)
		}
		for _, t := range n.out {
			f.producer[t] = i
		}
	}
	return f
}

// is says that operator i has this code and is not fused away.
func (f *fuser) is(i int, code model.BuiltinOperator) bool {
	return f.nodes[i] != nil && f.nodes[i].code.Builtin == code
}

// before is the operator whose only result n reads first and nobody else sees.
func (f *fuser) before(n *node, code model.BuiltinOperator) (int, bool) {
	if len(n.in) == 0 {
		return 0, false
	}
	i, ok := f.producer[n.in[0]]
	return i, ok && f.private(n.in[0]) && f.is(i, code) && len(f.nodes[i].out) == 1
}

// after is the operator that alone reads n's only result.
func (f *fuser) after(n *node) (int, bool) {
	if len(n.out) != 1 || !f.private(n.out[0]) {
		return 0, false
	}
	i := f.consumers[n.out[0]][0]
	return i, f.nodes[i] != nil && f.nodes[i] != n
}

// private says that a computed tensor has one reader and is no output.
func (f *fuser) private(t int32) bool {
	return t >= 0 && len(f.consumers[t]) == 1 && !f.p.tensors[t].output && !f.p.tensors[t].input
}

// ints reads a constant int32 operand, nil if it is none.
func (f *fuser) ints(n *node, i, count int) []int {
	if i >= len(n.in) || n.in[i] < 0 {
		return nil
	}
	t := f.p.tensors[n.in[i]]
	if t.typ != model.TypeInt32 || len(t.raw) != 4*count {
		return nil
	}
	v := make([]int, count)
	for k := range v {
		if v[k] = int(int32(binary.LittleEndian.Uint32(t.raw[4*k:]))); v[k] < 0 || v[k] > 1<<20 {
			return nil
		}
	}
	return v
}

// window reads the window of a sliding operator, where its size is known.
func (f *fuser) window(n *node) (w model.Window, ok bool) {
	w, ok = model.WindowOf(f.p.m, f.p.sub, n.op)
	if !ok || w.Pool {
		return w, ok
	}
	if len(n.in) < 2 || n.in[1] < 0 {
		return w, false
	}
	filter := f.known(n.in[1])
	if len(filter) != 4 {
		return w, false
	}
	w.Filter = [2]int{filter[1], filter[2]}
	return w, true
}

// known is the shape of a constant, or of one that DEQUANTIZE unpacks: nets
// with float16 weights have one before each convolution.
func (f *fuser) known(t int32) []int {
	if i, ok := f.producer[t]; ok && f.is(i, model.OpDequantize) && len(f.nodes[i].in) == 1 && f.nodes[i].in[0] >= 0 {
		t = f.nodes[i].in[0]
	}
	return f.p.tensors[t].shape
}

// dilation fuses S2B, a sliding operator of stride 1, B2S: the same operator,
// dilated by the block. Zeros that S2B pads with are values, as they are to a
// convolution; a pool may not see them.
func (f *fuser) dilation(i int) {
	n := f.nodes[i]
	w, ok := f.window(n)
	if !ok || w.Stride != [2]int{1, 1} || min(w.Filter[0], w.Filter[1], w.Dilation[0], w.Dilation[1]) < 1 ||
		max(w.Filter[0], w.Filter[1]) > 1<<12 || max(w.Dilation[0], w.Dilation[1]) > 1<<12 {
		return
	}
	first, ok := f.before(n, model.OpSpaceToBatchND)
	if !ok {
		return
	}
	last, ok := f.after(n)
	if !ok || !f.is(last, model.OpBatchToSpaceND) || len(f.nodes[last].out) != 1 || f.nodes[last].in[0] != n.out[0] {
		return
	}
	block, pads := f.ints(f.nodes[first], 1, 2), f.ints(f.nodes[first], 2, 4)
	back, crops := f.ints(f.nodes[last], 1, 2), f.ints(f.nodes[last], 2, 4)
	if block == nil || pads == nil || crops == nil || !slices.Equal(block, back) || min(block[0], block[1]) < 1 ||
		!f.sameValues(f.nodes[first]) || !f.sameValues(f.nodes[last]) {
		return
	}
	all := [4]int{}
	for axis := range 2 {
		before, after := w.Pads(axis, 1) // at stride 1 they depend on no size
		zeros := pads[2*axis] + pads[2*axis+1]
		all[2*axis] = pads[2*axis] + int(before)*block[axis] - crops[2*axis]
		all[2*axis+1] = pads[2*axis+1] + int(after)*block[axis] - crops[2*axis+1]
		if w.Pool && zeros > 0 && max(all[2*axis], all[2*axis+1]) > 0 {
			return
		}
	}
	n.fused.pads, n.fused.dilate = &all, [2]int{block[0], block[1]}
	n.fused.block, n.fused.padded = n.fused.dilate, [2]int{pads[0] + pads[1], pads[2] + pads[3]}
	f.bypassInput(i, first)
	f.bypassOutput(i, last)
}

// sameValues says that an operator which only moves values keeps type and
// scale, and that the tensor is an image.
func (f *fuser) sameValues(n *node) bool {
	if len(n.in) == 0 || n.in[0] < 0 {
		return false // the planner refuses it
	}
	a, b := f.p.tensors[n.in[0]], f.p.tensors[n.out[0]]
	return a.typ == b.typ && a.quant.same(b.quant)
}

// bypassInput has operator i read what operator gone reads first.
func (f *fuser) bypassInput(i, gone int) {
	n := f.nodes[i]
	n.in = slices.Clone(n.in)
	n.in[0] = f.nodes[gone].in[0]
	for k, c := range f.consumers[n.in[0]] {
		if c == gone {
			f.consumers[n.in[0]][k] = i
		}
	}
	f.nodes[gone] = nil
}

// bypassOutput has operator i write what operator gone writes.
func (f *fuser) bypassOutput(i, gone int) {
	n := f.nodes[i]
	n.out = f.nodes[gone].out
	f.producer[n.out[0]] = i
	f.nodes[gone] = nil
}

// padding fuses PAD before a VALID convolution, and PADV2 with the type's
// least value before a VALID max pool, which leaves padding out.
func (f *fuser) padding(i int) {
	n := f.nodes[i]
	w, ok := f.window(n)
	if !ok || w.Padding != model.PaddingValid && n.fused.pads == nil {
		return
	}
	code := model.OpPad
	if w.Pool {
		code = model.OpPadV2
	}
	first, ok := f.before(n, code)
	if !ok || !f.sameValues(f.nodes[first]) || w.Pool && !f.least(n, f.nodes[first]) {
		return
	}
	v := f.ints(f.nodes[first], 1, 8)
	if v == nil || v[0]+v[1]+v[6]+v[7] != 0 || f.fillsOdd(f.nodes[first]) {
		return
	}
	all := [4]int{}
	if n.fused.pads != nil {
		all = *n.fused.pads
	}
	for k := range all {
		all[k] += v[2+k]
	}
	n.fused.pads = &all
	n.fused.padded[0] += v[2] + v[3]
	n.fused.padded[1] += v[4] + v[5]
	f.bypassInput(i, first)
}

// least says that a PADV2 before a max pool fills with the least value.
func (f *fuser) least(n, pad *node) bool {
	if n.code.Builtin != model.OpMaxPool2D || len(pad.in) < 3 || pad.in[2] < 0 {
		return false
	}
	t := f.p.tensors[pad.in[2]]
	switch {
	case t.raw == nil || t.typ != f.p.tensors[pad.in[0]].typ:
		return false
	case t.typ == model.TypeInt8:
		return len(t.raw) == 1 && int8(t.raw[0]) == math.MinInt8
	case t.typ == model.TypeUint8:
		return len(t.raw) == 1 && t.raw[0] == 0
	case t.typ == model.TypeFloat32:
		return len(t.raw) == 4 && math.Float32frombits(binary.LittleEndian.Uint32(t.raw)) <= -math.MaxFloat32
	}
	return false
}

// fillsOdd says that a PAD of quantised values fills with a raw zero that is
// not the zero point: its output has no scale.
func (f *fuser) fillsOdd(n *node) bool {
	t := f.p.tensors[n.out[0]]
	return n.code.Builtin == model.OpPad && t.quantised() && len(t.quant.scale) == 0
}

// activation fuses a clamp of floats into the operator that makes them.
func (f *fuser) activation(i int) {
	n := f.nodes[i]
	if !clamps[n.code.Builtin] || len(n.out) != 1 || f.p.tensors[n.out[0]].typ != model.TypeFloat32 {
		return
	}
	next, ok := f.after(n)
	if !ok || len(f.nodes[next].out) != 1 || f.p.tensors[f.nodes[next].out[0]].typ != model.TypeFloat32 {
		return
	}
	switch f.nodes[next].code.Builtin {
	case model.OpRelu:
		n.fused.lo = 0
	case model.OpRelu6:
		n.fused.lo, n.fused.hi = 0, 6
	case model.OpReluN1To1:
		n.fused.lo, n.fused.hi = -1, 1
	default:
		return
	}
	f.bypassOutput(i, next)
}

// clamps lists the operators that apply fused.lo and fused.hi.
var clamps = map[model.BuiltinOperator]bool{
	model.OpConv2D: true, model.OpDepthwiseConv2D: true, model.OpFullyConnected: true, model.OpTransposeConv: true,
	model.OpAdd: true, model.OpSub: true, model.OpMul: true, model.OpAveragePool2D: true, model.OpMaxPool2D: true,
}
