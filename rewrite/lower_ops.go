package rewrite

import (
	"edged/model"
)

// paddingFor is SAME or VALID where that gives exactly the pads of w on a map
// of size n, preferring what the baseline said.
func paddingFor(w window, n pair, said model.Padding) (_ model.Padding, ok bool) {
	valid := !w.padded()
	resolved := w
	resolved.freeze(model.PaddingSame, n)
	same := resolved == w && reachesEnd(w, 0, n[0]) && reachesEnd(w, 1, n[1])
	switch {
	case valid && (said == model.PaddingValid || !same || w.s != (pair{1, 1})):
		return model.PaddingValid, true
	case same:
		return model.PaddingSame, true
	}
	return model.PaddingValid, false
}

// reachesEnd reports whether the last window ends where the pads end. XNNPACK
// in TFLite 2.9 computes SAME wrongly where it does not: PAD and VALID then.
func reachesEnd(w window, i, n int) bool {
	all := n + w.a[i] + w.b[i]
	return (all-(w.k[i]-1)*w.d[i]-1)%w.s[i] == 0
}

// emitConv writes a convolution, with an explicit PAD where neither SAME nor
// VALID gives the pads that the baseline resolved.
func (lo *lowering) emitConv(nd *node, w window, in int32, s spec) int32 {
	slid, _ := model.WindowOf(lo.src, lo.src.Subgraphs[0], nd.op)
	p, ok := paddingFor(w, lo.size(in), slid.Padding)
	if !ok {
		in = lo.pad(in, w.a, w.b, nd.maps()[0].spec().suffix("/pad"))
	}
	op := *nd.op
	model.Window{Padding: p, Stride: w.s, Dilation: w.d}.Set(&op)
	return lo.opN(*lo.src.Code(nd.op), op.Options, nd.op, lo.inputs(nd, in), []spec{s})[0]
}

// inputs are a node's inputs with its maps replaced by what was emitted.
func (lo *lowering) inputs(nd *node, maps ...int32) []int32 {
	var in []int32
	for _, a := range nd.args {
		if a.val != nil {
			in, maps = append(in, maps[0]), maps[1:]
		} else {
			in = append(in, lo.constant(a))
		}
	}
	return in
}

// emitFlat writes a FULLY_CONNECTED over a map as a convolution with the same
// weights.
func (lo *lowering) emitFlat(nd *node, w window, in int32, s spec) int32 {
	o := nd.op.Options.(*model.FullyConnectedOptions)
	options := &model.Conv2DOptions{Padding: model.PaddingValid, StrideH: 1, StrideW: 1, Activation: o.Activation,
		DilationH: int32(w.d[0]), DilationW: int32(w.d[1]), QuantizedBiasType: o.QuantizedBiasType}
	args := lo.inputs(nd, in)
	if len(args) < 3 || args[2] < 0 {
		args = append(args[:2:2], lo.zeroBias(nd, args[1]))
	}
	return lo.op(builtin(model.OpConv2D), options, args, s)
}

// zeroBias is a bias for a convolution whose FULLY_CONNECTED had none.
func (lo *lowering) zeroBias(nd *node, weights int32) int32 {
	n := nd.out[0].ch
	t := &model.Tensor{Name: "edged/bias", Type: model.TypeFloat32, Shape: []int32{int32(n)}, Buffer: lo.addBuffer(make([]byte, 4*n)), HasRank: true}
	wq, iq := lo.emitter.g.Tensors[weights].Quantization, nd.maps()[0].quant
	if nd.out[0].typ != model.TypeFloat32 && wq != nil && iq != nil && len(iq.Scale) > 0 {
		t.Type = model.TypeInt32
		t.Quantization = &model.Quantization{}
		for _, x := range wq.Scale {
			t.Quantization.Scale = append(t.Quantization.Scale, x*iq.Scale[0])
			t.Quantization.ZeroPoint = append(t.Quantization.ZeroPoint, 0)
		}
	}
	return lo.addTensor(t)
}

// emitRows writes a FULLY_CONNECTED at every position: positions become rows.
func (lo *lowering) emitRows(nd *node, in int32, s spec) int32 {
	n := lo.size(in)
	v := nd.maps()[0]
	rows := lo.reshape(in, v.spec().suffix("/rows"), -1, v.ch)
	o := *nd.op.Options.(*model.FullyConnectedOptions)
	o.KeepNumDims = false
	out := lo.opN(*lo.src.Code(nd.op), &o, nd.op, lo.inputs(nd, rows), []spec{s.suffix("/rows")})[0]
	return lo.reshape(out, s, -1, n[0], n[1], nd.out[0].ch)
}

func (lo *lowering) emitPad(nd *node, w window, in int32, s spec) int32 {
	if nd.code == model.OpSpaceToBatchND {
		return lo.pad(in, w.a, w.b, s)
	}
	args := []int32{in, lo.ints([]int32{4, 2}, 0, 0, w.a[0], w.b[0], w.a[1], w.b[1], nd.channelPad[0], nd.channelPad[1])}
	if nd.code == model.OpPadV2 {
		args = append(args, lo.constant(nd.args[2]))
	}
	return lo.opN(*lo.src.Code(nd.op), nd.op.Options, nd.op, args, []spec{s})[0]
}

// emitUp writes an operator that refines the grid, for the frame's size.
func (lo *lowering) emitUp(nd *node, in int32, s spec) int32 {
	n := lo.dense.maps[nd.out[0]].n
	var args []int32
	switch nd.code {
	case model.OpTransposeConv:
		args = lo.inputs(nd, in)
		args[0] = lo.list(1, n[0], n[1], nd.out[0].ch)
	case model.OpDepthToSpace:
		args = []int32{in}
	default:
		args = []int32{in, lo.list(n[0], n[1])}
	}
	return lo.opN(*lo.src.Code(nd.op), nd.op.Options, nd.op, args, []spec{s})[0]
}

// emitPoint copies an operator that works at every position by itself.
func (lo *lowering) emitPoint(nd *node, maps []int32) []int32 {
	var specs []spec
	for _, v := range nd.out {
		specs = append(specs, v.spec())
	}
	switch nd.code {
	case model.OpStridedSlice:
		return []int32{lo.emitChannels(nd, maps[0], specs[0])}
	case model.OpConcatenation:
		o, ok := nd.op.Options.(*model.ConcatenationOptions)
		if !ok {
			return []int32{lo.concat(3, maps, specs[0])}
		}
		c := *o
		c.Axis = 3
		return lo.opN(*lo.src.Code(nd.op), &c, nd.op, maps, specs)
	case model.OpGather:
		if nd.order != nil {
			return []int32{lo.op(builtin(model.OpGather), &model.GatherOptions{Axis: 3}, []int32{maps[0], lo.list(nd.order...)}, specs[0])}
		}
		return lo.opN(*lo.src.Code(nd.op), &model.GatherOptions{Axis: 3}, nd.op, lo.inputs(nd, maps...), specs)
	case model.OpSplit:
		return lo.opN(*lo.src.Code(nd.op), nd.op.Options, nd.op, []int32{lo.ints(nil, 3), maps[0]}, specs)
	case model.OpSplitV:
		return lo.opN(*lo.src.Code(nd.op), nd.op.Options, nd.op, []int32{maps[0], lo.constant(nd.args[1]), lo.ints(nil, 3)}, specs)
	case model.OpArgMax, model.OpArgMin:
		n := lo.size(maps[0])
		t := lo.opN(*lo.src.Code(nd.op), nd.op.Options, nd.op, []int32{maps[0], lo.ints(nil, 3)}, []spec{specs[0].suffix("/flat")})[0]
		return []int32{lo.reshape(t, specs[0], -1, n[0], n[1], 1)}
	case model.OpMean, model.OpSum, model.OpReduceMax, model.OpReduceMin, model.OpReduceProd:
		return lo.opN(*lo.src.Code(nd.op), &model.ReducerOptions{KeepDims: true}, nd.op, []int32{maps[0], lo.list(3)}, specs)
	}
	return lo.opN(*lo.src.Code(nd.op), nd.op.Options, nd.op, lo.inputs(nd, maps...), specs)
}

func (lo *lowering) emitChannels(nd *node, in int32, s spec) int32 {
	c := nd.span
	end := c.begin + (c.n-1)*c.step + 1
	return lo.op(builtin(model.OpStridedSlice), &model.StridedSliceOptions{BeginMask: 0b0111, EndMask: 0b0111},
		[]int32{in, lo.list(0, 0, 0, c.begin), lo.list(0, 0, 0, end), lo.list(1, 1, 1, c.step)}, s)
}
