package fallback

import (
	"sync"

	"edged/internal/kernel/conv"
	"edged/model"
)

// winogradTolerance is the error, relative to the largest output, over which a
// layer goes back to direct convolution.
const winogradTolerance = 1e-4

// meter measures layers, one at a time, since each needs memory to compute in.
type meter struct {
	mu sync.Mutex
	k  conv.Worker
}

// winograd is the error of g, which was made from filter.
func (m *meter) winograd(g *conv.WinogradF32, filter *tensor) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return g.Error(&m.k, filter.f32())
}

// strips is the geometry of a convolution that is computed strip by strip.
func (s *convShape) strips() conv.ConvShape {
	return conv.ConvShape{KH: s.y.k, KW: s.x.k, DY: s.y.dilate, DX: s.x.dilate, IC: s.c, OC: s.oc}
}

// strips is a Winograd convolution, a few strips of rows a unit. Its kernels pad on
// the fly, and can pool what they read: neither the padded nor the pooled map is in
// memory.
type strips struct {
	s      *convShape
	run    conv.StripsF32
	in     *tensor
	out    *tensor
	other  *tensor      // the residual that is added, or nil
	then   *banded      // the fused 1x1 convolution, or nil
	src    conv.Picture // of the first image, without its memory
	image  int          // elements of an image of the source
	all    int          // strips of an image
	each   int          // strips of a unit
	perImg int          // units of an image
}

// stripUnits cuts images into units: where rows are short, a unit has several
// strips, whose tiles share the weights that are read.
func (c *opContext) stripUnits(s *convShape) *strips {
	const tiles = 24
	st := &strips{s: s, all: s.strips().Strips(s.y.out)}
	st.each = max(1, min(tiles*4/s.x.out, (st.all+c.p.workers-1)/c.p.workers))
	st.perImg = (st.all + st.each - 1) / st.each
	st.src = conv.Picture{H: s.y.in, W: s.x.in, Top: s.y.before, Left: s.x.before}
	st.src.Row, st.src.Pix, st.image = s.x.in*s.c, s.c, s.y.in*s.x.in*s.c
	return st
}

// planWinograd plans CONV_2D by Winograd, with the deferred max pool before it, if
// there is one.
func (c *opContext) planWinograd(s *convShape, a model.Activation) error {
	other, lo, hi, err := c.takeResidual(a, false)
	if err != nil {
		return err
	}
	st, filter, bias := c.stripUnits(s), c.in[1], c.bias()
	if st.in, st.out, st.other = c.in[0], c.out[0], other; st.in.deferred != nil {
		st.throughPool(st.in.deferred)
	}
	bytes := 4 * 36 * s.c * roundUp(s.oc, 16)
	if err := c.later(bytes, func() {
		g := c.p.routines.Conv.NewWinogradF32(s.strips(), filter.f32(), floats(bias), lo, hi)
		if st.run = g; c.p.meter.winograd(g, filter) > winogradTolerance {
			st.run = c.p.routines.Conv.NewDirectStripsF32(s.strips(), s.x.out, filter.f32(), floats(bias), lo, hi)
		}
	}); err != nil {
		return err
	}
	c.needs = func(n *conv.Scratch, _ *banded) {
		n.WinogradF32(s.strips())
		n.DirectStripsF32(s.strips(), s.x.out)
	}
	reads := []*tensor{st.in}
	if other != nil {
		reads = append(reads, other)
	}
	step := c.emit(winogradConv, s.n*st.perImg, s.n*s.y.out*s.x.out*s.oc*s.c*9/4, reads, st.units)
	step.how.values, step.how.maxpool, step.how.residual = "f32", st.src.Pool != nil, other != nil
	step.chainable, step.can.writes.gaps = st, true
	if step.can.reads.gaps = reads; st.src.Pool != nil {
		step.can.reads.gaps = reads[1:]
	}
	return nil
}

// units computes units [lo, hi), those of an image in one call.
func (st *strips) units(w *worker, lo, hi int) {
	s, from, image := st.s, st.src, st.image
	if from.Pool == nil {
		l := st.in.pitch(s.y.in, s.x.in, s.c)
		from.Row, from.Pix, image = l.row, l.pix, l.image
	}
	for lo < hi {
		i := lo / st.perImg
		end := min(hi, (i+1)*st.perImg)
		first, last := (lo-i*st.perImg)*st.each, min((end-i*st.perImg)*st.each, st.all)
		from.P = st.in.f32()[i*image:]
		st.run.RunStrips(&w.direct, st.results(st.out, i), from, st.results(st.other, i), s.y.out, s.x.out, first, last)
		lo = end
	}
}

// results is where image i of t, of the output's shape, lies; nil: nowhere.
func (st *strips) results(t *tensor, i int) (p conv.Plane[float32]) {
	if t == nil {
		return p
	}
	oc := st.s.oc
	if st.then != nil {
		oc = st.then.s.oc
	}
	l := t.pitch(st.s.y.out, st.s.x.out, oc)
	return conv.Plane[float32]{P: t.f32()[i*l.image:], Row: l.row, Pix: l.pix}
}
