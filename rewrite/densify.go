package rewrite

import (
	"fmt"
	"slices"
)

// step is what happens to a node's window when the output stride is q: layers
// up to q keep their stride, the rest lose it and are dilated by how far their
// input's eST has grown beyond q.
type step struct {
	win   window // in the dense net: the stride that is kept, dilation and pads multiplied by ratio
	ratio pair   // max(e_in/q, 1)
	block pair   // what is removed of the node's stride
}

// denseMap is a map of the dense net: its length per axis.
type denseMap struct{ n pair }

// dense is a net placed on a frame for one output stride: pure arithmetic,
// which the forms turn into operators.
type dense struct {
	*net
	q     pair
	steps map[*node]step
	maps  map[*value]denseMap
}

// densify works out strides, dilations and lengths for output stride q. The
// net must be placed.
func (n *net) densify(q pair) (*dense, error) {
	d := &dense{net: n, q: q, steps: map[*node]step{}, maps: map[*value]denseMap{n.input: {n.frame}}}
	for i := range q {
		if !n.divides(i, q[i]) {
			return nil, usagef("output stride %d along %s is no prefix product of the strides; possible: %v", q[i], axisName(i), n.prefixes(i))
		}
	}
	for _, nd := range n.nodes {
		d.steps[nd] = d.stepOf(nd)
	}
	d.measure()
	return d, nil
}

// measure works out the length of every map.
func (d *dense) measure() {
	for _, nd := range d.nodes {
		m := denseMap{d.length(nd)}
		for _, v := range nd.out {
			d.maps[v] = m
		}
	}
}

func (d *dense) stepOf(nd *node) step {
	s := step{win: nd.win, ratio: pair{1, 1}, block: pair{1, 1}}
	if nd.kind == kindUp || nd.kind == kindMixed {
		return s
	}
	in, out := nd.maps()[0], nd.out[0]
	for i, q := range d.q {
		if out.grid[i].e > q {
			s.win.s[i], s.block[i] = 1, nd.win.s[i]
		}
		s.ratio[i] = max(in.grid[i].e/q, 1)
		s.win.d[i] *= s.ratio[i]
		s.win.a[i] *= s.ratio[i]
		s.win.b[i] *= s.ratio[i]
	}
	return s
}

// length is the dense length of a node's outputs.
func (d *dense) length(nd *node) pair {
	in := d.shortest(nd)
	switch nd.kind {
	case kindUp:
		return pair{nd.up[0].length(in[0]), nd.up[1].length(in[1])}
	case kindMixed:
		return d.maps[largest(nd.maps())].n
	}
	return d.steps[nd].win.out(in)
}

// shortest is the common length of a node's inputs: longer ones are cropped at
// their end, for output j of every branch has the index jE.
func (d *dense) shortest(nd *node) pair {
	in := nd.maps()
	n := d.maps[in[0]].n
	for _, v := range in[1:] {
		m := d.maps[v].n
		n = pair{min(n[0], m[0]), min(n[1], m[1])}
	}
	return n
}

func largest(vs []*value) *value {
	best := vs[0]
	for _, v := range vs {
		if v.n.area() > best.n.area() {
			best = v
		}
	}
	return best
}

// stride is the step of the output grid: q, or the output's own eST where that is less.
func (d *dense) stride(v *value) pair {
	return pair{min(v.grid[0].e, d.q[0]), min(v.grid[1].e, d.q[1])}
}

// target is the size that the output is cropped to: every window inside the
// frame for a net without padding, else every index between the first and the
// last output of the strided net.
func (d *dense) target(v *value) pair {
	var t pair
	step := d.stride(v)
	padded := v.grid[0].padded || v.grid[1].padded || v.grid[0].global || v.grid[1].global
	for i, g := range v.grid {
		if padded {
			t[i] = (g.n-1)*g.e/step[i] + 1
		} else {
			t[i] = min(floorDiv(d.frame[i]-g.r+g.o, step[i])+1, d.maps[v].n[i])
		}
	}
	return t
}

// nothingDilated reports whether every layer kept its stride: the dense net is
// then the strided one at the frame's size.
func (d *dense) nothingDilated() bool {
	for _, s := range d.steps {
		if s.block != (pair{1, 1}) {
			return false
		}
	}
	return true
}

// refusal is the first reason why no dilated or fragmented net exists.
func (d *dense) refusal() error {
	for _, o := range d.outputs {
		if o.val == nil {
			return o.why
		}
		for i, g := range o.val.grid {
			if g.bad {
				return d.irregular(o, i)
			}
		}
	}
	if why := d.another(); why != nil {
		return why
	}
	if d.nothingDilated() {
		return nil
	}
	for _, nd := range d.nodes {
		if nd.refuse != "" {
			return &Refusal{Op: d.opName(nd.op), Index: nd.index, Reason: nd.refuse, Instead: nd.cure}
		}
	}
	return nil
}

// irregular says which operator left output o without a regular grid along axis i.
func (d *dense) irregular(o *output, i int) *Refusal {
	for _, nd := range d.nodes {
		if !nd.out[0].grid[i].bad || slices.ContainsFunc(nd.maps(), func(v *value) bool { return v.grid[i].bad }) {
			continue
		}
		if nd.kind == kindUp {
			return &Refusal{Op: d.opName(nd.op), Index: nd.index, Instead: "--cut a tensor before it",
				Reason: fmt.Sprintf("makes the grid along %s %d times finer, from one position every %d pixels to less than a pixel each", axisName(i), nd.up[i].by, nd.maps()[0].grid[i].e)}
		}
		return &Refusal{Op: d.opName(nd.op), Index: nd.index, Instead: "--cut a tensor before the branches meet",
			Reason: fmt.Sprintf("joins branches of different strides along %s, so that output %q has no regular grid", axisName(i), o.val.name)}
	}
	panic("BUG: an output without a regular grid, of regular ones")
}

// another is the first node that sees the whole map, or where it is, on a frame
// of another size: what it adds there is not what it added in the baseline.
func (d *dense) another() error {
	if d.frame == d.input.n {
		return nil
	}
	for _, nd := range d.nodes {
		if nd.kind == kindMixed || nd.scales {
			return &Refusal{Op: d.opName(nd.op), Index: nd.index, Instead: "leave out --input, or --cut a tensor before it",
				Reason: fmt.Sprintf("%s; at %s it is another one than at the baseline's %s", nd.refuse, sizeText(d.frame), sizeText(d.input.n))}
		}
	}
	return nil
}

// prune drops the nodes that no output needs.
func (n *net) prune() {
	need := map[*value]bool{}
	for _, o := range n.outputs {
		if o.val != nil {
			need[o.val] = true
		}
	}
	var keep []*node
	for i := len(n.nodes) - 1; i >= 0; i-- {
		nd := n.nodes[i]
		used := false
		for _, v := range nd.out {
			used = used || need[v]
		}
		if !used {
			continue
		}
		for _, v := range nd.maps() {
			need[v] = true
		}
		keep = append([]*node{nd}, keep...)
	}
	n.nodes = keep
}
