package rewrite

import (
	"fmt"
	"slices"

	"edged/model"
)

// liftReduce is MEAN and its like: over the whole map it is a window that
// slides once the frame is larger than the patch; over the channels, a point
// operator.
func liftReduce(c *lifting) string {
	l := c.in(0)
	if l == nil {
		return "its input is no map"
	}
	axes, ok := ints(c.net.m, c.tensor(1))
	if !ok {
		return "its axes are not constant"
	}
	hit := map[atom]bool{}
	dims := slices.Clone(l.dims)
	for _, a := range axes {
		if a < 0 {
			a += len(dims)
		}
		if a < 0 || a >= len(dims) {
			return "its axes are out of range"
		}
		for _, at := range l.dims[a] {
			hit[at] = true
		}
		dims[a] = nil
	}
	keep := false
	if o, ok := c.op.Options.(*model.ReducerOptions); ok {
		keep = o.KeepDims
	}
	if !keep {
		dims = deleteDims(dims, axes)
	}
	if hit[atomC] && (hit[atomY] || hit[atomX]) {
		return "reduces over channels and space at once"
	}
	if hit[atomC] {
		c.nd.args = []arg{{val: l.val, konst: -1}, {konst: -1}}
		c.nd.axis = 3
		c.emit(l.val.n, 1, dims)
		return ""
	}
	c.nd.kind = kindGlobal
	c.nd.args = []arg{{val: l.val, konst: -1}}
	c.nd.keepDims = keep && l.canonical(c.tensor(0).Shape) // integer MEAN rounds in another way over [1, h, w, c] with keep_dims
	n := l.val.n
	for i, a := range []atom{atomY, atomX} {
		if hit[a] || n[i] == 1 {
			c.nd.win.k[i], n[i] = n[i], 1
		}
	}
	c.refuseReduce(l.val)
	c.emit(n, l.val.ch, dims)
	return ""
}

// refuseReduce names the statistics of integers that are taken along one axis
// of the map: TFLite rounds them by the axes that it is told.
func (c *lifting) refuseReduce(in *value) {
	if in.typ == model.TypeFloat32 || c.nd.win.k == in.n || c.nd.code == model.OpReduceMax {
		return
	}
	c.nd.refuse = fmt.Sprintf("reduces integers along one axis of %dx%d positions, and rounds by the axes it is told", in.n[0], in.n[1])
	c.nd.cure = insteadShifts
}

func deleteDims(dims [][]atom, axes []int) [][]atom {
	gone := map[int]bool{}
	for _, a := range axes {
		if a < 0 {
			a += len(dims)
		}
		gone[a] = true
	}
	var out [][]atom
	for i, d := range dims {
		if !gone[i] {
			out = append(out, d)
		}
	}
	return out
}

// liftFC sorts the three uses of FULLY_CONNECTED: at every position, over a
// vector, over a flattened map.
func liftFC(c *lifting) string {
	l := c.in(0)
	if l == nil || c.in(1) != nil {
		return "its weights are computed from the input"
	}
	o, ok := c.op.Options.(*model.FullyConnectedOptions)
	f := c.tensor(1).Shape
	if !ok || len(f) != 2 || o.WeightsFormat != model.WeightsDefault {
		return "its weights are packed or not a matrix"
	}
	c.refuseHybrid()
	if why := c.takeMap(); why != "" {
		return why
	}
	seq := l.sequence()
	features, width := tailAtoms(l, seq, int(f[1]))
	switch {
	case width != int(f[1]):
		return fmt.Sprintf("takes %d features, which are no whole axes of its input %v", f[1], c.tensor(0).Shape)
	case len(features) == 0 && l.val.ch == 1 || len(features) == 1 && features[0] == atomC:
		c.nd.kind = kindRows
		c.emit(l.val.n, int(f[0]), rowsLayout(l, len(c.outTensor(0).Shape)))
		return ""
	case len(features) == len(seq):
		return c.liftFlat(l, features, f)
	}
	return "takes features from some positions of the map, not one or all"
}

// tailAtoms are the fastest axes that together make up width elements.
func tailAtoms(l *layout, seq []atom, width int) (tail []atom, have int) {
	have = 1
	for i := len(seq) - 1; i >= 0 && have < width; i-- {
		have *= l.val.size(seq[i])
		tail = append([]atom{seq[i]}, tail...)
	}
	return tail, have
}

// rowsLayout is the layout of a FULLY_CONNECTED's result: rows, then features.
func rowsLayout(l *layout, rank int) [][]atom {
	rows := slices.DeleteFunc(l.sequence(), func(a atom) bool { return a == atomC })
	if rank == len(l.dims) && rank > 2 {
		dims := slices.Clone(l.dims)
		dims[rank-1] = []atom{atomC}
		return dims
	}
	return [][]atom{rows, {atomC}}
}

// liftFlat is a FULLY_CONNECTED over a flattened map: a convolution as large
// as the map, whose weights lie in memory in the map's order.
func (c *lifting) liftFlat(l *layout, order []atom, f []int32) string {
	c.nd.kind = kindFlat
	c.nd.win.k = l.val.n
	n := l.val.n
	natural := newLayout(l.val, nhwc()).sequence()
	c.nd.args[1].shape = []int32{f[0], int32(n[0]), int32(n[1]), int32(l.val.ch)}
	if !slices.Equal(order, natural) {
		// [O, the axes as they lie] -> [O, y, x, c]
		for _, a := range []atom{atomY, atomX, atomC} {
			c.nd.args[1].perm = append(c.nd.args[1].perm, slices.Index(fullOrder(order), a))
		}
		if !c.permutable(c.op.Inputs[1]) {
			return "its weights lie in another order than the map and are not plain data"
		}
	}
	dims := make([][]atom, len(c.outTensor(0).Shape))
	if len(dims) == 0 {
		return "its output is a scalar"
	}
	dims[len(dims)-1] = []atom{atomC}
	c.emit(pair{1, 1}, int(f[0]), dims)
	return ""
}

// permutable reports whether the axes of constant t can be reordered: plain
// data, or data behind DEQUANTIZE with one scale for all of it.
func (c *lifting) permutable(t int32) bool {
	if c.net.m.Data(c.net.g.Tensors[t]) != nil {
		return true
	}
	for _, op := range c.net.g.Operators {
		if len(op.Inputs) > 0 && op.Inputs[0] >= 0 && slices.Contains(op.Outputs, t) {
			from := c.net.g.Tensors[op.Inputs[0]]
			plain := from.Quantization == nil || len(from.Quantization.Scale) <= 1 || from.Quantization.QuantizedDimension == 0
			return c.net.m.Code(op).Builtin == model.OpDequantize && plain && from.Sparsity == nil && c.net.m.Data(from) != nil
		}
	}
	return false
}

// fullOrder adds the axes of size 1 in front.
func fullOrder(order []atom) []atom {
	full := slices.Clone(order)
	for _, a := range []atom{atomX, atomY, atomC} {
		if !slices.Contains(full, a) {
			full = append([]atom{a}, full...)
		}
	}
	return full
}

// liftMirror is MIRROR_PAD: the border repeats the map itself.
func liftMirror(c *lifting) string {
	if why := liftPad(c); why != "" {
		return why
	}
	c.nd.refuse = "mirrors the map at its border, and every phase has another border"
	c.nd.cure = insteadShifts
	return ""
}
