package fallback

import (
	"edged"
	"edged/internal/kernel/gemm"
	"edged/model"
)

// planDepthwiseConv2D plans DEPTHWISE_CONV_2D: input [n, h, w, c], filter
// [1, kh, kw, c*m], bias. Output channel i*m+q reads input channel i. With m
// over 1 the input's channels are first repeated m times; then tiles of
// positions by channels run as in CONV_2D.
func planDepthwiseConv2D(c *opContext) error {
	o, err := options[model.DepthwiseConv2DOptions](c)
	if err != nil {
		return err
	}
	s, err := c.depthShape()
	if err != nil {
		return err
	}
	if err := c.shape(0, s.n, s.y.out, s.x.out, s.oc); err != nil {
		return err
	}
	in, filter, out := c.in[0], c.in[1], c.out[0]
	switch {
	case isType(model.TypeFloat32, in, filter, c.bias(), out):
		return c.planDepthF32(s, o.Activation)
	case in.quantised() && isType(in.typ, filter, out):
		return c.planDepthQuant(s, o.Activation)
	case isI16x8(in, filter, out):
		return c.planDepthI16x8(s, o.Activation)
	case c.hybrid():
		area, err := c.repeated(s)
		if err != nil {
			return err
		}
		return c.hybridDepthwise(s, area, o.Activation)
	}
	return c.types()
}

func (c *opContext) depthShape() (*convShape, error) {
	in, f := c.in[0].shape, c.in[1].shape
	if len(in) != 4 || len(f) != 4 || product(f) == 0 || product(in) == 0 || f[0] != 1 || f[3]%in[3] != 0 {
		return nil, c.malformed("input %v, filter %v", in, f)
	}
	s := &convShape{n: in[0], c: in[3], oc: f[3], groups: in[3]}
	if b := c.bias(); b != nil && b.elems() != s.oc {
		return nil, c.malformed("%d biases for %d channels", b.elems(), s.oc)
	}
	var err error
	s.y, s.x, err = c.windows(in, f)
	return s, err
}

// depthGeometry is geometry for one weight a tap and channel.
func depthGeometry(s *convShape, b padded) tiling {
	one := *s
	one.groups, one.depthwise = s.c, true
	t := geometry(&one, b.hp(), b.wp())
	t.groups, t.groupIn, t.cols, t.block = 1, 0, s.c, gemm.TileCols
	return t
}

// repeated gives the input with every channel m times, and makes s a
// convolution with one output channel for each.
func (c *opContext) repeated(s *convShape) (*tensor, error) {
	in, m := c.in[0], s.oc/s.c
	if m == 1 {
		return in, nil
	}
	area, err := c.scratch(in.elems() * m * in.elem())
	if err != nil {
		return nil, err
	}
	area.typ, area.quant = in.typ, in.quant
	n := in.elems() / s.c
	c.emitMove(area, in, move{dims: []int{n, s.c, m}, ds: []int{s.oc, m, 1}, ss: []int{s.c, 1, 0}})
	s.c = s.oc
	return area, nil
}

func (c *opContext) planDepthF32(s *convShape, a model.Activation) error {
	filter, bias, out := c.in[1], c.bias(), c.out[0]
	in, err := c.repeated(s)
	if err != nil {
		return err
	}
	if c.direct() {
		return c.planDirectDepthF32(s, in, a)
	}
	b := s.border()
	f := &floatTiles{tiling: depthGeometry(s, b), mul: c.p.routines.GEMM.DepthF32}
	if f.lo, f.hi, err = c.activationF32(a); err != nil {
		return err
	}
	src, err := c.padF32(in, b)
	if err != nil {
		return err
	}
	cols := f.blocks() * gemm.TileCols
	n := gemm.PackedF32(len(f.taps), cols)
	reads, err := c.packedFrom(4*(n+cols), func(t *tensor) {
		all, w := t.f32(), filter.f32()
		f.weights, f.bias = all[:n], all[n:]
		gemm.PackF32(f.weights, len(f.taps), s.c, func(k, n int) float32 { return w[k*s.c+n] })
		if bias != nil {
			copy(f.bias, bias.f32())
		}
	}, filter, bias)
	if err != nil {
		return err
	}
	c.emit("depth f32", f.tiles(), f.work(), append(reads, src), func(w *worker, lo, hi int) {
		f.run(w, out.f32(), src.f32(), lo, hi)
	})
	return nil
}

func (c *opContext) planDepthQuant(s *convShape, a model.Activation) error {
	filter, bias, out := c.in[1], c.bias(), c.out[0]
	r, err := c.requant(c.in[0], filter, bias, out, s.oc, 3, a)
	if err != nil {
		return err
	}
	in, err := c.repeated(s)
	if err != nil {
		return err
	}
	_, oneZero := c.filterZero()
	if oneZero && c.direct() {
		return c.planDirectDepthI8(s, in, a)
	}
	b := s.border()
	q := &quantTiles{tiling: depthGeometry(s, b), mulTile: c.p.routines.GEMM.DepthI16, requant: c.p.routines.GEMM.Requant, zero: r.zero, lo: r.lo, hi: r.hi}
	cols := q.blocks() * gemm.TileCols
	n := len(q.taps) * cols
	reads, err := c.packedFrom(2*n+12*cols, func(t *tensor) {
		i32 := edged.View[int32](t.data[2*n:])
		q.weights, q.bias, q.mul, q.shift = t.i16()[:n], i32[:cols], i32[cols:2*cols], i32[2*cols:3*cols]
		q.packDepth(filter)
		q.channels(r, bias, 0, 0)
	}, filter, bias)
	if err != nil {
		return err
	}
	area, err := c.widened(in, b)
	if err != nil {
		return err
	}
	c.emit("depth i16", q.tiles(), q.work(), append(reads, area), func(w *worker, lo, hi int) {
		q.run(w, out.data, area.i16(), lo, hi)
	})
	return nil
}

// packDepth lays the weights out in blocks of TileCols channels, tap by tap.
func (q *quantTiles) packDepth(filter *tensor) {
	signed := filter.typ == model.TypeInt8
	taps := len(q.taps)
	for n := range q.cols {
		block := q.weights[n/gemm.TileCols*taps*gemm.TileCols:]
		for k := range taps {
			v := byteValue(filter.data[k*q.cols+n], signed) - filter.quant.zeroAt(n)
			block[k*gemm.TileCols+n%gemm.TileCols] = int16(v)
		}
	}
}
