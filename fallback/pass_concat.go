package fallback

import (
	"fmt"
	"slices"
)

// slot is where a tensor lies in another, which a concatenation joins from it
// and others: from index at on along axis. Who computes the tensor writes it
// there, and nobody copies it.
type slot struct {
	axis, at int
	gaps     bool // its pieces lie apart: neighbours come between
}

// apart says that t's memory has gaps, which its readers and writers must mind.
func (t *tensor) apart() bool {
	return t.slot != nil && (t.slot.gaps || t.root.apart())
}

// steps are the strides of t's dimensions in memory.
func (t *tensor) steps() []int {
	if !t.apart() {
		return strides(t.shape)
	}
	l := t.pitch(t.shape[1], t.shape[2], t.shape[3])
	return []int{l.image, l.row, l.pix, 1}
}

// rowGaps says that t, an image, has something between its rows.
func (t *tensor) rowGaps() bool {
	if !t.apart() {
		return t.border != border{}
	}
	l := t.pitch(t.shape[1], t.shape[2], t.shape[3])
	return l.row != t.shape[2]*l.pix
}

// within is t's part of its memory: with gaps, up to the end.
func (t *tensor) within(memory []byte) []byte {
	at := 0
	for r := t; r.root != nil; r = r.root {
		if r.slot != nil {
			at += r.slot.at * r.root.steps()[r.slot.axis] * r.elem()
		}
	}
	if t.apart() {
		return memory[at:]
	}
	return memory[at:][:t.bytes:t.bytes]
}

// join is a concatenation: what is still to be copied, and where to.
type join struct {
	out  *tensor
	axis int
	dims [][]int   // of the operands
	from []*tensor // the operands, or what is copied instead; nil: lies there already
	at   []int     // where each begins along axis
}

func newJoin(out *tensor, axis int, in, from []*tensor) *join {
	j := &join{out: out, axis: axis, from: slices.Clone(from)}
	at := 0
	for _, t := range in {
		j.dims, j.at = append(j.dims, t.shape), append(j.at, at)
		at += t.shape[axis]
	}
	return j
}

// moves are the copies; those of what lies there already are empty.
func (j *join) moves() []move {
	to := j.out.steps()
	list := make([]move, len(j.from))
	for i, t := range j.from {
		m := move{dims: j.dims[i], ds: to, dst0: j.at[i] * to[j.axis]}
		switch {
		case t == nil:
			m.dims = []int{0}
		case t.apart():
			m.ss = t.steps()
		default:
			m.ss = strides(j.dims[i])
		}
		list[i] = m
	}
	return list
}

// settle has step s copy what is left.
func (j *join) settle(s *step) {
	l := newMoveList(j.out, j.from, j.moves())
	all := len(j.from)
	left := slices.DeleteFunc(slices.Clone(j.from), func(t *tensor) bool { return t == nil })
	if len(left) < all {
		s.kernel = fmt.Sprintf("copy %d of %d", len(left), all)
	}
	s.run, s.units, s.work, s.reads = l.run, l.units, l.work, left
}

// use is that a step reads or writes a tensor.
type use struct {
	s *step
	t *tensor
}

// joiner finds the operands that can be written into their concatenation.
type joiner struct {
	p             *plan
	reads, writes map[*tensor][]use // of each memory
	sharing       map[*tensor][]*tensor
}

// joins has operands computed where their concatenation wants them.
func (p *plan) joins() {
	if !slices.ContainsFunc(p.steps, func(s step) bool { return s.join != nil }) {
		return
	}
	j := &joiner{p, map[*tensor][]use{}, map[*tensor][]use{}, map[*tensor][]*tensor{}}
	for i := range p.steps {
		s := &p.steps[i]
		for _, t := range s.reads {
			j.reads[t.memory()] = append(j.reads[t.memory()], use{s, t})
		}
		for _, t := range s.writes {
			j.writes[t.memory()] = append(j.writes[t.memory()], use{s, t})
		}
	}
	for _, t := range p.tensors {
		j.sharing[t.memory()] = append(j.sharing[t.memory()], t)
	}
	for i := range p.steps {
		if g := p.steps[i].join; g != nil {
			j.takeAll(g)
		}
	}
	p.settle()
	for i := range p.steps {
		if s := &p.steps[i]; s.join != nil {
			s.join.settle(s)
		}
	}
	p.steps = slices.DeleteFunc(p.steps, func(s step) bool { return s.join != nil && len(s.reads) == 0 })
}

func (j *joiner) takeAll(g *join) {
	for i, t := range g.from {
		if j.take(g, t, g.at[i]) {
			g.from[i], j.p.joined = nil, true
		}
	}
}

// mostUses bounds the readers, writers and parts of a tensor that is looked at.
const mostUses = 256

// take has t computed in its place in the concatenation, if it can be.
func (j *joiner) take(g *join, t *tensor, at int) bool {
	m := t
	for ; m.root != nil; m = m.root {
		if m.slot != nil {
			return false // lies in another one
		}
	}
	dense := product(g.out.shape[:g.axis]) == 1
	if t.index < 0 || m.bytes != t.bytes || m.elem() != t.elem() || t.bytes == 0 || !j.free(m) || !dense && !j.spread(t, m) {
		return false
	}
	whole := g.out.memory()
	m.root, m.slot = g.out, &slot{g.axis, at, !dense}
	j.reads[whole] = append(j.reads[whole], j.reads[m]...)
	j.writes[whole] = append(j.writes[whole], j.writes[m]...)
	j.sharing[whole] = append(j.sharing[whole], j.sharing[m]...)
	for _, u := range j.writes[m] {
		u.s.place()
	}
	return true
}

// place has the step's name tell that it writes into a concatenation.
func (s *step) place() {
	const note = ", in place"
	if s.join == nil && !s.placed {
		s.kernel, s.placed = s.kernel+note, true
	}
}

// free says that memory m may lie anywhere: a step writes it, without a border,
// and no caller sees it.
func (j *joiner) free(m *tensor) bool {
	return !m.constant() && !m.input && m.border == border{} &&
		max(len(j.reads[m]), len(j.writes[m]), len(j.sharing[m])) <= mostUses &&
		!slices.ContainsFunc(j.sharing[m], func(t *tensor) bool { return t.output })
}

// spread says that all who use memory m, which is t's alone or its parts',
// can do so with gaps between the pixels.
func (j *joiner) spread(t, m *tensor) bool {
	if t != m || len(t.shape) != 4 {
		return false
	}
	return !slices.ContainsFunc(j.sharing[m], func(o *tensor) bool { return o != m && (o.slot == nil || len(o.shape) != 4) }) &&
		!slices.ContainsFunc(j.reads[m], func(u use) bool { return u.s.join == nil && !slices.Contains(u.s.over, u.t) }) &&
		!slices.ContainsFunc(j.writes[m], func(u use) bool { return u.s.join == nil && !u.s.gaps })
}
