package rewrite

import "edged/model"

// follow gives an eST to operators that lifting leaves without a place, from
// their inputs': lifting reads baselines, and a dense net in fragments goes
// through SPACE_TO_BATCH_ND and back.
func (a *Analysis) follow(m *model.Model, g *model.Subgraph) {
	est := map[int32]*[2]int{}
	for i, p := range a.Places {
		if p != nil {
			est[int32(i)] = &p.EST
		}
	}
	for i, op := range g.Operators {
		f := &a.Ops[i]
		if f.Out != nil {
			f.EST = &f.Out.EST
		} else {
			f.EST = nextEST(m, g, op, est)
		}
		for _, id := range op.Outputs {
			if est[id] == nil {
				est[id] = f.EST
			}
		}
	}
}

// nextEST is the eST behind op, nil where the positions of its output have no
// regular place.
func nextEST(m *model.Model, g *model.Subgraph, op *model.Operator, est map[int32]*[2]int) *[2]int {
	in := commonEST(m, g, op, est)
	if in == nil {
		return nil
	}
	by := func(s [2]int) *[2]int {
		if min(s[0], s[1]) < 1 {
			return nil
		}
		return &[2]int{in[0] * s[0], in[1] * s[1]}
	}
	if w, ok := model.WindowOf(m, g, op); ok {
		return by(w.Stride)
	}
	switch o := op.Options.(type) {
	case *model.PadOptions, *model.PadV2Options, *model.SliceOptions:
		return in
	case *model.ConcatenationOptions:
		if o.Axis == 3 || o.Axis == -1 {
			return in
		}
		return nil
	}
	switch m.Code(op).Builtin {
	case model.OpSpaceToBatchND:
		if b := blockOf(m, g, op); b != nil {
			return by([2]int{int(b[0]), int(b[1])})
		}
		return nil
	case model.OpBatchToSpaceND:
		b := blockOf(m, g, op)
		if b == nil || in[0]%int(b[0]) != 0 || in[1]%int(b[1]) != 0 {
			return nil
		}
		return &[2]int{in[0] / int(b[0]), in[1] / int(b[1])}
	}
	if keepsMap(g, op) {
		return in
	}
	return nil
}

// commonEST is the eST of the computed inputs where they agree.
func commonEST(m *model.Model, g *model.Subgraph, op *model.Operator, est map[int32]*[2]int) *[2]int {
	var in *[2]int
	for _, id := range op.Inputs {
		if id < 0 || m.Data(g.Tensors[id]) != nil {
			continue
		}
		switch e := est[id]; {
		case in == nil && e != nil:
			in = e
		case e != nil && *e != *in:
			return nil
		}
	}
	return in
}

// blockOf reads the two block sizes of SPACE_TO_BATCH_ND or its reverse.
func blockOf(m *model.Model, g *model.Subgraph, op *model.Operator) []int64 {
	if len(op.Inputs) < 2 || op.Inputs[1] < 0 {
		return nil
	}
	t := g.Tensors[op.Inputs[1]]
	b, err := model.Ints(t.Type, m.Data(t))
	if err != nil || len(b) != 2 || min(b[0], b[1]) < 1 || max(b[0], b[1]) > 1<<20 {
		return nil
	}
	return b
}

// keepsMap tells whether the first output is a map of the first input's size.
func keepsMap(g *model.Subgraph, op *model.Operator) bool {
	if len(op.Inputs) == 0 || len(op.Outputs) == 0 || op.Inputs[0] < 0 || op.Outputs[0] < 0 {
		return false
	}
	in, out := g.Tensors[op.Inputs[0]].Shape, g.Tensors[op.Outputs[0]].Shape
	return len(in) == 4 && len(out) == 4 && in[0] == out[0] && in[1] == out[1] && in[2] == out[2]
}
