package rows

import (
	"encoding/binary"
	"math"
	"slices"

	"edged/model"
)

// handlers read the operators that compute each row from rows near it.
var handlers = map[model.BuiltinOperator]func(*net, *node) string{
	model.OpConv2D: readWindow, model.OpDepthwiseConv2D: readWindow, model.OpMaxPool2D: readWindow, model.OpAveragePool2D: readWindow, model.OpL2Pool2D: readWindow,
	model.OpPad: readPad, model.OpPadV2: readPad, model.OpSlice: readSlice, model.OpStridedSlice: readStridedSlice,
	model.OpSpaceToBatchND: readSplit, model.OpBatchToSpaceND: readUnsplit,
	model.OpResizeBilinear: readResize, model.OpResizeNearestNeighbor: readResize,
	model.OpReshape: readReshape, model.OpFullyConnected: readFullyConnected, model.OpConcatenation: readConcat,
	model.OpMean: readReduce, model.OpSum: readReduce, model.OpReduceMax: readReduce, model.OpReduceMin: readReduce,
	model.OpSoftmax: readPoint, model.OpLogSoftmax: readPoint, model.OpL2Normalization: readPoint,
	model.OpAdd: readPoint, model.OpMul: readPoint, model.OpSub: readPoint, model.OpDiv: readPoint, model.OpMaximum: readPoint, model.OpMinimum: readPoint, model.OpSquaredDifference: readPoint,
	model.OpPrelu: readPoint, model.OpLeakyRelu: readPoint, model.OpRelu: readPoint, model.OpRelu6: readPoint, model.OpReluN1To1: readPoint, model.OpRelu0To1: readPoint,
	model.OpHardSwish: readPoint, model.OpLogistic: readPoint, model.OpTanh: readPoint, model.OpElu: readPoint, model.OpExp: readPoint, model.OpAbs: readPoint, model.OpNeg: readPoint,
	model.OpSqrt: readPoint, model.OpRsqrt: readPoint, model.OpSquare: readPoint, model.OpQuantize: readPoint, model.OpDequantize: readPoint,
}

// like is a map of v's rows and columns with c channels.
func like(v *value, c int) value {
	return value{width: v.width, ch: c, block: v.block, num: v.num, den: v.den, tail: v.tail, junk: v.junk}
}

// readPoint is an operator on each position by itself.
func readPoint(n *net, nd *node) string {
	n.align(nd)
	v, why := joined(nd)
	if why != "" {
		return why
	}
	for _, a := range nd.in {
		if a.konst < 0 {
			continue
		}
		if s := n.g.Tensors[a.konst].Shape; len(s) >= len(n.outShape(nd)) && s[0] != 1 || len(s) == 4 && (s[1] != 1 || s[2] != 1) || len(s) == 3 && v.trail == nil && (s[0] != 1 || s[1] != 1) {
			return "has a constant of the map's size"
		}
	}
	nd.kind = point
	out := n.outShape(nd)
	o := like(v, out[len(out)-1])
	if v.trail != nil {
		o.trail, o.list = out[1:], v.list
	}
	n.add(nd, nd.op.Outputs[0], o)
	return ""
}

// align gives the maps of a join the same width again, where the dense graph has
// columns behind some of them that nobody sees.
func (n *net) align(nd *node) {
	least := -1
	for _, a := range nd.in {
		if a.val != nil && (least < 0 || a.val.junk < least) {
			least = a.val.junk
		}
	}
	for i, a := range nd.in {
		if v := a.val; v != nil && v.trail == nil && v.junk > least {
			nd.in[i].val = n.cut(nd, v, -1, [2]int{}, [2]int{0, v.junk - least}, zero)
			nd.in[i].val.junk = least
		}
	}
}

// readConcat joins maps along their channels.
func readConcat(n *net, nd *node) string {
	o, ok := nd.op.Options.(*model.ConcatenationOptions)
	rank := len(n.outShape(nd))
	n.align(nd)
	if v, _ := joined(nd); !ok || int(o.Axis) != rank-1 && int(o.Axis) != -1 || v == nil || v.trail != nil {
		return "joins maps along something else than their channels"
	}
	return readPoint(n, nd)
}

// readReduce is a statistic of each position.
func readReduce(n *net, nd *node) string {
	v, rank := nd.in[0].val, len(n.g.Tensors[nd.op.Inputs[0]].Shape)
	if v == nil {
		return "reads no map"
	}
	axes := n.ints(nd, 1)
	for _, a := range axes {
		if a = (a + rank) % rank; a == 0 || v.trail == nil && a != rank-1 {
			return "is a statistic of the whole picture"
		}
	}
	if len(axes) == 0 || v.trail == nil && len(n.outShape(nd)) != 4 {
		return "is a statistic whose axes are not known"
	}
	return readPoint(n, nd)
}

// readFullyConnected is one at every position.
func readFullyConnected(n *net, nd *node) string {
	v, out := nd.in[0].val, n.outShape(nd)
	if v == nil || nd.in[1].val != nil {
		return "multiplies two maps"
	}
	o := like(v, out[len(out)-1])
	if v.trail != nil && len(v.trail) > 1 && len(out) != len(v.trail)+1 {
		return "works on more than one position at once"
	}
	if len(out) == 2 {
		o.trail, o.list = out[1:], v.list
		if v.trail == nil {
			o.list = v
		}
	}
	if in := n.g.Tensors[nd.op.Inputs[0]].Shape; product(out[:len(out)-1])*int(in[len(in)-1]) != product32(in) {
		return "works on more than one position at once"
	}
	nd.kind = fold
	n.add(nd, nd.op.Outputs[0], o)
	return ""
}

func product(s []int) int {
	p := 1
	for _, d := range s {
		p *= d
	}
	return p
}

func product32(s []int32) int {
	p := 1
	for _, d := range s {
		p *= int(d)
	}
	return p
}

// readReshape makes a list of a map's positions, or a map of such a list.
func readReshape(n *net, nd *node) string {
	v, out := nd.in[0].val, n.outShape(nd)
	if v == nil || len(out) == 0 {
		return "reads no map"
	}
	whole := v
	if v.trail != nil {
		whole = v.list
	}
	dims := n.g.Tensors[whole.tensor].Shape
	positions := product32(dims[:3])
	nd.kind = fold
	o := like(whole, out[len(out)-1])
	switch {
	case len(out) == 4 && int32(out[0]) == dims[0] && int32(out[1]) == dims[1] && int32(out[2]) == dims[2]:
	case len(out) >= 2 && out[0] == positions:
		o.trail, o.list = out[1:], whole
	default:
		return "lays positions out anew"
	}
	n.add(nd, nd.op.Outputs[0], o)
	return ""
}

// cut adds a shift of a map: padding, or cutting, of rows and columns.
func (n *net) cut(nd *node, v *value, t int32, rows, columns [2]int, f fill) *value {
	junk := v.junk
	if columns[1] < 0 { // the columns that nobody sees are cut off first
		junk = max(0, v.junk+columns[1])
		columns[1] += v.junk - junk
	}
	s := &node{op: nd.op, code: nd.code, index: nd.index, kind: shift, in: []arg{{val: v, konst: -1}}, stride: 1, columnStride: 1,
		before: rows[0], after: rows[1], edge: rows[0], columns: columns, fill: f, masked: rows[0] > 0 || rows[1] > 0}
	o := like(v, v.ch)
	o.width += columns[0] + columns[1]
	o.junk = junk
	o.tail = max(0, v.tail+rows[1])
	s.reach = max(0, -rows[1]-v.tail) // a row that is cut off at the end is known by the rows behind it
	out := n.add(s, t, o)
	if t < 0 {
		out.typ, out.quant = v.typ, v.quant
	}
	return out
}

// readWindow is a convolution or a pool; what it pads with is a shift before it.
func readWindow(n *net, nd *node) string {
	v := nd.in[0].val
	w, ok := model.WindowOf(n.m, n.g, nd.op)
	if v == nil || v.trail != nil || !ok || min(w.Filter[0], w.Filter[1], w.Stride[0], w.Stride[1], w.Dilation[0], w.Dilation[1]) < 1 {
		return "has a window that is not known"
	}
	for _, a := range nd.in[1:] {
		if a.val != nil {
			return "has weights that are computed from the picture"
		}
	}
	if v.block != [2]int{1, 1} && w.Stride != [2]int{1, 1} {
		return "strides over a map that is split in the batch"
	}
	var pads [2][2]int
	shape := n.g.Tensors[nd.op.Inputs[0]].Shape
	for axis := range pads {
		before, after := w.Pads(axis, int64(shape[1+axis]))
		pads[axis] = [2]int{int(before) * v.block[axis], int(after) * v.block[axis]}
		nd.dilation[axis] = w.Dilation[axis] * v.block[axis]
	}
	if pads != [2][2]int{} {
		f := zero
		pads[1][1] += v.junk
		switch {
		case v.block != [2]int{1, 1} && !n.fresh(v):
			return "pads each part of a map that is split in the batch: rewrite the net in the form dilated"
		case nd.code == model.OpMaxPool2D:
			f = lowest
		case w.Pool:
			pads[1][1] -= v.junk
			return readPadded(n, nd, v, w, pads)
		}
		v = n.cut(nd, v, -1, pads[0], pads[1], f)
		v.junk = 0
	}
	nd.kind, nd.in[0] = window, arg{val: v, konst: -1}
	nd.stride, nd.columnStride, nd.reach = w.Stride[0], w.Stride[1], (w.Filter[0]-1)*nd.dilation[0]
	out := n.outShape(nd)
	o := like(v, out[3])
	o.width = (v.width-(w.Filter[1]-1)*nd.dilation[1]-1)/w.Stride[1] + 1
	o.den *= nd.stride
	n.add(nd, nd.op.Outputs[0], o)
	return ""
}

// fresh tells whether a split map is a whole one that was just split: a dilated
// window of older converters, whose padding is the whole map's.
func (n *net) fresh(v *value) bool { return v.from != nil && v.from.code == model.OpSpaceToBatchND }

// readPad is PAD or PADV2 of rows and columns.
func readPad(n *net, nd *node) string {
	v, p := nd.in[0].val, n.ints(nd, 1)
	if v == nil || v.trail != nil || len(p) != 8 || p[0]|p[1]|p[6]|p[7] != 0 || slices.Min(p) < 0 {
		return "pads something else than rows and columns"
	}
	if v.block != [2]int{1, 1} {
		return "pads each part of a map that is split in the batch: rewrite the net in the form dilated"
	}
	f, why := n.fillOf(nd, v)
	if why != "" {
		return why
	}
	n.cut(nd, v, nd.op.Outputs[0], [2]int{p[2], p[3]}, [2]int{p[4], p[5]}, f)
	return ""
}

// fillOf is what PAD or PADV2 pads with.
func (n *net) fillOf(nd *node, v *value) (fill, string) {
	if nd.code == model.OpPad || len(nd.in) < 3 {
		return zero, ""
	}
	t := n.g.Tensors[nd.in[2].konst]
	data := n.m.Data(t)
	var low, none bool
	switch {
	case t.Type == model.TypeFloat32 && len(data) >= 4:
		x := math.Float32frombits(binary.LittleEndian.Uint32(data))
		low, none = x <= -math.MaxFloat32, x == 0
	case t.Type == model.TypeInt8 && len(data) == 1:
		low, none = int8(data[0]) == math.MinInt8, int64(int8(data[0])) == zeroPoint(v)
	case t.Type == model.TypeUint8 && len(data) == 1:
		low, none = data[0] == 0, int64(data[0]) == zeroPoint(v)
	}
	switch {
	case none:
		return zero, ""
	case low:
		return lowest, ""
	}
	return zero, "pads with another value than zero"
}

func zeroPoint(v *value) int64 {
	if v.quant == nil || len(v.quant.ZeroPoint) == 0 {
		return 0
	}
	return v.quant.ZeroPoint[0]
}

// readSlice cuts rows and columns, and channels too.
func readSlice(n *net, nd *node) string {
	v, begin := nd.in[0].val, n.ints(nd, 1)
	in, out := n.g.Tensors[nd.op.Inputs[0]].Shape, n.outShape(nd)
	if v == nil || v.trail != nil || len(begin) != 4 || begin[0] != 0 || len(out) != 4 || out[0] != int(in[0]) {
		return "cuts something else than rows, columns and channels"
	}
	rows := [2]int{-begin[1], out[1] + begin[1] - int(in[1])}
	columns := [2]int{-begin[2], out[2] + begin[2] - int(in[2])}
	for i := range rows {
		rows[i], columns[i] = rows[i]*v.block[0], columns[i]*v.block[1]
	}
	if out[3] == int(in[3]) {
		n.cut(nd, v, nd.op.Outputs[0], rows, columns, zero)
		return ""
	}
	if rows != [2]int{} || columns != [2]int{} {
		return "cuts channels and rows at once"
	}
	nd.kind = point
	n.add(nd, nd.op.Outputs[0], like(v, out[3]))
	return ""
}

// readStridedSlice takes every so manyth row and column.
func readStridedSlice(n *net, nd *node) string {
	v, begin, steps := nd.in[0].val, n.ints(nd, 1), n.ints(nd, 3)
	o, ok := nd.op.Options.(*model.StridedSliceOptions)
	in, out := n.g.Tensors[nd.op.Inputs[0]].Shape, n.outShape(nd)
	if v == nil || v.trail != nil || v.block != [2]int{1, 1} || !ok || o.EllipsisMask|o.NewAxisMask|o.ShrinkAxisMask != 0 || o.Offset ||
		len(begin) != 4 || len(steps) != 4 || len(out) != 4 || out[3] != int(in[3]) || steps[3] != 1 || slices.Min(steps) < 1 {
		return "takes something else than regular rows and columns"
	}
	for axis := range 4 {
		if o.BeginMask>>axis&1 != 0 {
			begin[axis] = 0
		}
		if begin[axis] < 0 {
			begin[axis] += int(in[axis])
		}
	}
	last := func(axis int) int { return begin[axis] + (out[axis]-1)*steps[axis] + 1 - int(in[axis]) }
	if steps[1] == 1 && steps[2] == 1 {
		n.cut(nd, v, nd.op.Outputs[0], [2]int{-begin[1], last(1)}, [2]int{-begin[2], last(2)}, zero)
		return ""
	}
	cut := n.cut(nd, v, -1, [2]int{-begin[1], 0}, [2]int{-begin[2], last(2)}, zero)
	nd.kind, nd.in, nd.stride, nd.columnStride = shift, []arg{{val: cut, konst: -1}}, steps[1], steps[2]
	w := like(cut, v.ch)
	w.width, w.den = (cut.width-1)/steps[2]+1, w.den*steps[1]
	n.add(nd, nd.op.Outputs[0], w)
	return ""
}

// blockOf reads a block and its pads or crops.
func (n *net) blockOf(nd *node) (block, rows, columns [2]int, ok bool) {
	b, p := n.ints(nd, 1), n.ints(nd, 2)
	if nd.in[0].val == nil || nd.in[0].val.trail != nil || len(b) != 2 || len(p) != 4 || min(b[0], b[1]) < 1 {
		return block, rows, columns, false
	}
	return [2]int{b[0], b[1]}, [2]int{p[0], p[1]}, [2]int{p[2], p[3]}, true
}

// readSplit is SPACE_TO_BATCH_ND: the map stays what it is, and what follows is
// dilated. A padding of less than a block behind it makes its length a multiple,
// and is cut off later.
func readSplit(n *net, nd *node) string {
	v := nd.in[0].val
	block, rows, columns, ok := n.blockOf(nd)
	if !ok {
		return "splits something that is not known"
	}
	outer := v.block
	for i := range block {
		block[i] *= outer[i]
	}
	for i := range rows { // of a part; the whole map's are as many for each part
		rows[i], columns[i] = rows[i]*outer[0], columns[i]*outer[1]
	}
	if outer != [2]int{1, 1} && (rows[0] > 0 || columns[0] > 0) {
		return "pads each part of a map that is split in the batch"
	}
	junk := 0
	if columns[0] == 0 && columns[1] < block[1] {
		junk, columns[1] = columns[1], 0
	}
	o := n.cut(nd, v, nd.op.Outputs[0], rows, columns, zero)
	o.junk += junk
	if rows[0] == 0 && rows[1] < block[0] {
		o.from.masked = false
	}
	o.block = block
	return ""
}

// readUnsplit is BATCH_TO_SPACE_ND.
func readUnsplit(n *net, nd *node) string {
	v := nd.in[0].val
	block, rows, columns, ok := n.blockOf(nd)
	if !ok || v.block[0]%block[0] != 0 || v.block[1]%block[1] != 0 {
		return "does not undo the SPACE_TO_BATCH_ND before it"
	}
	inner := [2]int{v.block[0] / block[0], v.block[1] / block[1]}
	for i := range rows {
		rows[i], columns[i] = -rows[i]*inner[0], -columns[i]*inner[1]
	}
	o := n.cut(nd, v, nd.op.Outputs[0], rows, columns, zero)
	o.block = inner
	return ""
}
