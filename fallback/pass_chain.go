package fallback

import (
	"slices"

	"edged/internal/kernel/conv"
)

// chainable is the first convolution of a fused pair (conv, then 1x1 conv): it can
// hand its result to the second one piece by piece, while the pieces are in the
// cache.
type chainable interface {
	result() (*tensor, *convShape) // nil: it cannot be the first of a pair
	absorb(then *banded)
	count(n *conv.Scratch, own, then needs)
	bindWeights() // joins the packed weights of both
}

// chains fuses a convolution with the 1x1 convolution behind it, or the fully
// connected layer, which alone reads its result: that is then never in memory as a
// whole.
func (p *plan) chains() {
	readers, writers := p.users()
	seen := map[*tensor]bool{} // by the caller
	for _, t := range p.outputs {
		seen[t.memory()] = true
	}
	for i := range p.steps {
		s := &p.steps[i]
		if s.conv == nil || !s.conv.pointwise() {
			continue
		}
		m := s.conv.in.memory()
		if len(readers[m]) == 1 && len(writers[m]) == 1 && !m.input && !seen[m] && writers[m][0].fits(s.conv) {
			p.chain(writers[m][0], s)
		}
	}
	p.steps = slices.DeleteFunc(p.steps, func(s step) bool { return s.run == nil })
}

// pointwise says that b is a 1x1 convolution: it mixes the channels of a pixel.
func (b *banded) pointwise() bool {
	s := b.s
	return s.y.k == 1 && s.x.k == 1 && s.y.stride == 1 && s.x.stride == 1 && s.border().plain() && b.then == nil && b.parts == 1
}

// fits says that s and then can be fused: s computes all that then reads, and can
// write what it writes.
func (s *step) fits(then *banded) bool {
	if s.chainable == nil {
		return false
	}
	out, shape := s.chainable.result()
	return out != nil && out == then.in.memory() && then.in.view == nil && then.s.c == shape.oc && then.in.bytes == out.bytes &&
		(s.conv != nil || then.out.border == border{}) && (then.s.sameMap(shape) || then.plain()) && pays(out, shape, then.s)
}

// pays says that fusing a and b, which hands tensor t over in pieces, saves more
// than it costs: t is too large to stay in a cache as a whole, and b's weights are few
// enough to be read again for every piece. Behind a depthwise convolution, which
// is done quickly, nothing was gained.
func pays(t *tensor, a, b *convShape) bool {
	const least, most = 128 << 10, 32 << 10
	return a.groups == 1 && t.bytes >= least && t.elem()*b.c*b.oc <= most
}

// sameMap says that results have the same height, width and number.
func (s *convShape) sameMap(o *convShape) bool {
	return s.n == o.n && s.y.out == o.y.out && s.x.out == o.x.out
}

// plain says that b's pixels lie one behind the other, whatever the map.
func (b *banded) plain() bool {
	return !b.out.strided() && b.out.border == border{} && b.other == nil
}

// chain fuses two steps into then's place.
func (p *plan) chain(first, then *step) {
	s, b, by := *first, then.conv, then.how
	s.macs = p.macs(first) + p.macs(then)
	s.how.chained = &by
	s.chainable.absorb(b)
	if s.reads = slices.Clone(first.reads); b.other != nil {
		s.reads = append(s.reads, b.other)
	}
	s.writes, s.packers, s.work = then.writes, slices.Concat(first.packers, then.packers), first.work+then.work
	if s.conv != nil {
		s.units = s.conv.units()
	}
	before, behind := first.needs, then.needs
	s.needs = func(n *conv.Scratch, _ *banded) { s.chainable.count(n, before, behind) }
	*then, first.run, p.spent = s, nil, true
}

func (b *banded) result() (*tensor, *convShape) {
	if b.other != nil || b.then != nil || b.parts > 1 {
		return nil, nil
	}
	return b.out, b.s
}

func (b *banded) absorb(then *banded) {
	b.then, b.out, b.other = then, then.out, then.other
	b.settle()
}

// piece is b laid out for a piece of its result.
func (b *banded) piece(rows, cols int) *banded {
	p := *b
	p.h, p.w, p.rows, p.of, p.flat = rows, cols, rows, 1, false
	return &p
}

// between is the size of the pieces that b hands over.
func (b *banded) between() conv.Between {
	u := b.unit(0) // none is larger
	return conv.Between{Channels: b.s.oc, Rows: u.rows, Cols: u.cols, Step: b.step}
}

func (b *banded) count(n *conv.Scratch, own, then needs) {
	m := b.between()
	cols := m.Columns(b.out.elem())
	behind := b.then.piece(m.Rows, cols)
	behind.src = pitch{row: cols * m.Channels, pix: m.Channels}
	own.count(n, b.piece(m.Rows, cols))
	then.count(n, behind)
	if b.out.quantised() {
		n.ChainI8(m)
	} else {
		n.ChainF32(m)
	}
}

func (b *banded) bindWeights() {
	switch {
	case b.then == nil:
	case b.out.quantised():
		b.i8[0] = conv.NewChainI8(b.between(), b.i8[0], b.then.i8[0])
	default:
		b.f32[0] = conv.NewChainF32(b.between(), b.f32[0], b.then.f32[0])
	}
}

func (st *strips) result() (*tensor, *convShape) {
	if st.other != nil || st.then != nil {
		return nil, nil
	}
	return st.out, st.s
}

func (st *strips) absorb(then *banded) { st.then, st.out, st.other = then, then.out, then.other }

func (st *strips) count(n *conv.Scratch, own, _ needs) {
	own.count(n, nil)
	n.StripsThenF32(st.s.strips(), st.s.x.out)
}

func (st *strips) bindWeights() {
	if st.then != nil {
		st.run.Then(st.then.f32[0])
	}
}
