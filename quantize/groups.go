package quantize

import (
	"fmt"
	"slices"

	"edged/model"
)

// groups are sets of tensors that must share one scale and zero point: what goes
// through pools, reshapes and joins. They are kept as a forest of parents.
type groups []int32

func newGroups(n int) groups {
	g := make(groups, n)
	for i := range g {
		g[i] = int32(i)
	}
	return g
}

func (g groups) root(t int32) int32 {
	for g[t] != t {
		g[t] = g[g[t]]
		t = g[t]
	}
	return t
}

func (g groups) join(a, b int32) {
	a, b = g.root(a), g.root(b)
	g[max(a, b)] = min(a, b)
}

// members lists every group of floats by its root.
func (q *quantiser) members() map[int32][]int32 {
	g := q.g
	joined := newGroups(len(g.Tensors))
	for _, op := range g.Operators {
		if r, _ := ruleOf(q.m, g, op); !r.same {
			continue
		}
		first := int32(-1)
		for _, t := range append(append([]int32{}, op.Inputs...), op.Outputs...) {
			if !isFloat(g, t) {
				continue
			}
			if first < 0 {
				first = t
			}
			joined.join(first, t)
		}
	}
	list := map[int32][]int32{}
	for i := range g.Tensors {
		if isFloat(g, int32(i)) {
			list[joined.root(int32(i))] = append(list[joined.root(int32(i))], int32(i))
		}
	}
	return list
}

// added ends the name of what a QUANTIZE that was put in writes.
const added = "/requantized"

// source is a tensor whose values do not come from its own group.
type source struct {
	tensor int32
	fixed  *affine // its scale is settled; nil: it is free
}

// sources are where the values of a group come from.
func (q *quantiser) sources(group []int32) (list []source) {
	for _, t := range group {
		op := q.made[t]
		switch fixed := q.fixedOf(t); {
		case fixed != nil:
			list = append(list, source{t, fixed})
		case op != nil && slices.Contains(q.own, op):
			list = append(list, source{t, q.fixedOf(op.Inputs[0])})
		case op == nil:
			list = append(list, source{t, nil})
		default:
			if r, _ := ruleOf(q.m, q.g, op); !r.same {
				list = append(list, source{t, nil})
			}
		}
	}
	return list
}

// fixedOf is the scale that is settled of t: the input's, or what the runtimes
// demand; nil where it is free.
func (q *quantiser) fixedOf(t int32) *affine {
	if q.input != nil && t == q.g.Inputs[0] {
		return q.input
	}
	if op := q.made[t]; op != nil {
		r, _ := ruleOf(q.m, q.g, op)
		return r.fixed
	}
	return nil
}

// settle gives every group its scale. What has a settled scale enters a join
// through a QUANTIZE, which goes again where the join's scale is the same.
func (q *quantiser) settle() error {
	q.split()
	for _, group := range q.members() {
		a, err := q.scaleOf(group)
		if err != nil {
			return err
		}
		for _, t := range group {
			q.quant[t] = a
		}
	}
	q.unsplit()
	return nil
}

// split puts a QUANTIZE between each tensor of a settled scale and each operator
// that wants one scale for all.
func (q *quantiser) split() {
	g := q.g
	var list []*model.Operator
	code := q.m.CodeIndex(model.OperatorCode{Builtin: model.OpQuantize, Version: 1})
	for _, op := range g.Operators {
		r, _ := ruleOf(q.m, g, op)
		copies := map[int32]int32{}
		for i, t := range op.Inputs {
			if !r.same || !isFloat(g, t) || q.fixedOf(t) == nil {
				continue
			}
			if _, ok := copies[t]; !ok {
				c := *g.Tensors[t]
				c.Name += added
				g.Tensors = append(g.Tensors, &c)
				y := int32(len(g.Tensors) - 1)
				if x, ok := q.ranges[t]; ok {
					q.ranges[y] = x
				}
				copies[t] = y
				own := &model.Operator{OpcodeIndex: code, Inputs: []int32{t}, Outputs: []int32{y}, Options: &model.QuantizeOptions{}}
				q.own, list = append(q.own, own), append(list, own)
			}
			op.Inputs[i] = copies[t]
		}
		list = append(list, op)
	}
	g.Operators = list
	q.index()
}

// unsplit takes out each QUANTIZE that changes nothing.
func (q *quantiser) unsplit() {
	g := q.g
	to := map[int32]int32{}
	g.Operators = slices.DeleteFunc(g.Operators, func(op *model.Operator) bool {
		if !slices.Contains(q.own, op) || q.quant[op.Inputs[0]] != q.quant[op.Outputs[0]] {
			return false
		}
		to[op.Outputs[0]] = op.Inputs[0]
		return true
	})
	for _, op := range g.Operators {
		for i, t := range op.Inputs {
			if x, ok := to[t]; ok {
				op.Inputs[i] = x
			}
		}
	}
}

// allFixed is the one scale of a group whose sources all have it; constants that
// it covers do not count.
func (q *quantiser) allFixed(list []source) (a affine, ok bool) {
	for _, s := range list {
		if s.fixed != nil {
			a, ok = *s.fixed, true
			break
		}
	}
	for _, s := range list {
		if s.fixed != nil && *s.fixed != a {
			return a, false
		}
		if s.fixed == nil {
			constant := q.m.Data(q.g.Tensors[s.tensor]) != nil
			r := q.ranges[s.tensor]
			if !constant || r.Lo < a.covers().Lo || r.Hi > a.covers().Hi+float64(a.scale) {
				return a, false
			}
		}
	}
	return a, ok
}

// scaleOf is the scale of a group: the fixed one of its sources, or what covers
// the ranges of all members.
func (q *quantiser) scaleOf(group []int32) (affine, error) {
	if a, ok := q.allFixed(q.sources(group)); ok {
		return a, nil
	}
	var r Range
	known := false
	for _, t := range group {
		if x, ok := q.ranges[t]; ok {
			r, known = r.union(x), true
		}
	}
	if !known {
		return affine{}, fmt.Errorf("quantize: no range is known of tensor %q", q.g.Tensors[group[0]].Name)
	}
	return rangeQuant(r), nil
}
