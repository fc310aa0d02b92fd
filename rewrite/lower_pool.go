package rewrite

import (
	"fmt"

	"edged/model"
)

// emitPool writes an ePool. TFLite's pools have no dilation: the map is split
// into ratio[0]*ratio[1] fragments, pooled, and put together again.
func (lo *lowering) emitPool(nd *node, st step, in int32, s spec) int32 {
	w := st.win
	o := *nd.op.Options.(*model.Pool2DOptions)
	o.StrideH, o.StrideW = int32(w.s[0]), int32(w.s[1])
	if nd.kind == kindAverage {
		o.Padding = model.PaddingSame
		if st.ratio == (pair{1, 1}) {
			return lo.poolOp(nd, &o, in, s)
		}
		return lo.pooled(nd, &o, st.ratio, in, lo.size(in), s)
	}
	out := w.out(lo.size(in))
	if st.ratio == (pair{1, 1}) {
		p, ok := paddingFor(w, lo.size(in), o.Padding)
		if ok {
			o.Padding = p
			return lo.poolOp(nd, &o, in, s)
		}
	}
	o.Padding = model.PaddingValid
	if w.padded() {
		in = lo.padLowest(in, w.a, w.b, nd.maps()[0].spec().suffix("/pad"))
	}
	if st.ratio == (pair{1, 1}) {
		return lo.poolOp(nd, &o, in, s)
	}
	return lo.pooled(nd, &o, st.ratio, in, out, s)
}

func (lo *lowering) poolOp(nd *node, o *model.Pool2DOptions, in int32, s spec) int32 {
	return lo.opN(*lo.src.Code(nd.op), o, nd.op, []int32{in}, []spec{s})[0]
}

// pooled is S2B, pool, B2S. The junk in the padded tail never reaches the
// first out elements.
func (lo *lowering) pooled(nd *node, o *model.Pool2DOptions, block pair, in int32, out pair, s spec) int32 {
	split := lo.spaceToBatch(in, block, tailFor(lo.size(in), block), nd.maps()[0].spec().suffix("/split"))
	t := lo.poolOp(nd, o, split, s.suffix("/pool"))
	return lo.batchToSpace(t, block, out, s)
}

// emitGlobal writes a statistic over the patch's whole map as a window that
// slides over the frame's.
func (lo *lowering) emitGlobal(nd *node, st step, in int32, s spec) int32 {
	v := nd.maps()[0]
	if lo.size(in) == nd.win.k && st.ratio == (pair{1, 1}) {
		return lo.emitMean(nd, in, pair{1, 1}, s)
	}
	if nd.refuse != "" {
		panic(emitError{&Refusal{Reason: nd.refuse, Instead: nd.cure}})
	}
	var code model.BuiltinOperator
	switch {
	case nd.code == model.OpReduceMax:
		code = model.OpMaxPool2D
	case nd.code == model.OpMean && v.typ == model.TypeFloat32:
		code = model.OpAveragePool2D
	default:
		return lo.emitGathered(nd, st, in, s)
	}
	w := st.win
	out := w.out(lo.size(in))
	o := &model.Pool2DOptions{Padding: model.PaddingValid, StrideH: 1, StrideW: 1, FilterHeight: int32(nd.win.k[0]), FilterWidth: int32(nd.win.k[1])}
	if st.ratio == (pair{1, 1}) {
		return lo.op(builtin(code), o, []int32{in}, s)
	}
	split := lo.spaceToBatch(in, st.ratio, tailFor(lo.size(in), st.ratio), v.spec().suffix("/split"))
	t := lo.op(builtin(code), o, []int32{split}, s.suffix("/pool"))
	return lo.batchToSpace(t, st.ratio, out, s)
}

// gatherLimit bounds the memory of gathered windows, in bytes.
const gatherLimit = 1 << 29

// emitGathered keeps an integer MEAN as it is, because no pool rounds like it,
// and SUM, REDUCE_MIN and REDUCE_PROD, because no pool computes them: the
// windows are gathered side by side and become rows.
func (lo *lowering) emitGathered(nd *node, st step, in int32, s spec) int32 {
	v := nd.maps()[0]
	w := st.win
	out := w.out(lo.size(in))
	k := nd.win.k
	batch := int(lo.shape(in)[0])
	if need := batch * out.area() * k.area() * v.ch * v.typ.Size(); need > gatherLimit {
		panic(emitError{&Refusal{Reason: fmt.Sprintf("reduces %dx%d values per position, which no pool does; gathering them takes %d MB", k[0], k[1], need>>20),
			Instead: "use a larger --output-stride or a smaller --input"}})
	}
	var taps []int32
	for y := range k[0] {
		for x := range k[1] {
			taps = append(taps, lo.crop(in, pair{y * w.d[0], x * w.d[1]}, out, v.spec().suffix("/tap")))
		}
	}
	all := lo.concat(3, taps, v.spec().suffix("/taps"))
	rows := lo.reshape(all, v.spec().suffix("/windows"), -1, k[0], k[1], v.ch)
	return lo.emitMean(nd, rows, out, s)
}

// emitMean applies the baseline's own statistic to whole windows, one a row,
// and lays the rows out as a map of size n. keep_dims stays as it was: integer
// MEAN rounds by it.
func (lo *lowering) emitMean(nd *node, rows int32, n pair, s spec) int32 {
	o := &model.ReducerOptions{KeepDims: nd.keepDims}
	args := []int32{rows, lo.list(1, 2)}
	if o.KeepDims && n == (pair{1, 1}) {
		return lo.opN(*lo.src.Code(nd.op), o, nd.op, args, []spec{s})[0]
	}
	t := lo.opN(*lo.src.Code(nd.op), o, nd.op, args, []spec{s.suffix("/mean")})[0]
	return lo.reshape(t, s, -1, n[0], n[1], nd.out[0].ch)
}
