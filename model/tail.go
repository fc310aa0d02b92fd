package model

import "slices"

// TakeOffArgMax takes the ARG_MAX off the end of a net that gives class ids:
// output i of the main graph becomes the map that the ids were chosen from, and
// whoever reads it chooses, sees the scores, and sees where they are not
// numbers. It understands an ARG_MAX over the last dimension of a map of rank 4,
// also with casts and changes of shape behind it. It shares data with m, and is
// m itself where there is nothing to take off.
func (m *Model) TakeOffArgMax(i int) *Model {
	g := m.Subgraphs[0]
	t, ok := m.argMaxInput(g, g.Outputs[i])
	if !ok || slices.Contains(g.Outputs, t) {
		return m
	}
	c, sub := *m, *g
	sub.Outputs = slices.Clone(g.Outputs)
	sub.Outputs[i] = t
	sub.DropDead()
	c.Subgraphs = append([]*Subgraph{&sub}, m.Subgraphs[1:]...)
	c.SignatureDefs = nil // they name the outputs of before
	return &c
}

// argMaxInput goes up from tensor t to the map that an ARG_MAX reads.
func (m *Model) argMaxInput(g *Subgraph, t int32) (int32, bool) {
	made := g.producers()
	for range len(g.Operators) {
		op := made[t]
		if op == nil || len(op.Inputs) == 0 || op.Inputs[0] < 0 {
			return 0, false
		}
		x := op.Inputs[0]
		switch m.Code(op).Builtin {
		case OpCast, OpReshape, OpSqueeze, OpExpandDims:
			if isFloat(g.Tensors[t].Type) {
				return 0, false // a map made of class ids
			}
			t = x
		case OpArgMax:
			return x, m.overLast(g, op)
		default:
			return 0, false
		}
	}
	return 0, false
}

// overLast tells whether an ARG_MAX goes over the last of four dimensions.
func (m *Model) overLast(g *Subgraph, op *Operator) bool {
	if len(op.Inputs) != 2 || op.Inputs[1] < 0 || len(g.Tensors[op.Inputs[0]].Shape) != 4 {
		return false
	}
	axis := g.Tensors[op.Inputs[1]]
	v, err := Ints(axis.Type, m.Data(axis))
	return err == nil && len(v) == 1 && (v[0] == 3 || v[0] == -1)
}

// DropDead removes the operators that no output needs.
func (g *Subgraph) DropDead() {
	need := map[int32]bool{}
	for _, t := range g.Outputs {
		need[t] = true
	}
	var keep []*Operator
	for i := len(g.Operators) - 1; i >= 0; i-- {
		op := g.Operators[i]
		if !slices.ContainsFunc(op.Outputs, func(t int32) bool { return need[t] }) {
			continue
		}
		for _, t := range op.Inputs {
			need[t] = true
		}
		keep = append(keep, op)
	}
	slices.Reverse(keep)
	g.Operators = keep
}
