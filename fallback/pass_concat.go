package fallback

import "slices"

// view is the place of a tensor inside a concatenation (in-place concat): from
// index at on along axis. The step that computes the tensor writes it there, and
// nobody copies it.
type view struct {
	axis, at int
	strided  bool // the other operands lie between its pieces
}

// strided says that t has gaps between its pixels, which belong to other tensors:
// its readers and writers must go by strides.
func (t *tensor) strided() bool {
	return t.view != nil && (t.view.strided || t.root.strided())
}

// strides are those of t's dimensions in memory.
func (t *tensor) strides() []int {
	if !t.strided() {
		return strides(t.shape)
	}
	l := t.pitch(t.shape[1], t.shape[2], t.shape[3])
	return []int{l.image, l.row, l.pix, 1}
}

// rowGaps says that t, an image, has something between its rows.
func (t *tensor) rowGaps() bool {
	if !t.strided() {
		return t.border != border{}
	}
	l := t.pitch(t.shape[1], t.shape[2], t.shape[3])
	return l.row != t.shape[2]*l.pix
}

// within is t's part of its memory: with gaps, up to the end.
func (t *tensor) within(memory []byte) []byte {
	at := 0
	for r := t; r.root != nil; r = r.root {
		if r.view != nil {
			at += r.view.at * r.root.strides()[r.view.axis] * r.elem()
		}
	}
	if t.strided() {
		return memory[at:]
	}
	return memory[at:][:t.bytes:t.bytes]
}

// concat is a concatenation: which operands are still to be copied, and where to.
type concat struct {
	out  *tensor
	axis int
	dims [][]int   // of the operands
	from []*tensor // the operands, or what is copied instead; nil: lies there already
	at   []int     // where each begins along axis
}

func newConcat(out *tensor, axis int, in, from []*tensor) *concat {
	j := &concat{out: out, axis: axis, from: slices.Clone(from)}
	at := 0
	for _, t := range in {
		j.dims, j.at = append(j.dims, t.shape), append(j.at, at)
		at += t.shape[axis]
	}
	return j
}

// moves are the copies; those of what lies there already are empty.
func (j *concat) moves() []move {
	to := j.out.strides()
	list := make([]move, len(j.from))
	for i, t := range j.from {
		m := move{dims: j.dims[i], ds: to, dst0: j.at[i] * to[j.axis]}
		switch {
		case t == nil:
			m.dims = []int{0}
		case t.strided():
			m.ss = t.strides()
		default:
			m.ss = strides(j.dims[i])
		}
		list[i] = m
	}
	return list
}

// settle has step s copy the operands that are not in place.
func (j *concat) settle(s *step) {
	l := newMoveList(j.out, j.from, j.moves())
	left := slices.DeleteFunc(slices.Clone(j.from), func(t *tensor) bool { return t == nil })
	if len(left) < len(j.from) {
		s.how.copied, s.how.operands = len(left), len(j.from)
	}
	s.run, s.units, s.work, s.reads = l.run, l.units, l.work, left
}

// use is one step that reads or writes a tensor.
type use struct {
	s *step
	t *tensor
}

// inPlace finds the operands that can be written into their concatenation.
type inPlace struct {
	p             *plan
	reads, writes map[*tensor][]use // of each memory
	sharing       map[*tensor][]*tensor
}

// concatInPlace has operands written where their concatenation wants them.
func (p *plan) concatInPlace() {
	if !slices.ContainsFunc(p.steps, func(s step) bool { return s.concat != nil }) {
		return
	}
	j := &inPlace{p, map[*tensor][]use{}, map[*tensor][]use{}, map[*tensor][]*tensor{}}
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
		if g := p.steps[i].concat; g != nil {
			j.placeOperands(g)
		}
	}
	p.settle()
	for i := range p.steps {
		if s := &p.steps[i]; s.concat != nil {
			s.concat.settle(s)
		}
	}
	p.steps = slices.DeleteFunc(p.steps, func(s step) bool { return s.concat != nil && len(s.reads) == 0 })
}

func (j *inPlace) placeOperands(g *concat) {
	for i, t := range g.from {
		if j.place(g, t, g.at[i]) {
			g.from[i], j.p.spent = nil, true
		}
	}
}

// mostUses bounds how many readers, writers and parts of a tensor are looked at.
const mostUses = 256

// place makes t a view of the concatenation, if all who use it can do with that.
func (j *inPlace) place(g *concat, t *tensor, at int) bool {
	m := t
	for ; m.root != nil; m = m.root {
		if m.view != nil {
			return false // is a view of another one already
		}
	}
	dense := product(g.out.shape[:g.axis]) == 1
	if t.index < 0 || m.bytes != t.bytes || m.elem() != t.elem() || t.bytes == 0 || !j.movable(m) || !dense && !j.allStride(t, m) {
		return false
	}
	whole := g.out.memory()
	m.root, m.view = g.out, &view{g.axis, at, !dense}
	j.reads[whole] = append(j.reads[whole], j.reads[m]...)
	j.writes[whole] = append(j.writes[whole], j.writes[m]...)
	j.sharing[whole] = append(j.sharing[whole], j.sharing[m]...)
	for _, u := range j.writes[m] {
		u.s.how.inPlace = u.s.concat == nil
	}
	return true
}

// movable says that memory m may lie anywhere: a step writes it, without a border,
// and no caller sees it.
func (j *inPlace) movable(m *tensor) bool {
	return !m.constant() && !m.input && m.border == border{} &&
		max(len(j.reads[m]), len(j.writes[m]), len(j.sharing[m])) <= mostUses &&
		!slices.ContainsFunc(j.sharing[m], func(t *tensor) bool { return t.output })
}

// allStride says that every step that uses memory m, which is t's alone or its
// parts', can do with gaps between the pixels.
func (j *inPlace) allStride(t, m *tensor) bool {
	if t != m || len(t.shape) != 4 {
		return false
	}
	return !slices.ContainsFunc(j.sharing[m], func(o *tensor) bool { return o != m && (o.view == nil || len(o.shape) != 4) }) &&
		!slices.ContainsFunc(j.reads[m], func(u use) bool { return u.s.concat == nil && !slices.Contains(u.s.can.reads.gaps, u.t) }) &&
		!slices.ContainsFunc(j.writes[m], func(u use) bool { return u.s.concat == nil && !u.s.can.writes.gaps })
}
