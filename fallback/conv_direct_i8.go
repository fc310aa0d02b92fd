package fallback

import (
	"math"

	"edged/internal/kernel/conv"
	"edged/model"
)

// filterZero is the one zero point of an 8-bit filter, as the 8-bit routines
// want it; ok: there is one, of the filter's type.
func (c *opContext) filterZero() (zero int32, ok bool) {
	f := c.in[1]
	zero = f.quant.zero0()
	for _, z := range f.quant.zero {
		if int32(z) != zero {
			return 0, false
		}
	}
	if f.typ == model.TypeUint8 {
		zero -= 128
	}
	return zero, f.quantised() && zero >= math.MinInt8 && zero <= math.MaxInt8
}

// weightsI8 are an 8-bit filter's values, uint8 ones less 128.
func weightsI8(filter *tensor) []int8 {
	if filter.typ != model.TypeUint8 {
		return filter.i8()
	}
	w := make([]int8, len(filter.data))
	for i, v := range filter.data {
		w[i] = int8(v ^ 128)
	}
	return w
}

// paramsI8 is what the 8-bit routines need beside the weights.
func (c *opContext) paramsI8(r *requant, oc int) conv.ConvI8Params {
	in := c.in[0]
	weightZero, _ := c.filterZero()
	p := conv.ConvI8Params{WeightZero: weightZero, Signed: in.typ == model.TypeInt8, SrcZero: in.quant.zero0(), DstZero: r.zero, Lo: r.lo, Hi: r.hi}
	for n := range oc {
		m := r.mult[min(n, len(r.mult)-1)]
		p.Factors = append(p.Factors, conv.Factor{Multiplier: m.mul, Shift: m.shift})
	}
	return p
}

// planBandsI8 is planBandsF32 for 8-bit activations. The kernels read up to
// conv.Slack bytes behind the input: areas and the arena have more than that.
func (c *opContext) planBandsI8(by how, in *tensor, s *convShape, cut cutting, bytes, perOutput int, pack func(b *bands) conv.RunnerI8) error {
	b, err := c.banded(in, nil, s, cut, c.copyI8)
	if err != nil {
		return err
	}
	if err := c.later(bytes, func() { b.i8 = inParts(b.parts, pack(&b.bands)) }); err != nil {
		return err
	}
	b.emitted(by, c.emit(by.routine, b.units(), b.work(perOutput), b.reads(), b.runI8))
	return nil
}

// runI8 computes units [lo, hi).
func (b *banded) runI8(w *worker, lo, hi int) {
	dst, src, zero := b.out.data, b.input().data, byte(b.out.quant.zero0())
	for i := lo; i < hi; i++ {
		u := b.unit(i)
		b.i8[u.part].Run(&w.direct, plane(b.dst, u, dst), source(&b.bands, u, src), u.rows, u.cols)
		if u.part == 0 {
			edge(b.out, dst, b.s.y.out, b.s.x.out, b.last().s.oc, u.image, u.y, u.y+u.rows, zero)
		}
	}
}

// copyI8 copies in into an area with a border of zero points.
func (c *opContext) copyI8(in *tensor, b padded) (*tensor, *step, error) {
	area, err := c.scratch(b.elems() + conv.Slack)
	if err != nil {
		return nil, nil, err
	}
	zero := byte(in.quant.zero0())
	s := c.emitTo(borderCopy, b.rows(), b.elems(), []*tensor{in}, []*tensor{area}, func(_ *worker, lo, hi int) {
		pad(b, in.pitch(b.h, b.w, b.c), area.data, in.data, zero, lo, hi)
	})
	s.how.values, s.can.reads.gaps = "i8", []*tensor{in}
	return area, s, nil
}

func (c *opContext) planDirectI8(s *convShape, a model.Activation) error {
	filter, bias := c.in[1], c.bias()
	r, err := c.requant(c.in[0], filter, bias, c.out[0], s.oc, 0, a)
	if err != nil {
		return err
	}
	taps, p := s.y.k*s.x.k*roundUp(s.c/s.groups, 4), c.paramsI8(r, s.oc)
	direct := func(b *bands, w []int8) conv.RunnerI8 {
		return c.p.routines.Conv.NewConvI8(b.shape(), w, ints32(bias), p)
	}
	winograd := c.winogradI8(s)
	c.needs = func(n *conv.Scratch, b *banded) {
		if winograd {
			n.WinogradI8(b.shape())
		}
		row, pix := b.advance()
		u := b.unit(0) // none is larger
		n.ConvI8(b.shape(), &p, row, pix, u.rows, u.cols)
	}
	if !winograd {
		return c.planBandsI8(how{routine: directConv, values: "i8"}, c.in[0], s, c.partedBands, (2*taps+64)*s.packed(32), taps, func(b *bands) conv.RunnerI8 {
			return direct(b, weightsI8(filter))
		})
	}
	return c.planBandsI8(how{routine: winogradConv, values: "i8"}, c.in[0], s, c.winogradBands, (72*s.c+64)*roundUp(s.oc, 16), taps/3, func(b *bands) conv.RunnerI8 {
		w := weightsI8(filter)
		if g := c.p.routines.Conv.NewWinogradI8(b.shape(), w, ints32(bias), p); g != nil {
			return g
		}
		return direct(b, w)
	})
}

// winogradI8 says whether F(4x4, 3x3) pays, which is exact in integers.
func (c *opContext) winogradI8(s *convShape) bool {
	const size = 8
	return s.groups == 1 && s.y.k == 3 && s.x.k == 3 && s.y.stride == 1 && s.x.stride == 1 && c.p.routines.Conv.WinogradI8Pays(s.c, s.oc) &&
		s.y.out >= max(size, 4*s.y.dilate) && s.x.out >= max(size, 4*s.x.dilate)
}

func (c *opContext) planDirectDepthI8(s *convShape, in *tensor, a model.Activation) error {
	filter, bias := c.in[1], c.bias()
	r, err := c.requant(c.in[0], filter, bias, c.out[0], s.oc, 3, a)
	if err != nil {
		return err
	}
	taps, p := s.y.k*s.x.k, c.paramsI8(r, s.oc)
	return c.planBandsI8(how{routine: directConv, values: "depth i8"}, in, s, c.directBands, (2*taps+40)*roundUp(s.oc, 64), taps, func(b *bands) conv.RunnerI8 {
		return c.p.routines.Conv.NewDepthwiseI8(b.shape(), weightsI8(filter), ints32(bias), p)
	})
}

// ints32 is an optional tensor's content.
func ints32(t *tensor) []int32 {
	if t == nil {
		return nil
	}
	return t.i32()
}
