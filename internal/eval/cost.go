package eval

import "edged/model"

// tensorBytes is what one tensor takes, 0 where its type has no fixed size.
func tensorBytes(t *model.Tensor) int64 {
	n := int64(t.Type.Size())
	for _, d := range t.Shape {
		n *= int64(d)
	}
	return n
}

// memoryOf is what a graph needs at least: its constants, and the largest sum of
// tensors that are alive at one time when the operators run in order and every
// tensor is freed after its last use. An engine may take more, never less.
func memoryOf(m *model.Model) int64 {
	g := m.Subgraphs[0]
	last := lastUse(g)
	var constants, live, peak int64
	alive := func(id int32) {
		live += tensorBytes(g.Tensors[id])
		peak = max(peak, live)
	}
	for _, t := range g.Tensors {
		constants += int64(len(m.Data(t)))
	}
	for _, id := range g.Inputs {
		alive(id)
	}
	for i, op := range g.Operators {
		for _, id := range op.Outputs {
			alive(id)
		}
		for id, at := range last {
			if at == i && m.Data(g.Tensors[id]) == nil {
				live -= tensorBytes(g.Tensors[id])
			}
		}
	}
	return constants + peak
}

// lastUse is, for every tensor that an operator reads, the last one that does;
// the graph's outputs are never done with.
func lastUse(g *model.Subgraph) map[int32]int {
	last := map[int32]int{}
	for i, op := range g.Operators {
		for _, id := range op.Inputs {
			if id >= 0 {
				last[id] = i
			}
		}
	}
	for _, id := range g.Outputs {
		delete(last, id)
	}
	return last
}
