package fallback

import (
	"encoding/binary"
	"slices"

	"edged/model"
)

// A graph of the form windows gathers the windows of a frame into the batch and
// runs a net on all of them: as it stands, with the memory of all of them. Where
// the net treats its batch row by row, the engine runs it on one window at a time.

// windowed is such a graph, recognised.
type windowed struct {
	m       *model.Model // with true shapes
	g       *model.Subgraph
	frame   int32   // [1, h, w, c]
	stack   int32   // the windows in the batch
	size    [2]int  // of a window
	count   [2]int  // windows
	stride  [2]int  // from one to the next
	before  []int   // operators that need no window: on constants, and what makes the frame
	body    []int   // operators on windows
	results []int32 // of the body, one for each output of the graph
	moved   map[int32]bool
}

// matchWindows recognises a graph of the form windows; nil for every other. It
// takes nothing for granted that a hostile file could have altered.
func matchWindows(m *model.Model) *windowed {
	if len(m.Subgraphs) == 0 || len(m.Subgraphs[0].Inputs) != 1 || !sound(m) {
		return nil
	}
	i := slices.IndexFunc(m.Subgraphs[0].Operators, func(op *model.Operator) bool { return m.Code(op).Builtin == model.OpGather })
	if i < 0 {
		return nil
	}
	shaped, err := withShapes(m)
	if err != nil {
		return nil
	}
	w := &windowed{m: shaped, g: shaped.Subgraphs[0]}
	chain := w.chain(i)
	if chain == nil || !w.sort(chain) || !w.ends() {
		return nil
	}
	return w
}

// sound says that all references of the main graph lead somewhere.
func sound(m *model.Model) bool {
	g := m.Subgraphs[0]
	for _, op := range g.Operators {
		if int(op.OpcodeIndex) >= len(m.OperatorCodes) || len(op.Outputs) == 0 || len(op.Inputs) == 0 {
			return false
		}
		for _, t := range op.Inputs {
			if t < -1 || int(t) >= len(g.Tensors) {
				return false
			}
		}
		for _, t := range op.Outputs {
			if t < 0 || int(t) >= len(g.Tensors) {
				return false
			}
		}
	}
	for _, t := range slices.Concat(g.Inputs, g.Outputs) {
		if t < 0 || int(t) >= len(g.Tensors) {
			return false
		}
	}
	return true
}

// withShapes is m with shapes that follow from its operators; it shares all but
// the tensors of the main graph.
func withShapes(m *model.Model) (*model.Model, error) {
	c, g := *m, *m.Subgraphs[0]
	c.Subgraphs = slices.Clone(m.Subgraphs)
	c.Subgraphs[0] = &g
	g.Tensors = slices.Clone(g.Tensors)
	for i, t := range g.Tensors {
		tensor := *t
		tensor.Shape, tensor.ShapeSignature = slices.Clone(t.Shape), nil
		g.Tensors[i] = &tensor
	}
	return &c, c.InferShapes(0)
}

// chain is the six operators that gather windows, from operator i on: rows,
// columns, and a transposition between.
func (w *windowed) chain(i int) []int {
	kinds := []model.BuiltinOperator{model.OpGather, model.OpReshape, model.OpGather, model.OpReshape, model.OpTranspose, model.OpReshape}
	var list []int
	var out [][]int32
	t := w.g.Operators[i].Inputs[0]
	w.frame = t
	for k, kind := range kinds {
		if i+k >= len(w.g.Operators) {
			return nil
		}
		op := w.g.Operators[i+k]
		if w.m.Code(op).Builtin != kind || op.Inputs[0] != t || len(op.Outputs) != 1 || len(op.Inputs) < 2 || k > 0 && w.readers(t) != 1 {
			return nil
		}
		t = op.Outputs[0]
		list, out = append(list, i+k), append(out, w.g.Tensors[t].Shape)
	}
	w.stack = t
	if !w.geometry(list, out) {
		return nil
	}
	return list
}

// readers counts who reads tensor t, the caller of the graph included.
func (w *windowed) readers(t int32) int {
	n := 0
	for _, op := range w.g.Operators {
		for _, in := range op.Inputs {
			if in == t {
				n++
			}
		}
	}
	for _, o := range w.g.Outputs {
		if o == t {
			n++
		}
	}
	return n
}

// geometry reads sizes and strides off the gathers, and holds every shape of the
// chain against them.
func (w *windowed) geometry(chain []int, shapes [][]int32) bool {
	frame := w.g.Tensors[w.frame].Shape
	if len(frame) != 4 || frame[0] != 1 || len(shapes[1]) != 4 || len(shapes[3]) != 4 {
		return false
	}
	fw, ch := int(frame[2]), int(frame[3])
	w.count[0], w.size[0], w.count[1] = int(shapes[1][0]), int(shapes[1][1]), int(shapes[3][2])
	if w.count[1] < 1 || ch < 1 || w.count[0] < 1 || w.size[0] < 1 {
		return false
	}
	w.size[1] = int(shapes[3][3]) / ch
	n, p := w.count, w.size
	for k, want := range [][]int{{n[0], p[0], fw, ch}, {n[0], p[0], n[1] * p[1], ch}, {n[0], p[0], n[1], p[1] * ch}, {n[0], n[1], p[0], p[1] * ch}, {n[0] * n[1], p[0], p[1], ch}} {
		if !slices.Equal(toInts(shapes[k+1]), want) {
			return false
		}
	}
	for axis, op := range []*model.Operator{w.g.Operators[chain[0]], w.g.Operators[chain[2]]} {
		o, ok := op.Options.(*model.GatherOptions)
		if !ok || o.BatchDims != 0 || int(o.Axis) != axis+1 || !w.starts(axis, op.Inputs[1], int(frame[1+axis])) {
			return false
		}
	}
	return slices.Equal(w.ints(w.g.Operators[chain[4]].Inputs[1]), []int{0, 2, 1, 3})
}

// starts finds the stride along an axis in the list of a GATHER.
func (w *windowed) starts(axis int, list int32, length int) bool {
	at, n, p := w.ints(list), w.count[axis], w.size[axis]
	if p < 1 || len(at) != n*p {
		return false
	}
	q := length // of a single window: it does not matter
	if n > 1 {
		q = at[p]
	}
	if q < 1 || q > length {
		return false
	}
	for i, x := range at {
		if x != i/p*q+i%p || x >= length {
			return false
		}
	}
	w.stride[axis] = q
	return true
}

// ints is a constant list of int32; nil for anything else.
func (w *windowed) ints(t int32) []int {
	if t < 0 || w.g.Tensors[t].Type != model.TypeInt32 {
		return nil
	}
	var v []int
	for b := w.m.Data(w.g.Tensors[t]); len(b) >= 4; b = b[4:] {
		v = append(v, int(int32(binary.LittleEndian.Uint32(b))))
	}
	return v
}

// sort tells operators on windows from all others, and makes sure that each of
// them treats windows one by one.
func (w *windowed) sort(chain []int) bool {
	w.moved = map[int32]bool{w.stack: true}
	inside := map[int32]bool{} // the chain's own
	for _, i := range chain[:len(chain)-1] {
		inside[w.g.Operators[i].Outputs[0]] = true
	}
	fixed := w.constants()
	for i, op := range w.g.Operators {
		if slices.Contains(chain, i) {
			continue
		}
		on := slices.ContainsFunc(op.Inputs, func(t int32) bool { return w.moved[t] })
		if slices.ContainsFunc(op.Inputs, func(t int32) bool { return inside[t] || on && t >= 0 && !w.moved[t] && !fixed[t] }) {
			return false
		}
		if !on {
			w.before = append(w.before, i)
			continue
		}
		w.body = append(w.body, i)
		for _, t := range op.Outputs {
			w.moved[t] = true
		}
	}
	return len(w.body) > 0
}

// constants are the tensors that do not depend on the frame.
func (w *windowed) constants() map[int32]bool {
	fixed := map[int32]bool{-1: true}
	for i, t := range w.g.Tensors {
		fixed[int32(i)] = w.m.Data(t) != nil
	}
	for _, op := range w.g.Operators {
		if !slices.ContainsFunc(op.Inputs, func(t int32) bool { return !fixed[t] }) {
			for _, t := range op.Outputs {
				fixed[t] = true
			}
		}
	}
	return fixed
}

// ends takes the last RESHAPE of each output off the body, and checks what is left.
func (w *windowed) ends() bool {
	all := w.count[0] * w.count[1]
	for _, o := range w.g.Outputs {
		i := slices.IndexFunc(w.body, func(i int) bool { return slices.Contains(w.g.Operators[i].Outputs, o) })
		if i < 0 || w.readers(o) != 1 {
			return false
		}
		op := w.g.Operators[w.body[i]]
		from, shape := op.Inputs[0], w.g.Tensors[o].Shape
		if w.m.Code(op).Builtin != model.OpReshape || !w.moved[from] || from == w.stack || len(shape) != 4 || shape[0] != 1 ||
			int(shape[1]) != w.count[0] || int(shape[2]) != w.count[1] || product(toInts(w.g.Tensors[from].Shape)) != all*int(shape[3]) {
			return false
		}
		w.results = append(w.results, from)
		w.body = slices.Delete(w.body, i, i+1)
	}
	for _, i := range w.body {
		if !w.rowWise(w.g.Operators[i]) {
			return false
		}
	}
	return len(w.results) > 0
}
