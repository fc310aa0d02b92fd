//go:build tflite

package rewrite

import (
	"slices"

	"edged/model"
)

// A mutant is a rewriting with one fault of the kinds that people make. Plan
// faults change the arithmetic before the graph is written; graph faults
// change what was written.
type mutant struct {
	name  string
	net   func() *model.Model
	o     Options
	plan  func(d *dense)
	order func(lo *lowering)
	graph func(m *model.Model) int // gives how many places it changed
	prep  func(n *net)
}

// lowerMutant writes the faulty dense graph, brought to the input and output
// sizes of the right one so that the fault cannot show in a shape.
func lowerMutant(x mutant, base *model.Model) (*model.Model, error) {
	s := &state{opts: x.o, base: base, result: &Result{}}
	for _, p := range passes[:5] {
		if err := p.run(s); err != nil {
			return nil, err
		}
	}
	frame, n := s.dense.frame, s.dense.target(s.net.outputs[0].val)
	if x.prep != nil {
		x.prep(s.net)
	}
	if x.plan != nil || x.prep != nil {
		if x.plan == nil {
			x.plan = func(*dense) {}
		}
		if err := s.faultyPlan(x.plan, n); err != nil {
			return nil, err
		}
	}
	lo := &lowering{dense: s.dense, emitter: newEmitter(s.dense.m), fragments: s.opts.Form == Fragments, at: map[*value]laid{}}
	lo.emitInput()
	for _, nd := range lo.nodes {
		lo.emitNode(nd)
	}
	if x.order != nil {
		x.order(lo)
	}
	lo.emitOutputs(func(*value) pair { return n })
	fitFrame(lo.emitter, frame)
	if x.graph != nil && x.graph(lo.emitter.m) == 0 {
		return nil, usagef("the mutant %s changed nothing", x.name)
	}
	lo.emitter.m.UpdateVersions()
	return lo.emitter.m, lo.emitter.m.SetManifest(&model.Manifest{Schema: 1, Contract: string(s.contract), OutputStride: s.opts.stride()})
}

// faultyPlan applies a plan's fault on a frame large enough that the output
// still has all n positions.
func (s *state) faultyPlan(fault func(*dense), n pair) error {
	for grow := 0; grow < 200; grow++ {
		big := pair{s.dense.frame[0] + grow, s.dense.frame[1] + grow}
		if err := s.net.place(big); err != nil {
			continue
		}
		d, err := s.net.densify(s.opts.stride())
		if err != nil {
			return err
		}
		fault(d)
		d.measure()
		if m := d.maps[s.net.outputs[0].val].n; m[0] >= n[0] && m[1] >= n[1] {
			s.dense = d
			return nil
		}
	}
	return usagef("no frame is large enough for the mutant")
}

// fitFrame puts a PAD in front where the frame differs.
func fitFrame(e *emitter, frame pair) {
	in := e.g.Inputs[0]
	big := e.size(in)
	if big != frame {
		t := *e.g.Tensors[in]
		t.Name = "frame"
		t.Shape = []int32{1, int32(frame[0]), int32(frame[1]), t.Shape[3]}
		e.g.Tensors = append(e.g.Tensors, &t)
		x := int32(len(e.g.Tensors) - 1)
		pads := e.pads(pair{}, pair{big[0] - frame[0], big[1] - frame[1]})
		op := &model.Operator{OpcodeIndex: e.code(builtin(model.OpPad)), Inputs: []int32{x, pads}, Outputs: []int32{in}, Options: &model.PadOptions{}}
		e.g.Operators = append([]*model.Operator{op}, e.g.Operators...)
		e.g.Inputs[0] = x
	}
}

// opsOf lists a graph's operators of a kind.
func opsOf(m *model.Model, code model.BuiltinOperator) []*model.Operator {
	return slices.DeleteFunc(slices.Clone(m.Subgraphs[0].Operators), func(op *model.Operator) bool { return m.Code(op).Builtin != code })
}

// editAll applies an edit to every operator of a kind and counts.
func editAll(m *model.Model, code model.BuiltinOperator, edit func(op *model.Operator) bool) int {
	n := 0
	for _, op := range opsOf(m, code) {
		if edit(op) {
			n++
		}
	}
	return n
}

// insertPad puts PADV2 by zero bytes, of the same quantisation, in front of
// input 0 of op.
func insertPad(m *model.Model, op *model.Operator, a, b pair) {
	g := m.Subgraphs[0]
	e := &emitter{src: m, from: g, m: m, g: g, codes: map[model.OperatorCode]uint32{}, konst: map[string]int32{}, names: map[string]bool{}}
	for i, c := range m.OperatorCodes {
		e.codes[*c] = uint32(i)
	}
	x := g.Tensors[op.Inputs[0]]
	at := slices.Index(g.Operators, op)
	tail := slices.Clone(g.Operators[at:])
	g.Operators = g.Operators[:at]
	op.Inputs = slices.Clone(op.Inputs)
	op.Inputs[0] = e.pad(op.Inputs[0], a, b, spec{x.Name + "/zeros", x.Type, x.Quantization})
	g.Operators = append(g.Operators, tail...)
}
