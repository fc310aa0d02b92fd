package fallback

import (
	"edged"
	"edged/internal/kernel/gemm"
	"edged/model"
)

// convShape is the geometry of a convolution: input [n, h, w, c], filter
// [oc, y.k, x.k, c/groups], output [n, y.out, x.out, oc].
type convShape struct {
	n, c, oc, groups int
	depthwise        bool // every channel by itself
	y, x             window
}

// border is the input with the padding that the windows ask for.
func (s *convShape) border() padded {
	return padded{n: s.n, h: s.y.in, w: s.x.in, c: s.c, top: s.y.before, bottom: s.y.after, left: s.x.before, right: s.x.after}
}

// planConv2D plans CONV_2D: input, filter, bias. The padded input is laid out
// in an area of its own, then tiles of positions by channels run through the
// matrix kernels; stride and dilation are only other offsets.
func planConv2D(c *opContext) error {
	o, err := options[model.Conv2DOptions](c)
	if err != nil {
		return err
	}
	s, err := c.convShape()
	if err != nil {
		return err
	}
	if err := c.shape(0, s.n, s.y.out, s.x.out, s.oc); err != nil {
		return err
	}
	return c.planConv(s, o.Activation, len(c.in[1].quant.scale) > 1)
}

// planConv chooses the arithmetic by the element types. Hybrid inputs are
// quantised around zero, or asymmetrically: TFLite does the latter where the
// filter has a scale for each channel.
func (c *opContext) planConv(s *convShape, a model.Activation, asymmetric bool) error {
	in, filter, out := c.in[0], c.in[1], c.out[0]
	_, oneZero := c.filterZero()
	floats := isType(model.TypeFloat32, in, filter, c.bias(), out)
	if floats && c.direct() && c.winograd(s) {
		return c.planWinograd(s, a)
	}
	in.emitDeferredPool()
	switch {
	case floats:
		if c.direct() {
			return c.planDirectF32(s, a)
		}
		return c.planConvF32(s, a)
	case in.quantised() && isType(in.typ, filter, out) && oneZero && c.direct():
		return c.planDirectI8(s, a)
	case in.quantised() && isType(in.typ, filter, out):
		return c.planConvQuant(s, a)
	case isI16x8(in, filter, out):
		return c.planConvI16x8(s, a)
	case c.hybrid():
		return c.hybridConv(s, a, asymmetric)
	}
	return c.types()
}

// bias is the third input, nil where it is left out.
func (c *opContext) bias() *tensor {
	if len(c.in) > 2 {
		return c.in[2]
	}
	return nil
}

// convShape reads and checks the shapes.
func (c *opContext) convShape() (*convShape, error) {
	in, f := c.in[0].shape, c.in[1].shape
	if len(in) != 4 || len(f) != 4 || product(f) == 0 || product(in) == 0 {
		return nil, c.malformed("input %v, filter %v", in, f)
	}
	s := &convShape{n: in[0], c: in[3], oc: f[0], groups: in[3] / f[3]}
	if in[3]%f[3] != 0 || f[0]%s.groups != 0 {
		return nil, c.malformed("%d input channels in groups of %d, %d output channels", in[3], f[3], f[0])
	}
	if b := c.bias(); b != nil && b.elems() != s.oc {
		return nil, c.malformed("%d biases for %d channels", b.elems(), s.oc)
	}
	var err error
	s.y, s.x, err = c.windows(in, f)
	return s, err
}

// weightAt gives the place in a filter [oc, kh, kw, kc] of the packed row k of
// output channel n.
func (s *convShape) weightAt(t *tiling, k, n int) int { return n*s.y.k*s.x.k*t.groupIn + k }

func (c *opContext) planConvF32(s *convShape, a model.Activation) error {
	in, out := c.in[0], c.out[0]
	b := s.border()
	f := &floatTiles{tiling: geometry(s, b.hp(), b.wp()), mul: c.p.routines.GEMM.MulF32}
	var err error
	if f.lo, f.hi, err = c.activationF32(a); err != nil {
		return err
	}
	src, err := c.padF32(in, b)
	if err != nil {
		return err
	}
	reads, err := c.packF32(s, f)
	if err != nil {
		return err
	}
	c.emit("tile f32", f.tiles(), f.work(), append(reads, src), func(w *worker, lo, hi int) {
		f.run(w, out.f32(), src.f32(), lo, hi)
	})
	return nil
}

// padF32 gives the tensor itself where there is no border, else an area and
// the step that fills it.
func (c *opContext) padF32(in *tensor, b padded) (*tensor, error) {
	if b.plain() {
		return in, nil
	}
	area, _, err := c.copyF32(in, b)
	return area, err
}

// copyF32 copies in into an area with a border of zeros.
func (c *opContext) copyF32(in *tensor, b padded) (*tensor, *step, error) {
	area, err := c.scratch(4 * b.elems())
	if err != nil {
		return nil, nil, err
	}
	s := c.emitTo(borderCopy, b.rows(), b.elems(), []*tensor{in}, []*tensor{area}, func(_ *worker, lo, hi int) {
		pad(b, in.pitch(b.h, b.w, b.c), area.f32(), in.f32(), 0, lo, hi)
	})
	s.how.values, s.can.reads.gaps = "f32", []*tensor{in}
	return area, s, nil
}

// packF32 packs filter and bias: once where they are constant, else by a step
// of every frame. It returns what the convolution reads because of that.
func (c *opContext) packF32(s *convShape, f *floatTiles) ([]*tensor, error) {
	filter, bias := c.in[1], c.bias()
	blocks := f.groups * f.blocks()
	n := gemm.PackedF32(f.rows(), blocks*gemm.TileCols)
	pack := func(t *tensor) {
		all := t.f32()
		f.weights, f.bias = all[:n], all[n:]
		from := filter.f32()
		for g := range f.groups {
			size := f.blocks() * f.rows() * gemm.TileCols
			gemm.PackRowsF32(f.weights[g*size:][:size], f.rows(), f.cols, from[g*f.cols*f.rows():])
			for i := range f.cols {
				if bias != nil {
					f.bias[g*f.blocks()*gemm.TileCols+i] = bias.f32()[g*f.cols+i]
				}
			}
		}
	}
	return c.packedFrom(4*(n+blocks*gemm.TileCols), pack, filter, bias)
}

// packedFrom has fill compute a packed form of n bytes from operands.
func (c *opContext) packedFrom(n int, fill func(t *tensor), from ...*tensor) ([]*tensor, error) {
	constant := true
	for _, t := range from {
		constant = constant && (t == nil || t.constant())
	}
	if constant {
		_, err := c.packed(n, fill)
		return nil, err
	}
	area, err := c.scratch(n)
	if err != nil {
		return nil, err
	}
	c.emitTo("pack", 1, n, from, []*tensor{area}, func(*worker, int, int) {
		clear(area.data)
		fill(area)
	})
	return []*tensor{area}, nil
}

func (c *opContext) planConvQuant(s *convShape, a model.Activation) error {
	in, out := c.in[0], c.out[0]
	b := s.border()
	q := &quantTiles{tiling: geometry(s, b.hp(), b.wp()), halfUp: true, mulTile: c.p.routines.GEMM.MulI16, requant: c.p.routines.GEMM.Requant}
	if q.k%2 != 0 {
		q.k++ // the kernels multiply pairs; the weight of the last is zero
	}
	reads, err := c.packQuant(s, q, a)
	if err != nil {
		return err
	}
	area, err := c.widened(in, b)
	if err != nil {
		return err
	}
	c.emit("tile i16", q.tiles(), q.work(), append(reads, area), func(w *worker, lo, hi int) {
		q.run(w, out.data, edged.View[int16](area.data), lo, hi)
	})
	return nil
}

// widened is the step that takes the zero point off the input. One element of
// slack stands behind: the kernels read pairs.
func (c *opContext) widened(in *tensor, b padded) (*tensor, error) {
	area, err := c.scratch(2 * (b.elems() + 1))
	if err != nil {
		return nil, err
	}
	k, signed, zero := c.p.routines.Vec, in.typ == model.TypeInt8, in.quant.zero0()
	c.emitTo("widen", b.rows(), b.elems(), []*tensor{in}, []*tensor{area}, func(_ *worker, lo, hi int) {
		b.widen(k, area.i16(), in.data, zero, signed, lo, hi)
	})
	return area, nil
}

// packQuant packs filter, bias and multipliers.
func (c *opContext) packQuant(s *convShape, q *quantTiles, a model.Activation) ([]*tensor, error) {
	filter, bias := c.in[1], c.bias()
	m, err := c.requant(c.in[0], filter, bias, c.out[0], s.oc, 0, a)
	if err != nil {
		return nil, err
	}
	q.zero, q.lo, q.hi = m.zero, m.lo, m.hi
	blocks := q.groups * q.blocks()
	n, cols := gemm.PackedI16(q.rows(), blocks*gemm.TileCols), blocks*gemm.TileCols
	pack := func(t *tensor) {
		i16 := t.i16()
		i32 := edged.View[int32](t.data[2*n:])
		q.weights, q.bias, q.mul, q.shift = i16[:n], i32[:cols], i32[cols:2*cols], i32[2*cols:]
		for g := range q.groups {
			q.packGroup(s, filter, g)
			q.channels(m, bias, g*q.blocks()*gemm.TileCols, g*q.cols)
		}
	}
	return c.packedFrom(2*n+12*cols, pack, filter, bias)
}

// packGroup lays out the weights of one group of channels.
func (q *quantTiles) packGroup(s *convShape, filter *tensor, g int) {
	size := q.blocks() * q.rows() * gemm.TileCols
	real := s.y.k * s.x.k * q.groupIn / len(q.taps) // elements of a tap, without the one that makes pairs
	signed := filter.typ == model.TypeInt8
	gemm.PackI16(q.weights[g*size:][:size], q.rows(), q.cols, func(k, n int) int16 {
		if k%q.k >= real {
			return 0
		}
		n += g * q.cols
		b := filter.data[s.weightAt(&q.tiling, k/q.k*real+k%q.k, n)]
		return int16(byteValue(b, signed) - filter.quant.zeroAt(n))
	})
}
