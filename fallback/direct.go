package fallback

import (
	"edged/internal/kernel"
	"edged/model"
)

// bandRows is the most output rows that one unit of a direct convolution
// computes: few enough that their input stays in the second-level cache.
const bandRows = 8

// direct says whether the direct routines of internal/kernel take this
// convolution: one group, weights known before the first frame.
func (c *opContext) direct(s *convShape, have bool) bool {
	constant := c.in[1].constant() && (c.bias() == nil || c.bias().constant())
	return have && constant && s.groups == 1
}

// bands lays out a direct convolution over an input with border b: every unit
// is a band of output rows. How bands are cut does not change a result: each
// output is summed by itself, and Winograd's tiles start at fixed rows.
type bands struct {
	s        *convShape
	h, w     int // of the output; a flat one is one row
	rows     int // output rows of a band; of a flat output, its columns
	of       int // bands of one image
	row, pix int // elements of the bordered input
	image    int
	flat     bool
}

func newBands(s *convShape, b frame, rows int) bands {
	return bands{s: s, h: s.y.out, w: s.x.out, rows: rows, of: (s.y.out + rows - 1) / rows, row: b.wp() * s.c, pix: s.c, image: b.hp() * b.wp() * s.c}
}

// even is the size of bands that shares n rows evenly among workers, at most
// most rows each.
func even(n, most, workers int) int {
	each := (n + most*workers - 1) / (most * workers) // bands of a worker
	return (n + each*workers - 1) / (each * workers)
}

// directBands cuts a direct convolution evenly. One that only mixes channels
// has no rows: its output is cut anywhere, which fills the kernels' tiles.
func (c *opContext) directBands(s *convShape, border frame) bands {
	if s.y.k != 1 || s.x.k != 1 || s.y.stride != 1 || s.x.stride != 1 || !border.plain() {
		return newBands(s, border, even(s.y.out, bandRows, c.p.workers))
	}
	const most = 224 // columns: what 16 full tiles compute
	b := newBands(s, border, 1)
	b.flat, b.h, b.w = true, 1, s.y.out*s.x.out
	b.rows = even(b.w, most, c.p.workers)
	b.of = (b.w + b.rows - 1) / b.rows
	return b
}

// winogradBands cuts along the rows at which tiles start.
func (c *opContext) winogradBands(s *convShape, border frame) bands {
	tile := 4 * s.y.dilate
	if s.y.dilate == 1 && s.x.out < 112 {
		tile *= 2 // short rows: more tiles share the transformed weights
	}
	return newBands(s, border, tile)
}

// shape is the convolution's geometry for the kernels.
func (b bands) shape() kernel.ConvShape {
	s := b.s
	return kernel.ConvShape{KH: s.y.k, KW: s.x.k, DY: s.y.dilate, DX: s.x.dilate, IC: s.c, OC: s.oc, Row: b.row, Pix: b.pix}
}

func (b bands) units() int             { return b.s.n * b.of }
func (b bands) work(perOutput int) int { return b.s.n * b.h * b.w * b.s.oc * perOutput }

// at gives unit i's planes, its rows and its columns.
func at[T any](b bands, i int, dst, src []T) (d, s kernel.Plane[T], rows, cols int) {
	image, y := i/b.of, i%b.of*b.rows
	if b.flat {
		d = kernel.Plane[T]{P: dst[(image*b.w+y)*b.s.oc:], Pix: b.s.oc}
		s = kernel.Plane[T]{P: src[image*b.image+y*b.pix:], Pix: b.pix}
		return d, s, 1, min(b.rows, b.w-y)
	}
	row := b.w * b.s.oc
	d = kernel.Plane[T]{P: dst[(image*b.h+y)*row:], Row: row, Pix: b.s.oc}
	s = kernel.Plane[T]{P: src[image*b.image+y*b.s.y.stride*b.row:], Row: b.s.y.stride * b.row, Pix: b.s.x.stride * b.pix}
	return d, s, min(b.rows, b.h-y), b.w
}

// runnerF32 is a float32 convolution of internal/kernel.
type runnerF32 interface {
	Run(k *kernel.Worker, dst, src, res kernel.Plane[float32], rows, cols int)
}

// runnerI8 is an 8-bit one.
type runnerI8 interface {
	Run(k *kernel.Worker, dst, src kernel.Plane[uint8], rows, cols int)
}

// cutting chooses the bands of a convolution over a bordered input.
type cutting func(s *convShape, border frame) bands

// planBandsF32 emits the step of a float32 convolution that pack makes before
// the first frame, when the weights can be read; other is added to its result
// unless it is nil. bytes is what the packed convolution will hold.
func (c *opContext) planBandsF32(name string, in, other *tensor, s *convShape, cut cutting, bytes, perOutput int, pack func(b bands) runnerF32) error {
	border := s.border()
	src, err := c.padF32(in, border)
	if err != nil {
		return err
	}
	var run runnerF32
	b, out := cut(s, border), c.out[0]
	if err := c.later(bytes, func() { run = pack(b) }); err != nil {
		return err
	}
	if other == nil {
		c.emit(name, b.units(), b.work(perOutput), []*tensor{src}, func(w *worker, lo, hi int) {
			for i := lo; i < hi; i++ {
				dst, from, rows, cols := at(b, i, out.f32(), src.f32())
				run.Run(&w.direct, dst, from, kernel.Plane[float32]{}, rows, cols)
			}
		})
		return nil
	}
	c.emit(name+" + add", b.units(), b.work(perOutput), []*tensor{src, other}, func(w *worker, lo, hi int) {
		for i := lo; i < hi; i++ {
			dst, from, rows, cols := at(b, i, out.f32(), src.f32())
			res, _, _, _ := at(b, i, other.f32(), src.f32())
			run.Run(&w.direct, dst, from, res, rows, cols)
		}
	})
	return nil
}

// planDirectF32 plans CONV_2D by direct convolution.
func (c *opContext) planDirectF32(s *convShape, a model.Activation) error {
	other, lo, hi, err := c.takeSum(a)
	if err != nil {
		return err
	}
	filter, bias := c.in[1], c.bias()
	taps := s.y.k * s.x.k * s.c
	if s.oc == 1 && kernel.Dot() {
		return c.planBandsF32("dot f32", c.in[0], other, s, c.directBands, 4*s.y.k*roundUp(s.x.k*roundUp(s.c, 8), 8), taps, func(b bands) runnerF32 {
			return kernel.NewDotF32(b.shape(), filter.f32(), floats(bias), lo, hi)
		})
	}
	return c.planBandsF32("direct f32", c.in[0], other, s, c.directBands, 4*taps*roundUp(s.oc, 32), taps, func(b bands) runnerF32 {
		return kernel.NewConvF32(b.shape(), filter.f32(), floats(bias), lo, hi)
	})
}

// floats is an optional tensor's content.
func floats(t *tensor) []float32 {
	if t == nil {
		return nil
	}
	return t.f32()
}

func roundUp(n, step int) int { return (n + step - 1) / step * step }

// planDirectDepthF32 plans DEPTHWISE_CONV_2D with one filter a channel.
func (c *opContext) planDirectDepthF32(s *convShape, in *tensor, a model.Activation) error {
	other, lo, hi, err := c.takeSum(a)
	if err != nil {
		return err
	}
	filter, bias, taps := c.in[1], c.bias(), s.y.k*s.x.k
	return c.planBandsF32("direct depth f32", in, other, s, c.directBands, 4*(taps+1)*roundUp(s.oc, 16), taps, func(b bands) runnerF32 {
		return kernel.NewDepthwiseF32(b.shape(), filter.f32(), floats(bias), lo, hi)
	})
}
