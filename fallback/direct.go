package fallback

import (
	"edged/internal/kernel"
	"edged/model"
)

// bandRows is the number of output rows that one unit of a direct convolution
// computes: few enough that their input stays in the second-level cache, a
// multiple of Winograd's four. It is fixed, so that results do not depend on
// the number of threads.
const bandRows = 8

// direct says whether the direct routines of internal/kernel take this
// convolution: one group, weights known before the first frame.
func (c *opContext) direct(s *convShape, have bool) bool {
	constant := c.in[1].constant() && (c.bias() == nil || c.bias().constant())
	return have && constant && s.groups == 1
}

// bands lays out a direct convolution over an input with border b.
type bands struct {
	s        *convShape
	rows     int // output rows of a band
	of       int // bands of one image
	row, pix int // elements of the bordered input
	image    int
}

func newBands(s *convShape, b frame, rows int) bands {
	return bands{s: s, rows: rows, of: (s.y.out + rows - 1) / rows, row: b.wp() * s.c, pix: s.c, image: b.hp() * b.wp() * s.c}
}

// shape is the convolution's geometry for the kernels.
func (b bands) shape() kernel.ConvShape {
	s := b.s
	return kernel.ConvShape{KH: s.y.k, KW: s.x.k, DY: s.y.dilate, DX: s.x.dilate, IC: s.c, OC: s.oc, Row: b.row, Pix: b.pix}
}

func (b bands) units() int { return b.s.n * b.of }
func (b bands) work(perOutput int) int {
	return b.s.n * b.s.y.out * b.s.x.out * b.s.oc * perOutput
}

// at gives unit i's planes and its number of rows.
func at[T any](b bands, i int, dst, src []T) (d, s kernel.Plane[T], rows int) {
	image, y := i/b.of, i%b.of*b.rows
	row := b.s.x.out * b.s.oc
	d = kernel.Plane[T]{P: dst[(image*b.s.y.out+y)*row:], Row: row, Pix: b.s.oc}
	s = kernel.Plane[T]{P: src[image*b.image+y*b.s.y.stride*b.row:], Row: b.s.y.stride * b.row, Pix: b.s.x.stride * b.pix}
	return d, s, min(b.rows, b.s.y.out-y)
}

// runnerF32 is a float32 convolution of internal/kernel.
type runnerF32 interface {
	Run(k *kernel.Worker, dst, src, res kernel.Plane[float32], rows, cols int)
}

// runnerI8 is an 8-bit one.
type runnerI8 interface {
	Run(k *kernel.Worker, dst, src kernel.Plane[uint8], rows, cols int)
}

// planBandsF32 emits the step of a float32 convolution that pack makes before
// the first frame, when the weights can be read. bytes is what it will hold.
func (c *opContext) planBandsF32(name string, in *tensor, s *convShape, rows, bytes, perOutput int, pack func(b bands) runnerF32) error {
	border := s.border()
	src, err := c.padF32(in, border)
	if err != nil {
		return err
	}
	var run runnerF32
	b, out := newBands(s, border, rows), c.out[0]
	if err := c.later(bytes, func() { run = pack(b) }); err != nil {
		return err
	}
	c.emit(name, b.units(), b.work(perOutput), []*tensor{src}, func(w *worker, lo, hi int) {
		for i := lo; i < hi; i++ {
			dst, from, rows := at(b, i, out.f32(), src.f32())
			run.Run(&w.direct, dst, from, kernel.Plane[float32]{}, rows, s.x.out)
		}
	})
	return nil
}

// planDirectF32 plans CONV_2D, by Winograd where that pays and is accurate.
func (c *opContext) planDirectF32(s *convShape, a model.Activation) error {
	lo, hi, err := c.activationF32(a)
	if err != nil {
		return err
	}
	filter, bias := c.in[1], c.bias()
	taps := s.y.k * s.x.k * s.c
	if c.winograd(s) {
		bytes := 4 * 36 * roundUp(s.c, 16) * roundUp(s.oc, 32)
		return c.planBandsF32("winograd f32", c.in[0], s, bandRows*s.y.dilate, bytes, taps/4, func(b bands) runnerF32 {
			if kernel.WinogradError(b.shape(), filter.f32()) > winogradTolerance {
				return kernel.NewConvF32(b.shape(), filter.f32(), floats(bias), lo, hi)
			}
			return kernel.NewWinogradF32(b.shape(), filter.f32(), floats(bias), lo, hi)
		})
	}
	return c.planBandsF32("direct f32", c.in[0], s, bandRows, 4*taps*roundUp(s.oc, 32), taps, func(b bands) runnerF32 {
		return kernel.NewConvF32(b.shape(), filter.f32(), floats(bias), lo, hi)
	})
}

// winogradTolerance is the error, relative to the largest output, over which a
// layer goes back to direct convolution.
const winogradTolerance = 1e-4

// winograd says whether F(4x4, 3x3) pays: below a dozen channels the
// transforms cost what the products save, and so do maps of a few tiles.
func (c *opContext) winograd(s *convShape) bool {
	const channels, size = 12, 12
	return c.p.winograd && s.y.k == 3 && s.x.k == 3 && s.y.stride == 1 && s.x.stride == 1 && s.c >= channels && s.oc >= channels &&
		s.y.out >= size*s.y.dilate/2 && s.x.out >= size*s.x.dilate/2 && s.y.out >= size && s.x.out >= size
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
	lo, hi, err := c.activationF32(a)
	if err != nil {
		return err
	}
	filter, bias, taps := c.in[1], c.bias(), s.y.k*s.x.k
	return c.planBandsF32("direct depth f32", in, s, bandRows, 4*(taps+1)*roundUp(s.oc, 16), taps, func(b bands) runnerF32 {
		return kernel.NewDepthwiseF32(b.shape(), filter.f32(), floats(bias), lo, hi)
	})
}
