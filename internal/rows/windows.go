package rows

import (
	"encoding/binary"
	"fmt"
	"slices"

	"edged/model"
)

// gathered is a graph of the form windows: it gathers the windows of a frame into
// the batch, row by row of them, and runs a patch classifier on all. One row of
// windows needs as many rows of the picture as a window has.
type gathered struct {
	m      *model.Model
	g      *model.Subgraph
	output int
	chain  []int  // the operators that gather: rows, columns, and a transposition
	last   int    // the one that lays out the answers
	count  [2]int // windows
	size   [2]int // of one
	stride int    // rows from one to the next
	moved  map[int32]bool
}

// gathering are the kinds of the chain's operators.
var gathering = []model.BuiltinOperator{model.OpGather, model.OpReshape, model.OpGather, model.OpReshape, model.OpTranspose, model.OpReshape}

// readWindows sees a graph of the form windows as one layer; nil: it is none.
func readWindows(m *model.Model, n *net, output int) *gathered {
	w := &gathered{m: m, g: m.Subgraphs[0], output: output, moved: map[int32]bool{}}
	if !w.follow() || !w.lists(n) || !w.answers() {
		return nil
	}
	out := w.g.Tensors[w.g.Outputs[output]]
	nd := &node{op: w.g.Operators[w.chain[0]], code: model.OpGather, kind: window, in: []arg{{val: n.input, konst: -1}},
		stride: w.stride, columnStride: 1, reach: w.size[0] - 1, dilation: [2]int{1, 1}}
	o := like(n.input, int(out.Shape[3]))
	o.width, o.den = w.count[1], w.stride
	n.output = n.add(nd, w.g.Outputs[output], o)
	return w
}

// follow finds the chain from the input on.
func (w *gathered) follow() bool {
	t := w.g.Inputs[0]
	for i, op := range w.g.Operators {
		k := len(w.chain)
		if k == len(gathering) {
			break
		}
		if len(op.Inputs) < 2 || op.Inputs[0] != t || w.m.Code(op).Builtin != gathering[k] || len(op.Outputs) != 1 {
			continue
		}
		t = op.Outputs[0]
		w.chain = append(w.chain, i)
	}
	w.moved[t] = true
	return len(w.chain) == len(gathering)
}

// shape is that of what an operator of the chain gives.
func (w *gathered) shape(k int) []int32 {
	return w.g.Tensors[w.g.Operators[w.chain[k]].Outputs[0]].Shape
}

// lists reads sizes off the shapes, and the stride off the list of rows.
func (w *gathered) lists(n *net) bool {
	rows, columns := w.shape(1), w.shape(3)
	if len(rows) != 4 || len(columns) != 4 || n.input.ch < 1 {
		return false
	}
	w.count, w.size = [2]int{int(rows[0]), int(columns[2])}, [2]int{int(rows[1]), int(columns[3]) / n.input.ch}
	o, ok := w.g.Operators[w.chain[0]].Options.(*model.GatherOptions)
	at := n.ints(&node{in: []arg{{konst: w.g.Operators[w.chain[0]].Inputs[1]}}}, 0)
	if !ok || o.Axis != 1 || o.BatchDims != 0 || w.count[0] < 1 || w.size[0] < 1 || len(at) != w.count[0]*w.size[0] {
		return false
	}
	if w.count[0] > 1 {
		w.stride = at[w.size[0]]
	} else if f, err := w.m.Manifest(); err == nil && f != nil { // of one row of windows its list says nothing
		w.stride = int(f.Grid.Stride[0])
	}
	return w.stride > 0 && slices.Equal(at, starts(w.count[0], w.size[0], w.stride))
}

// starts are the rows of n windows of size p, each q behind the one before.
func starts(n, p, q int) []int {
	v := make([]int, 0, n*p)
	for t := range n {
		for i := range p {
			v = append(v, t*q+i)
		}
	}
	return v
}

// answers finds the operator that lays out the answers, and what depends on the
// picture.
func (w *gathered) answers() bool {
	out := w.g.Outputs[w.output]
	w.last = -1
	for i, op := range w.g.Operators {
		if !slices.ContainsFunc(op.Inputs, func(t int32) bool { return w.moved[t] }) {
			continue
		}
		for _, t := range op.Outputs {
			w.moved[t] = true
		}
		if slices.Contains(op.Outputs, out) {
			w.last = i
		}
	}
	s := w.g.Tensors[out].Shape
	return w.last >= 0 && w.m.Code(w.g.Operators[w.last]).Builtin == model.OpReshape && len(s) == 4 && s[0] == 1 && int(s[1]) == w.count[0] && int(s[2]) == w.count[1]
}

// strip writes the graph for n rows of windows in rows of the picture.
func (w *gathered) strip(rows, n int) (*model.Model, error) {
	m := w.m.Clone()
	g := m.Subgraphs[0]
	m.SignatureDefs, m.Metadata = nil, nil
	in := g.Tensors[g.Inputs[0]]
	in.Shape, in.ShapeSignature = []int32{1, int32(rows), in.Shape[2], in.Shape[3]}, nil
	setInts(m, g.Operators[w.chain[0]], starts(n, w.size[0], w.stride))
	for _, k := range []int{1, 3, 5} {
		s := w.shape(k)
		dims := []int{n, int(s[1]), int(s[2]), int(s[3])}
		if k == 5 {
			dims[0] *= w.count[1]
		}
		setInts(m, g.Operators[w.chain[k]], dims)
	}
	g.Outputs = []int32{g.Outputs[w.output]}
	setInts(m, g.Operators[w.last], []int{1, n, w.count[1], int(g.Tensors[g.Outputs[0]].Shape[3])})
	if err := m.InferShapes(0); err != nil {
		return nil, fmt.Errorf("rows: %d rows of windows: %w", n, err)
	}
	for t := range w.moved { // all of the batch must have become another
		was, is := w.g.Tensors[t].Shape, g.Tensors[t].Shape
		if t != g.Outputs[0] && len(was) > 0 && (len(is) == 0 || int(is[0])*w.count[0] != int(was[0])*n) && !w.isOutput(t) {
			return nil, &Refusal{Reason: fmt.Sprintf("tensor %q has the number of windows of a whole frame in it", w.g.Tensors[t].Name)}
		}
	}
	return m, nil
}

func (w *gathered) isOutput(t int32) bool { return slices.Contains(w.g.Outputs, t) }

// setInts gives an operator another list.
func setInts(m *model.Model, op *model.Operator, v []int) {
	data := make([]byte, 0, 4*len(v))
	shape := make([]int32, 0, len(v))
	for _, x := range v {
		data = binary.LittleEndian.AppendUint32(data, uint32(x))
		shape = append(shape, int32(x))
	}
	if _, ok := op.Options.(*model.ReshapeOptions); ok {
		op.Options = &model.ReshapeOptions{NewShape: shape}
	}
	g := m.Subgraphs[0]
	m.Buffers = append(m.Buffers, &model.Buffer{Data: data})
	g.Tensors = append(g.Tensors, &model.Tensor{Name: fmt.Sprint("rows", len(g.Tensors)), Type: model.TypeInt32, Shape: []int32{int32(len(v))}, Buffer: uint32(len(m.Buffers) - 1)})
	op.Inputs[1] = int32(len(g.Tensors) - 1)
}
