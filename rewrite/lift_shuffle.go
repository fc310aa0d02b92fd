package rewrite

import (
	"slices"

	"edged/model"
)

// grouped is a tensor whose channels were split into groups, [.., g, c/g, ..]
// from dimension dim on, and perhaps swapped to [.., c/g, g, ..]: the middle of
// a channel shuffle.
type grouped struct {
	from    *layout
	dim     int
	groups  int
	swapped bool
}

// splitChannels notices a RESHAPE that splits the channels into groups and
// leaves everything else.
func (c *lifting) splitChannels(l *layout) bool {
	in, out := c.tensor(0).Shape, c.outTensor(0).Shape
	if len(out) != len(in)+1 {
		return false
	}
	for i := range in {
		if in[i] == out[i] {
			continue
		}
		if !l.only(i, atomC) || out[i]*out[i+1] != in[i] || !slices.Equal(in[i+1:], out[i+2:]) {
			return false
		}
		c.groups[c.op.Outputs[0]] = &grouped{from: l, dim: i, groups: int(out[i])}
		return true
	}
	return false
}

// swapGroups notices the TRANSPOSE of a channel shuffle.
func (c *lifting) swapGroups() bool {
	g := c.groups[c.op.Inputs[0]]
	perm, ok := ints(c.net.m, c.tensor(1))
	if g == nil || !ok || g.swapped {
		return false
	}
	for i, p := range perm {
		want := i
		switch i {
		case g.dim:
			want = i + 1
		case g.dim + 1:
			want = i - 1
		}
		if p != want {
			return false
		}
	}
	s := *g
	s.swapped = true
	c.groups[c.op.Outputs[0]] = &s
	return true
}

// mergeGroups ends a channel shuffle: channel i of the result is channel
// (i % g) * (c/g) + i/g of what came in.
func (c *lifting) mergeGroups() bool {
	g := c.groups[c.op.Inputs[0]]
	if g == nil || len(c.outTensor(0).Shape) != len(g.from.dims) || int(c.outTensor(0).Shape[g.dim]) != g.from.val.ch {
		return false
	}
	ch := g.from.val.ch
	c.nd.code = model.OpGather
	c.nd.args = []arg{{val: g.from.val, konst: -1}}
	for i := range ch {
		at := i
		if g.swapped {
			at = i%g.groups*(ch/g.groups) + i/g.groups
		}
		c.nd.order = append(c.nd.order, at)
	}
	c.emit(g.from.val.n, ch, g.from.dims)
	return true
}
