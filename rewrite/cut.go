package rewrite

import (
	"slices"
	"strings"

	"edged/model"
)

// cutMaps, as a cut, stands for the last maps before every output that is none.
const cutMaps = "maps"

// endWhereAsked ends the graph at the tensors asked for, drops what they do not
// need, and gives it a size where that is open.
func (s *state) endWhereAsked() error {
	g := s.work.Subgraphs[0]
	s.cuts = s.opts.Cuts
	maps := len(s.cuts) == 1 && s.cuts[0] == cutMaps && tensorCalled(g, cutMaps) < 0
	if !maps {
		if err := endAt(g, s.cuts); err != nil {
			return err
		}
	}
	dropDead(g)
	sized, err := Sized(s.work, s.opts.Input)
	if err != nil {
		return err
	}
	s.work = sized
	if !maps {
		return nil
	}
	if s.cuts, err = lastMaps(s.work); err != nil {
		return err
	}
	if err := endAt(s.work.Subgraphs[0], s.cuts); err != nil {
		return err
	}
	dropDead(s.work.Subgraphs[0])
	return nil
}

// endAt makes the tensors called so the graph's outputs, in this order.
func endAt(g *model.Subgraph, cuts []string) error {
	if len(cuts) == 0 {
		return nil
	}
	var outputs []int32
	for _, name := range cuts {
		t, err := findTensor(g, name)
		if err != nil {
			return err
		}
		if slices.Contains(outputs, t) {
			return usagef("cut %q: this tensor is named twice", name)
		}
		outputs = append(outputs, t)
	}
	for i, name := range cuts {
		if strings.HasPrefix(name, "#") {
			g.Tensors[outputs[i]].Name = name // its own is missing or another's too, and verify looks for it
		}
	}
	g.Outputs = outputs
	return nil
}

// dropDead drops the operators that no output needs, and of several inputs those
// that nothing reads any more.
func dropDead(g *model.Subgraph) {
	g.DropDead()
	if len(g.Inputs) < 2 {
		return
	}
	read := map[int32]bool{}
	for _, op := range g.Operators {
		for _, t := range op.Inputs {
			read[t] = true
		}
	}
	live := slices.DeleteFunc(slices.Clone(g.Inputs), func(t int32) bool { return !read[t] })
	if len(live) > 0 {
		g.Inputs = live
	}
}

// lastMaps are the outputs of m that are maps, and in the place of each that is
// none the last maps before it: those before a detector's heads mix positions
// with channels.
func lastMaps(m *model.Model) ([]string, error) {
	n, err := lift(m)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, o := range n.outputs {
		maps := []int32{o.tensor}
		if o.val == nil {
			maps = n.mapsBefore(o.tensor)
		}
		if len(maps) == 0 {
			why := *o.why
			why.Instead = "there is no map before this output: name the tensors to end the net at with --cut TENSOR"
			return nil, &why
		}
		for _, t := range maps {
			if name := callName(n.g, t); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// mapsBefore are the nearest maps [1, h, w, c] that tensor t is computed from,
// but for the input itself.
func (n *net) mapsBefore(t int32) []int32 {
	var found []int32
	seen := map[int32]bool{n.input.tensor: true}
	var walk func(at int32)
	walk = func(at int32) {
		if at < 0 || seen[at] {
			return
		}
		seen[at] = true
		if l := n.layouts[at]; l != nil && at != t && l.canonical(n.g.Tensors[at].Shape) && l.blockOf() == (pair{1, 1}) {
			found = append(found, at)
			return
		}
		for _, op := range n.g.Operators {
			if slices.Contains(op.Outputs, at) {
				for _, in := range op.Inputs {
					walk(in)
				}
			}
		}
	}
	walk(t)
	return found
}
