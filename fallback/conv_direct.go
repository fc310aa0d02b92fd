package fallback

import (
	"edged/internal/kernel/conv"
	"edged/model"
)

// direct says whether the direct routines take this convolution: its weights are
// known before the first frame.
func (c *opContext) direct() bool {
	return c.in[1].constant() && (c.bias() == nil || c.bias().constant())
}

// banded lays out a direct convolution; pad is the copy of its input with padding,
// a step that the border pass drops where the writer leaves a halo.
func (c *opContext) banded(in, other *tensor, s *convShape, cut cutting, pad func(in *tensor, b padded) (*tensor, *step, error)) (*banded, error) {
	b := &banded{bands: bands{s: s}, in: in, out: c.out[0], other: other, cut: cut}
	b.gaps = s.oc > 1 // conv.DotF32 takes no gaps
	if f := s.border(); !f.plain() {
		area, copies, err := pad(in, f)
		if err != nil {
			return nil, err
		}
		b.area, copies.pads = area, b
	}
	b.settle()
	return b, nil
}

// planBandsF32 emits the step of a float32 convolution that pack makes before
// the first frame, when the weights can be read; other is added to its result
// unless it is nil. bytes is what the packed convolution will hold.
func (c *opContext) planBandsF32(by how, in, other *tensor, s *convShape, cut cutting, bytes, perOutput int, pack func(b *bands) conv.RunnerF32) error {
	b, err := c.banded(in, other, s, cut, c.copyF32)
	if err != nil {
		return err
	}
	if err := c.later(bytes, func() { b.f32 = inParts(b.parts, pack(&b.bands)) }); err != nil {
		return err
	}
	by.residual = other != nil
	b.emitted(by, c.emit(by.routine, b.units(), b.work(perOutput), b.reads(), b.runF32))
	return nil
}

// parted is a convolution that can be computed in parts.
type parted[R any] interface{ Part(i, n int) R }

// inParts are n parts of a convolution; one is itself.
func inParts[R any](n int, whole R) []R {
	if n == 1 {
		return []R{whole}
	}
	list := make([]R, n)
	for i := range list {
		list[i] = any(whole).(parted[R]).Part(i, n)
	}
	return list
}

// runF32 computes units [lo, hi).
func (b *banded) runF32(w *worker, lo, hi int) {
	dst, src := b.out.f32(), b.input().f32()
	for i := lo; i < hi; i++ {
		u := b.unit(i)
		var res conv.Plane[float32]
		if b.other != nil {
			res = plane(b.res, u, b.other.f32())
		}
		b.f32[u.part].Run(&w.direct, plane(b.dst, u, dst), source(&b.bands, u, src), res, u.rows, u.cols)
		if u.part == 0 {
			edge(b.out, dst, b.s.y.out, b.s.x.out, b.last().s.oc, u.image, u.y, u.y+u.rows, 0)
		}
	}
}

// planDirectF32 plans CONV_2D by direct convolution.
func (c *opContext) planDirectF32(s *convShape, a model.Activation) error {
	other, lo, hi, err := c.takeResidual(a, s.groups == 1)
	if err != nil {
		return err
	}
	filter, bias := c.in[1], c.bias()
	taps := s.y.k * s.x.k * s.c / s.groups
	if s.oc == 1 && c.p.routines.Conv.Dot() {
		return c.planBandsF32(how{routine: dotConv, values: "f32"}, c.in[0], other, s, c.directBands, 4*s.y.k*roundUp(s.x.k*roundUp(s.c, 8), 8), taps, func(b *bands) conv.RunnerF32 {
			return c.p.routines.Conv.NewDotF32(b.shape(), filter.f32(), floats(bias), lo, hi)
		})
	}
	narrow := other != nil && other.shape[3] < s.oc
	cut := c.partedBands
	if narrow {
		cut = c.directBands
	}
	return c.planBandsF32(how{routine: directConv, values: "f32"}, c.in[0], other, s, cut, 4*taps*s.packed(32), taps, func(b *bands) conv.RunnerF32 {
		if narrow {
			return newSplitF32(c.p.routines.Conv, b.shape(), other.shape[3], filter.f32(), floats(bias), lo, hi)
		}
		return c.p.routines.Conv.NewConvF32(b.shape(), filter.f32(), floats(bias), lo, hi)
	})
}

// floats is an optional tensor's content.
func floats(t *tensor) []float32 {
	if t == nil {
		return nil
	}
	return t.f32()
}

// packed is the number of output channels, those of each group rounded up.
func (s *convShape) packed(step int) int { return s.groups * roundUp(s.oc/s.groups, step) }

func roundUp(n, step int) int { return (n + step - 1) / step * step }

// planDirectDepthF32 plans DEPTHWISE_CONV_2D with one filter a channel.
func (c *opContext) planDirectDepthF32(s *convShape, in *tensor, a model.Activation) error {
	other, lo, hi, err := c.takeResidual(a, false)
	if err != nil {
		return err
	}
	filter, bias, taps := c.in[1], c.bias(), s.y.k*s.x.k
	return c.planBandsF32(how{routine: directConv, values: "depth f32"}, in, other, s, c.directBands, 4*(taps+1)*roundUp(s.oc, 16), taps, func(b *bands) conv.RunnerF32 {
		return c.p.routines.Conv.NewDepthwiseF32(b.shape(), filter.f32(), floats(bias), lo, hi)
	})
}
