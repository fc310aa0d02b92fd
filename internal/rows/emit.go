package rows

import (
	"fmt"
	"math"

	"edged/model"
)

// strip is the graph of one strip of rows.
type strip struct {
	model  *model.Model
	inputs int      // so far
	kept   []*value // whose kept rows come out behind the map
	keptIn []int    // where they go in
	masks  []mask   // at a picture's ends alone
}

// emitter writes a strip's graph.
type emitter struct {
	n      *net
	b      *model.Builder
	height int // new rows of the picture
	ends   bool
	konst  map[int32]model.Ref
	fresh  map[*value]model.Ref // a map's new rows
	whole  map[*value]model.Ref // with those that were kept before them
	out    strip
}

// emit writes the graph for height rows, a multiple of the net's unit. ends: rows
// outside of the picture are told by masks.
func (n *net) emit(height int, ends bool) (*strip, error) {
	e := &emitter{n: n, b: model.NewBuilder(), height: height, ends: ends, konst: map[int32]model.Ref{}, fresh: map[*value]model.Ref{}, whole: map[*value]model.Ref{}}
	in := n.input
	if n.windows != nil {
		m, err := n.windows.strip(in.kept+height, n.output.rows(height))
		e.out.model = m
		return &e.out, err
	}
	x, _ := e.input("rows", in.typ, 1, in.kept+height, in.width, in.ch)
	e.whole[in] = e.quantised(x, in.quant)
	for _, nd := range n.nodes {
		if err := e.node(nd); err != nil {
			return nil, err
		}
		if nd.out != nil && nd.out.kept > 0 {
			e.keep(nd.out)
		}
	}
	y := e.b.Name(e.take(n.output, 0, n.output.rows(height)), n.g.Tensors[n.output.tensor].Name)
	outputs := []model.Ref{y}
	for _, v := range e.out.kept {
		outputs = append(outputs, e.rowsOf(e.whole[v], v.rows(height), v.kept, v))
	}
	var err error
	if e.out.model, err = e.b.Build(outputs...); err != nil {
		return nil, fmt.Errorf("rows: the graph of a strip of %d rows: %w", height, err)
	}
	return &e.out, nil
}

func (e *emitter) quantised(x model.Ref, q *model.Quantization) model.Ref {
	if q != nil && len(q.Scale) > 0 {
		e.b.PerChannel(x, int(q.QuantizedDimension), q.Scale, q.ZeroPoint)
	}
	return x
}

// input adds an input of the graph and tells its number.
func (e *emitter) input(name string, t model.TensorType, shape ...int) (model.Ref, int) {
	e.out.inputs++
	return e.b.Input(name, t, shape...), e.out.inputs - 1
}

// keep puts the rows that were kept of a map before its new ones.
func (e *emitter) keep(v *value) {
	x, at := e.input(fmt.Sprintf("kept%d", len(e.out.kept)), v.typ, 1, v.kept, v.width, v.ch)
	old := e.quantised(x, v.quant)
	e.out.kept, e.out.keptIn = append(e.out.kept, v), append(e.out.keptIn, at)
	e.whole[v] = e.quantised(e.b.Concat(1, old, e.fresh[v]), v.quant)
}

// take is count rows of a map, from the kept-th before its new ones on.
func (e *emitter) take(v *value, kept, count int) model.Ref {
	x, ok := e.whole[v]
	at := v.kept - kept
	if y, whole := e.fresh[v]; whole && (kept == 0 || !ok) {
		x, at = y, 0
	}
	return e.rowsOf(x, at, count, v)
}

// rowsOf is count rows of x from row at on.
func (e *emitter) rowsOf(x model.Ref, at, count int, v *value) model.Ref {
	s := e.b.Shape(x)
	if v.trail != nil || len(s) != 4 || at == 0 && count == s[1] {
		return x
	}
	return e.quantised(e.b.Slice(x, []int{0, at, 0, 0}, []int{1, count, s[2], s[3]}), v.quant)
}

// constant is a tensor of the dense graph that does not depend on the picture.
func (e *emitter) constant(t int32) model.Ref {
	if t < 0 {
		return model.None
	}
	if x, ok := e.konst[t]; ok {
		return x
	}
	c := e.n.g.Tensors[t]
	var shape []int
	for _, d := range c.Shape {
		shape = append(shape, int(d))
	}
	x := e.quantised(e.b.Raw(c.Name, c.Type, shape, e.n.m.Data(c)), c.Quantization)
	e.konst[t] = x
	return x
}

// node writes one node.
func (e *emitter) node(nd *node) error {
	if nd.kind == unary {
		return e.folded(nd)
	}
	var y model.Ref
	switch nd.kind {
	case window:
		y = e.window(nd)
	case shift:
		y = e.shift(nd)
	case fold:
		y = e.fold(nd)
	case upward:
		y = e.upward(nd)
	default:
		y = e.op(nd, nd.op.Options, e.operands(nd)...)
	}
	e.fresh[nd.out] = y
	return e.b.Err()
}

// folded writes an operator on constants.
func (e *emitter) folded(nd *node) error {
	var in []model.Ref
	for _, a := range nd.in {
		in = append(in, e.constant(a.konst))
	}
	for i, y := range e.b.Ops(nd.code, nd.op.Options, len(nd.op.Outputs), in...) {
		e.konst[nd.op.Outputs[i]] = e.quantised(y, e.n.g.Tensors[nd.op.Outputs[i]].Quantization)
	}
	return e.b.Err()
}

// operands are a node's, as many rows of each as the output has.
func (e *emitter) operands(nd *node) []model.Ref {
	var in []model.Ref
	for _, a := range nd.in {
		if a.val == nil {
			in = append(in, e.constant(a.konst))
			continue
		}
		in = append(in, e.take(a.val, a.kept, a.val.rows(e.height)))
	}
	return in
}

// op writes the node's operator.
func (e *emitter) op(nd *node, options any, in ...model.Ref) model.Ref {
	if nd.code == model.OpSlice { // of channels
		s := e.b.Shape(in[0])
		begin := e.n.ints(nd, 1)
		return e.quantised(e.b.Slice(in[0], []int{0, 0, 0, begin[3]}, []int{1, s[1], s[2], nd.out.ch}), nd.out.quant)
	}
	return e.quantised(e.b.Op(nd.code, options, in...), nd.out.quant)
}

// fold writes a change between a map and a list of its positions.
func (e *emitter) fold(nd *node) model.Ref {
	in := e.operands(nd)
	if nd.code != model.OpReshape {
		return e.op(nd, nd.op.Options, in...)
	}
	v := nd.out
	dims := []int{1, v.rows(e.height), v.width, v.ch}
	if v.trail != nil {
		dims = append([]int{v.rows(e.height) * v.width}, v.trail...)
	}
	return e.quantised(e.b.Reshape(in[0], dims...), v.quant)
}

// window writes a convolution or a pool, without padding.
func (e *emitter) window(nd *node) model.Ref {
	rows := nd.out.rows(e.height)
	x := e.take(nd.in[0].val, nd.in[0].kept, (rows-1)*nd.stride+nd.reach+1)
	in := []model.Ref{x}
	for _, a := range nd.in[1:] {
		in = append(in, e.constant(a.konst))
	}
	switch o := nd.op.Options.(type) {
	case *model.ResizeBilinearOptions, *model.ResizeNearestNeighborOptions:
		return e.resized(nd, x, rows, nd.out.width)
	case *model.Conv2DOptions:
		c := *o
		c.Padding, c.DilationH, c.DilationW = model.PaddingValid, int32(nd.dilation[0]), int32(nd.dilation[1])
		return e.op(nd, &c, in...)
	case *model.DepthwiseConv2DOptions:
		c := *o
		c.Padding, c.DilationH, c.DilationW = model.PaddingValid, int32(nd.dilation[0]), int32(nd.dilation[1])
		return e.op(nd, &c, in...)
	}
	return e.padded(nd, nd.op.Options.(*model.Pool2DOptions), x, rows)
}

// shift writes padding and cutting of columns, and takes the rows that it wants.
func (e *emitter) shift(nd *node) model.Ref {
	v := nd.in[0].val
	rows := nd.out.rows(e.height)
	x := e.take(v, nd.in[0].kept, (rows-1)*nd.stride+1)
	if nd.stride > 1 || nd.columnStride > 1 {
		s := e.b.Shape(x)
		x = e.quantised(e.b.StridedSlice(x, []int{0, 0, 0, 0}, s, []int{1, nd.stride, nd.columnStride, 1}, model.StridedSliceOptions{}), v.quant)
	}
	if nd.masked && e.ends {
		m := e.mask(mask{of: nd.out, before: nd.before, length: v, holds: inside}, rows)
		x = e.choose(m, x, e.filling(nd, []int{1, 1, 1, 1}), v.quant)
	}
	s := e.b.Shape(x)
	if cut := [2]int{max(0, -nd.columns[0]), max(0, -nd.columns[1])}; cut != [2]int{} && len(s) == 4 {
		x = e.quantised(e.b.Slice(x, []int{0, 0, cut[0], 0}, []int{1, s[1], s[2] - cut[0] - cut[1], s[3]}), v.quant)
	}
	add := [2]int{max(0, nd.columns[0]), max(0, nd.columns[1])}
	switch {
	case add == [2]int{}:
		return x
	case nd.fill == zero:
		return e.quantised(e.b.Pad(x, [2]int{}, [2]int{}, add, [2]int{}), v.quant)
	}
	return e.quantised(e.b.PadV2(x, e.filling(nd, nil), [2]int{}, [2]int{}, add, [2]int{}), v.quant)
}

// filling is the constant that stands outside of a map.
func (e *emitter) filling(nd *node, shape []int) model.Ref {
	v := nd.in[0].val
	z := zeroPoint(v)
	var x model.Ref
	switch v.typ {
	case model.TypeFloat32:
		f := float32(0)
		if nd.fill == lowest {
			f = -math.MaxFloat32
		}
		x = model.Const(e.b, "", shape, []float32{f})
	case model.TypeInt8:
		if nd.fill == lowest {
			z = math.MinInt8
		}
		x = model.Const(e.b, "", shape, []int8{int8(z)})
	default:
		if nd.fill == lowest {
			z = 0
		}
		x = model.Const(e.b, "", shape, []uint8{uint8(z)})
	}
	return e.quantised(x, v.quant)
}
