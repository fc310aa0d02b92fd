package rewrite

import (
	"fmt"
	"slices"

	"edged/model"
)

// laid is a map in the emitted graph. In the fragments form it lies in the
// batch, split by the blocks of hist in that order.
type laid struct {
	t    int32
	hist []pair
}

// lowering writes a dense net as operators.
type lowering struct {
	*dense
	*emitter
	fragments bool
	at        map[*value]laid
	now       *node
}

// lower writes the dense net as a graph whose maps are whole (dilated) or
// split over the batch (fragments).
func (d *dense) lower(fragments bool) (lo *lowering, err error) {
	if err := d.refusal(); err != nil {
		return nil, err
	}
	lo = &lowering{dense: d, emitter: newEmitter(d.m), fragments: fragments, at: map[*value]laid{}}
	defer func() {
		if r := recover(); r != nil {
			err = lo.explain(r)
		}
	}()
	lo.emitInput()
	for _, nd := range d.nodes {
		lo.now = nd
		lo.emitNode(nd)
	}
	lo.now = nil
	lo.emitOutputs(lo.target)
	return lo, nil
}

// explain turns the panic of an emitter's helper into the error it carries.
func (lo *lowering) explain(r any) error {
	e, ok := r.(emitError)
	if !ok {
		panic(r)
	}
	if why := asRefusal(e.err); why != nil && why.Op == "" && lo.now != nil {
		why.Op, why.Index = lo.opName(lo.now.op), lo.now.index
	}
	return e.err
}

// emitInput declares the frame as [1, h, w, c], the way that cameras give it,
// whatever layout the baseline's input has.
func (lo *lowering) emitInput() {
	lo.at[lo.input] = laid{t: lo.declareFrame(lo.dense.net.g.Tensors[lo.input.tensor], lo.frame, lo.input.ch)}
}

// declareFrame is the input of every dense graph.
func (e *emitter) declareFrame(src *model.Tensor, frame pair, ch int) int32 {
	t := e.addTensor(&model.Tensor{Name: src.Name, Type: src.Type, Quantization: src.Quantization,
		Shape: []int32{1, int32(frame[0]), int32(frame[1]), int32(ch)}, HasRank: true})
	e.g.Inputs = []int32{t}
	return t
}

// common brings a node's map inputs to one arrangement and one length.
func (lo *lowering) common(nd *node) []int32 {
	in := nd.maps()
	if nd.kind == kindMixed {
		return lo.plain(in)
	}
	first := lo.at[in[0]]
	out := make([]int32, len(in))
	for i, v := range in {
		l := lo.at[v]
		if !slices.Equal(l.hist, first.hist) {
			l = lo.rearrange(l, first.hist, v)
		}
		out[i] = l.t
	}
	n := lo.size(out[0])
	for _, t := range out {
		s := lo.size(t)
		n = pair{min(n[0], s[0]), min(n[1], s[1])}
	}
	if !lo.fragments {
		want := lo.shortest(nd)
		if n != want {
			panic(fmt.Sprintf("BUG: emitted length %v, computed %v", n, want))
		}
	}
	for i, t := range out {
		out[i] = lo.crop(t, pair{}, n, in[i].spec().suffix("/crop"))
	}
	return out
}

func (lo *lowering) plain(in []*value) []int32 {
	var out []int32
	for _, v := range in {
		out = append(out, lo.at[v].t)
	}
	return out
}

// rearrange changes in which nesting of blocks a map lies in the batch: two
// nested 2x2 blocks are not one 4x4 block.
func (lo *lowering) rearrange(l laid, hist []pair, v *value) laid {
	same := 0
	for same < len(hist) && same < len(l.hist) && hist[same] == l.hist[same] {
		same++
	}
	s := v.spec().suffix("/order")
	for i := len(l.hist) - 1; i >= same; i-- {
		l.t = lo.whole(l.t, l.hist[i], s)
	}
	for _, b := range hist[same:] {
		l.t = lo.spaceToBatch(l.t, b, tailFor(lo.size(l.t), b), s)
	}
	return laid{t: l.t, hist: hist}
}

// whole undoes one split and keeps every element.
func (lo *lowering) whole(t int32, block pair, s spec) int32 {
	n := lo.size(t)
	return lo.batchToSpace(t, block, pair{n[0] * block[0], n[1] * block[1]}, s)
}

// emitNode writes one node and, in the fragments form, splits its outputs by
// the stride that it lost.
func (lo *lowering) emitNode(nd *node) {
	st := lo.steps[nd]
	in := lo.common(nd)
	if lo.fragments {
		st.ratio = pair{1, 1}
		kept := st.win.s
		st.win = nd.win
		st.win.s = kept
	}
	out := lo.emitKind(nd, st, in)
	hist := lo.at[nd.maps()[0]].hist
	for i, v := range nd.out {
		l := laid{t: out[i], hist: hist}
		if lo.fragments && st.block != (pair{1, 1}) {
			l.t = lo.spaceToBatch(l.t, st.block, tailFor(lo.size(l.t), st.block), v.spec().suffix("/split"))
			l.hist = append(slices.Clone(hist), st.block)
		}
		lo.at[v] = l
	}
}

func (lo *lowering) emitKind(nd *node, st step, in []int32) []int32 {
	s := nd.out[0].spec()
	w := st.win
	switch nd.kind {
	case kindConv:
		return []int32{lo.emitConv(nd, w, in[0], s)}
	case kindFlat:
		return []int32{lo.emitFlat(nd, w, in[0], s)}
	case kindRows:
		return []int32{lo.emitRows(nd, in[0], s)}
	case kindMax, kindMean, kindAverage:
		return []int32{lo.emitPool(nd, st, in[0], s)}
	case kindGlobal:
		return []int32{lo.emitGlobal(nd, st, in[0], s)}
	case kindPad:
		return []int32{lo.emitPad(nd, w, in[0], s)}
	case kindCrop:
		begin := pair{-w.a[0], -w.a[1]}
		return []int32{lo.cropStrided(in[0], begin, w.out(lo.size(in[0])), w.s, s)}
	case kindUp:
		return []int32{lo.emitUp(nd, in[0], s)}
	}
	return lo.emitPoint(nd, in)
}

// emitOutputs brings every output back to one map of the size it is promised
// to have.
func (lo *lowering) emitOutputs(size func(*value) pair) {
	done := map[int32]bool{}
	for _, o := range lo.outputs {
		v := o.val
		l := lo.at[v]
		n := size(v)
		s := v.spec().suffix("/dense")
		for i := len(l.hist) - 1; i > 0; i-- {
			l.t = lo.whole(l.t, l.hist[i], s)
		}
		if len(l.hist) > 0 {
			l.t = lo.batchToSpace(l.t, l.hist[0], n, s)
		}
		l.t = lo.crop(l.t, pair{}, n, s)
		if done[l.t] || l.t == lo.emitter.g.Inputs[0] {
			l.t = lo.reshape(l.t, s, 1, n[0], n[1], v.ch)
		}
		done[l.t] = true
		lo.rename(l.t, lo.dense.net.g.Tensors[o.tensor].Name)
		lo.emitter.g.Outputs = append(lo.emitter.g.Outputs, l.t)
	}
}

// rename gives an output its baseline's name; whatever had it steps aside.
func (e *emitter) rename(t int32, name string) {
	if name == "" || e.g.Tensors[t].Name == name {
		return
	}
	for _, o := range e.g.Tensors {
		if o.Name == name {
			o.Name = e.unique(name + "/strided")
		}
	}
	e.g.Tensors[t].Name = name
	e.names[name] = true
}
