package rewrite

import (
	"fmt"
	"slices"

	"edged/model"
)

// lowerShifts stacks shifted crops through the baseline as it is, or, where
// its head has to slide or the frame is larger, through its enlargement.
func (s *state) lowerShifts(reason string) error {
	sameSize := s.dense.frame == s.net.input.n
	var err error
	if sameSize && !s.net.isPatch() {
		if err = s.shiftsOf(s.work, s.net.inDims, nil); err == nil {
			s.form, s.reason = Shifts, reason
			return nil
		}
	}
	if err2 := s.shiftsOfEnlarged(); err2 == nil {
		s.form, s.reason = Shifts, reason
		return nil
	} else if err == nil {
		err = err2
	}
	if sameSize && s.net.isPatch() && s.shiftsOf(s.work, s.net.inDims, nil) == nil {
		s.form, s.reason = Shifts, reason
		return nil
	}
	return err
}

// shiftsOf stacks shifts through m; at maps the outputs of the net to tensors
// of m where those are not the baseline's.
func (s *state) shiftsOf(m *model.Model, inDims [][]atom, at []int32) error {
	var outs []stacked
	for i, o := range s.net.outputs {
		k := stacked{tensor: o.tensor, name: s.work.Subgraphs[0].Tensors[o.tensor].Name, val: o.val, target: s.dense.target(o.val)}
		if at != nil {
			k.tensor, k.dims = at[i], nhwc()
		} else {
			k.dims = s.net.layouts[o.tensor].dims
		}
		for _, g := range o.val.grid {
			if g.bad {
				return &Refusal{Reason: fmt.Sprintf("output %q has no regular grid", k.name)}
			}
		}
		outs = append(outs, k)
	}
	e, err := stackShifts(m, source{inDims, s.net.input.ch}, s.dense.frame, s.dense.q, outs)
	if err != nil {
		return err
	}
	s.graph, s.weights = e, e.weights
	return nil
}

// shiftsOfEnlarged stacks shifts through the strided net at the frame's size:
// the dense net at the output stride where nothing is dilated.
func (s *state) shiftsOfEnlarged() error {
	b, err := s.net.strided()
	if err != nil {
		return err
	}
	if err := s.shiftsOf(b.m, nhwc(), b.g.Outputs); err != nil {
		return err
	}
	through := map[int32]weightRef{}
	for t, ref := range b.weights {
		if r, ok := s.graph.weights[ref.tensor]; ok {
			through[t] = weightRef{r.tensor, ref.perm}
		}
	}
	s.weights = through
	return nil
}

// strided is the baseline enlarged to the frame, B' of the theory: fully
// convolutional, every stride kept, its head slid over the map.
func (n *net) strided() (*lowering, error) {
	q := pair{1, 1}
	for _, nd := range n.nodes {
		for i := range q {
			q[i] = max(q[i], nd.out[0].grid[i].e)
		}
	}
	d, err := n.densify(q)
	if err != nil {
		return nil, err
	}
	return d.lower(false)
}

// stacked describes an output of the graph that is to run on shifted crops.
type stacked struct {
	tensor int32 // in that graph
	name   string
	dims   [][]atom
	val    *value
	target pair
}

// source is how the input of the graph that is to run on crops holds a picture.
type source struct {
	dims [][]atom
	ch   int
}

// stackShifts writes the graph of m with crops of its input, one for every
// shift below the output's eST, stacked in the batch: crop (i, j) starts at
// pixel (i*q, j*q) of the frame, whose end is extended by zeros. It is exact
// for every graph that treats its batch row by row.
func stackShifts(m *model.Model, in source, frame, q pair, outs []stacked) (_ *emitter, err error) {
	s := &stacking{emitter: newEmitter(m), q: q, done: map[int32]int32{}}
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(emitError)
			if !ok {
				panic(r)
			}
			err = e.err
		}
	}()
	s.shifts = pair{1, 1}
	for _, o := range outs {
		b := o.shifts(q)
		s.shifts = pair{max(s.shifts[0], b[0]), max(s.shifts[1], b[1])}
	}
	s.emitCrops(in, frame)
	for i, op := range s.liveOps(outs) {
		if op != nil {
			s.copyOp(i, op)
		}
	}
	if err := s.tooLarge("shifts"); err != nil {
		return nil, err
	}
	for _, o := range outs {
		s.emitOutput(o)
	}
	return s.emitter, nil
}

// shifts is how many shifts per axis the output needs: all below its eST, but
// no more than it has positions.
func (o stacked) shifts(q pair) pair {
	var n pair
	for i, g := range o.val.grid {
		n[i] = min(max(g.e/q[i], 1), max(o.target[i], 1))
	}
	return n
}

// tensorLimit is the largest tensor, in bytes, that runtimes with 32-bit
// offsets hold.
const tensorLimit = 1<<31 - 1

type stacking struct {
	*emitter
	q      pair
	shifts pair            // crops per axis
	done   map[int32]int32 // tensors of the source that vary with the batch
}

func (s *stacking) rows() int { return s.shifts.area() }

// emitCrops declares the frame and stacks its crops, x fastest, as
// BATCH_TO_SPACE_ND expects them, in the layout of the baseline's input.
func (s *stacking) emitCrops(in source, frame pair) {
	src := s.from.Tensors[s.from.Inputs[0]]
	if len(src.Shape) < 3 || src.Shape[0] != 1 || len(in.dims[0]) > 0 {
		panic(emitError{&Refusal{Reason: fmt.Sprintf("the input of shape %v has no batch axis to stack shifts in", src.Shape)}})
	}
	t := s.declareFrame(src, frame, in.ch)
	sp := spec{src.Name + "/shifts", src.Type, src.Quantization}
	if s.rows() > 1 {
		t = s.op(builtin(model.OpPad), &model.PadOptions{}, []int32{t, s.pads(pair{}, pair{(s.shifts[0] - 1) * s.q[0], (s.shifts[1] - 1) * s.q[1]})}, sp)
	}
	for _, a := range []int{1, 0} {
		t = s.stack(t, a+1, s.shifts[a], s.q[a], frame[a], sp)
	}
	s.done[s.from.Inputs[0]] = s.likeInput(t, in.dims, sp)
}

// stack puts n crops of length size along an axis, q apart, into the batch.
func (s *stacking) stack(t int32, axis, n, q, size int, sp spec) int32 {
	if n == 1 {
		return t
	}
	var crops []int32
	begin, length := make([]int, len(s.shape(t))), make([]int, len(s.shape(t)))
	for i := range length {
		length[i] = -1
	}
	length[axis] = size
	for i := range n {
		begin[axis] = i * q
		crops = append(crops, s.op(builtin(model.OpSlice), &model.SliceOptions{}, []int32{t, s.list(begin...), s.list(length...)}, sp))
	}
	return s.concat(0, crops, sp)
}

// liveOps are the source's operators, nil where no output needs one.
func (s *stacking) liveOps(outs []stacked) []*model.Operator {
	need := map[int32]bool{}
	for _, o := range outs {
		need[o.tensor] = true
	}
	ops := slices.Clone(s.from.Operators)
	for i := len(ops) - 1; i >= 0; i-- {
		if !slices.ContainsFunc(ops[i].Outputs, func(t int32) bool { return need[t] }) {
			ops[i] = nil
			continue
		}
		for k, t := range ops[i].Inputs {
			if !structural(s.src.Code(ops[i]).Builtin, k) {
				need[t] = true
			}
		}
	}
	return ops
}

// structural names the inputs that copyOp writes anew from compiled shapes.
func structural(code model.BuiltinOperator, input int) bool {
	switch code {
	case model.OpReshape, model.OpResizeBilinear, model.OpResizeNearestNeighbor:
		return input == 1
	case model.OpTransposeConv:
		return input == 0
	}
	return false
}

func (s *stacking) emitOutput(o stacked) {
	t, ok := s.done[o.tensor]
	if !ok {
		panic(emitError{&Refusal{Reason: fmt.Sprintf("output %q does not depend on the input", o.name)}})
	}
	v, sp := o.val, o.val.spec().suffix("/dense")
	n := pair{v.grid[0].n, v.grid[1].n}
	t = s.asMap(t, o, n, sp)
	block := o.shifts(s.q)
	t = s.selectShifts(t, block, sp)
	if block != (pair{1, 1}) {
		t = s.batchToSpace(t, block, o.target, sp)
	}
	t = s.crop(t, pair{}, o.target, sp)
	if slices.Contains(s.g.Outputs, t) || t == s.g.Inputs[0] {
		t = s.reshape(t, sp, 1, o.target[0], o.target[1], v.ch)
	}
	s.rename(t, o.name)
	s.g.Outputs = append(s.g.Outputs, t)
}

// asMap brings a stacked output to [rows, h, w, c].
func (s *stacking) asMap(t int32, o stacked, n pair, sp spec) int32 {
	v := o.val
	natural := newLayout(v, nhwc())
	l := newLayout(v, o.dims)
	if slices.Equal(l.sequence(), natural.sequence()) {
		if sh := s.shape(t); len(sh) == 4 && int(sh[1]) == n[0] && int(sh[2]) == n[1] {
			return t
		}
		return s.reshape(t, sp, -1, n[0], n[1], v.ch)
	}
	perm := []int{0}
	for _, a := range []atom{atomY, atomX, atomC} {
		perm = append(perm, slices.IndexFunc(o.dims, func(d []atom) bool { return slices.Contains(d, a) }))
	}
	if len(o.dims) != 4 || slices.Contains(perm, -1) {
		panic(emitError{&Refusal{Reason: fmt.Sprintf("output %q cannot be laid out as a map", o.name)}})
	}
	return s.op(builtin(model.OpTranspose), &model.TransposeOptions{}, []int32{t, s.list(perm...)}, sp)
}

// selectShifts keeps the shifts that an output of smaller eST needs.
func (s *stacking) selectShifts(t int32, block pair, sp spec) int32 {
	if block == s.shifts {
		return t
	}
	var rows []int32
	for y := range block[0] {
		rows = append(rows, s.op(builtin(model.OpSlice), &model.SliceOptions{},
			[]int32{t, s.list(y*s.shifts[1], 0, 0, 0), s.list(block[1], -1, -1, -1)}, sp))
	}
	return s.concat(0, rows, sp)
}
