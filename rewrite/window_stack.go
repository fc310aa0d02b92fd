package rewrite

import (
	"fmt"
	"slices"

	"edged/model"
)

// stackWindows writes the graph of the baseline with the windows of the frame
// stacked in its batch, row by row.
func (d *dense) stackWindows() (_ *emitter, err error) {
	s := &stacking{emitter: newEmitter(d.m), q: d.q, done: map[int32]int32{}}
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(emitError)
			if !ok {
				panic(r)
			}
			err = e.err
		}
	}()
	s.shifts = d.target(d.outputs[0].val)
	s.emitWindows(d)
	var outs []stacked
	for _, o := range d.outputs {
		outs = append(outs, stacked{tensor: o.tensor})
	}
	for i, op := range s.liveOps(outs) {
		if op != nil {
			s.copyOp(i, op)
		}
	}
	if err := s.tooLarge("windows"); err != nil {
		return nil, err
	}
	for _, o := range d.outputs {
		t, ok := s.done[o.tensor]
		if !ok {
			return nil, &Refusal{Reason: fmt.Sprintf("output %q does not depend on the input", o.val.name)}
		}
		t = s.reshape(t, o.val.spec().suffix("/dense"), 1, s.shifts[0], s.shifts[1], o.val.ch)
		s.rename(t, d.net.g.Tensors[o.tensor].Name)
		s.g.Outputs = append(s.g.Outputs, t)
	}
	return s.emitter, nil
}

// emitWindows declares the frame and gathers its windows into the batch: rows
// first, then columns, and one transposition of four dimensions, which is what
// every runtime has.
func (s *stacking) emitWindows(d *dense) {
	src := s.from.Tensors[s.from.Inputs[0]]
	if len(src.Shape) < 3 || src.Shape[0] != 1 || len(d.inDims[0]) > 0 {
		panic(emitError{&Refusal{Reason: fmt.Sprintf("the input of shape %v has no batch axis to stack windows in", src.Shape)}})
	}
	sp := spec{src.Name + "/windows", src.Type, src.Quantization}
	x := s.declareFrame(src, d.frame, d.input.ch)
	p, n, ch := d.input.n, s.shifts, d.input.ch
	x = s.gather(x, 1, starts(n[0], p[0], d.q[0]), sp)
	x = s.reshape(x, sp, n[0], p[0], d.frame[1], ch)
	x = s.gather(x, 2, starts(n[1], p[1], d.q[1]), sp)
	x = s.reshape(x, sp, n[0], p[0], n[1], p[1]*ch)
	x = s.op(builtin(model.OpTranspose), &model.TransposeOptions{}, []int32{x, s.list(0, 2, 1, 3)}, sp)
	x = s.reshape(x, sp, n.area(), p[0], p[1], ch)
	s.done[s.from.Inputs[0]] = s.likeInput(x, d.inDims, sp)
}

// likeInput brings the windows, [n, h, w, c], into the layout of the baseline's input.
func (s *stacking) likeInput(x int32, dims [][]atom, sp spec) int32 {
	if sameDims(dims, nhwc()) {
		return x
	}
	if len(dims) != 4 {
		src := s.from.Tensors[s.from.Inputs[0]]
		shape := []int{-1}
		for _, n := range src.Shape[1:] {
			shape = append(shape, int(n))
		}
		return s.reshape(x, sp, shape...)
	}
	perm := []int{0}
	for _, dim := range dims[1:] {
		perm = append(perm, slices.Index([]atom{atomY, atomX, atomC}, dim[0])+1)
	}
	return s.op(builtin(model.OpTranspose), &model.TransposeOptions{}, []int32{x, s.list(perm...)}, sp)
}

// starts are the elements of n windows of size p, each q behind the one before.
func starts(n, p, q int) []int {
	var v []int
	for t := range n {
		for i := range p {
			v = append(v, t*q+i)
		}
	}
	return v
}

// gather takes elements along an axis.
func (e *emitter) gather(t int32, axis int, at []int, s spec) int32 {
	return e.op(builtin(model.OpGather), &model.GatherOptions{Axis: int32(axis)}, []int32{t, e.list(at...)}, s)
}

// tooLarge refuses graphs with a tensor beyond 32-bit offsets.
func (s *stacking) tooLarge(what string) error {
	for _, t := range s.g.Tensors {
		if size := elems(t.Shape) * t.Type.Size(); size > tensorLimit {
			return &Refusal{Reason: fmt.Sprintf("%dx%d %s make the tensor %q %d MB large", s.shifts[0], s.shifts[1], what, t.Name, size>>20),
				Instead: "use a larger --output-stride, or end the net earlier with --cut TENSOR"}
		}
	}
	return nil
}
