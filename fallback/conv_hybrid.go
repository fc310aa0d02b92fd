package fallback

import (
	"math"

	"edged"
	"edged/internal/kernel/gemm"
	"edged/model"
)

// Dynamic-range ("hybrid") operators have float activations and int8 weights.
// Each image of the batch is quantised to int8 over its own range, the sums
// are integers, and the result is a float again.

// hybrid says that the operator is one.
func (c *opContext) hybrid() bool {
	return isType(model.TypeFloat32, c.in[0], c.bias(), c.out[0]) && c.in[1].typ == model.TypeInt8
}

// hybridTiles adds to the integer tiles what makes floats of their sums.
type hybridTiles struct {
	quantTiles
	scale  []float32 // of the filter, by channel, padded to whole blocks
	offset []float32 // biases likewise
	lo, hi float32
	dst    *tensor
	images *tensor // the scale of every image
}

// finish writes a tile's results: sum * image scale * filter scale + bias.
func (h *hybridTiles) finish(w *worker, position, rows, group, block int) {
	cols := min(gemm.TileCols, h.cols-block*gemm.TileCols)
	at := (group*h.blocks() + block) * gemm.TileCols
	ldc := h.groups * h.cols
	out, images := h.dst.f32(), h.images.f32()
	for r := range rows {
		s := images[(position+r)/(h.outH*h.outW)]
		dst := out[(position+r)*ldc+group*h.cols+block*gemm.TileCols:][:cols]
		for i := range dst {
			v := float32(w.sums[r*gemm.TileCols+i])*s*h.scale[at+i] + h.offset[at+i]
			dst[i] = clamp32(v, h.lo, h.hi)
		}
	}
}

func clamp32(v, lo, hi float32) float32 {
	if v < lo {
		return lo
	}
	if v > hi {
		return hi
	}
	return v
}

// planHybrid emits the two steps: quantise every image, then the tiles. tile
// is the geometry over the padded input b, weight the place of a weight.
func (c *opContext) planHybrid(s *convShape, in *tensor, b padded, l tiling, mul func(*gemm.TileI16), a model.Activation, asymmetric bool, pack func(q *quantTiles)) error {
	filter, bias := c.in[1], c.bias()
	h := &hybridTiles{quantTiles: quantTiles{tiling: l, mulTile: mul}, dst: c.out[0]}
	var err error
	if h.lo, h.hi, err = c.activationF32(a); err != nil {
		return err
	}
	if n := len(filter.quant.scale); n != 1 && n != s.oc {
		return c.malformed("%d filter scales for %d channels", n, s.oc)
	}
	area, err := c.scratch(2 * (b.elems() + 1))
	if err != nil {
		return err
	}
	if h.images, err = c.scratch(4 * b.n); err != nil {
		return err
	}
	image := b.h * b.w * b.c
	c.emitTo("quantise range", b.n, 4*in.elems(), []*tensor{in}, []*tensor{area, h.images}, func(_ *worker, lo, hi int) {
		for i := lo; i < hi; i++ {
			r := rangeOf(in.f32()[i*image:][:image], asymmetric)
			h.images.f32()[i] = r.scale
			b.quantiseImage(area.i16(), in.f32(), r, i)
		}
	})
	cols := h.groups * h.blocks() * gemm.TileCols
	n := h.groups * h.blocks() * h.rows() * gemm.TileCols
	reads, err := c.packedFrom(2*n+12*cols, func(t *tensor) {
		f32 := edged.View[float32](t.data[2*n:])
		h.weights, h.scale, h.offset = t.i16()[:n], f32[:cols], f32[cols:2*cols]
		h.bias = edged.View[int32](t.data[2*n+8*cols:])
		pack(&h.quantTiles)
		for g := range h.groups {
			for i := range h.cols {
				at, channel := g*h.blocks()*gemm.TileCols+i, g*h.cols+i
				h.scale[at] = filter.quant.scaleAt(channel)
				if bias != nil {
					h.offset[at] = bias.f32()[channel]
				}
			}
		}
	}, filter, bias)
	if err != nil {
		return err
	}
	h.quantTiles.finish = h.finish
	c.emit("tile hybrid", h.tiles(), h.work(), append(reads, area, h.images), func(w *worker, lo, hi int) {
		h.run(w, nil, area.i16(), lo, hi)
	})
	return nil
}

// dynamicRange is how one image is quantised: q = round(zero + v*inverse).
type dynamicRange struct {
	scale, inverse float32
	zero, least    int32
}

// rangeOf chooses the quantisation of one image. Symmetric: the larger
// magnitude is 127 steps. Asymmetric: 255 steps from least to most value, both
// taken to include zero, with a zero point that is exact.
func rangeOf(v []float32, asymmetric bool) dynamicRange {
	var lo, hi float32
	for _, x := range v {
		lo, hi = min(lo, x), max(hi, x)
	}
	if !asymmetric {
		most := max(-lo, hi)
		if most == 0 {
			return dynamicRange{scale: 1}
		}
		return dynamicRange{scale: most / 127, inverse: 127 / most, least: -127}
	}
	if lo == hi {
		return dynamicRange{scale: 1, least: math.MinInt8}
	}
	step := (float64(hi) - float64(lo)) / 255
	fromLo, fromHi := float64(lo)/step, float64(hi)/step
	zero := math.MaxInt8 - fromHi
	if 128+math.Abs(fromLo) < 127+math.Abs(fromHi) {
		zero = math.MinInt8 - fromLo
	}
	zero = clampF64(math.Round(zero), math.MinInt8, math.MaxInt8)
	return dynamicRange{scale: float32(step), inverse: 1 / float32(step), zero: int32(zero), least: math.MinInt8}
}

func (r dynamicRange) quantise(v float32) int16 {
	q := math.Round(float64(float32(r.zero) + v*r.inverse))
	return int16(clampF64(q, float64(r.least), math.MaxInt8)) - int16(r.zero)
}

// quantiseImage writes the rows of one image with its border, the zero point
// taken off.
func (f padded) quantiseImage(dst []int16, src []float32, q dynamicRange, image int) {
	width := f.wp() * f.c
	for r := image * f.hp(); r < (image+1)*f.hp(); r++ {
		d := dst[r*width:][:width]
		from, left, n := f.row(r)
		clear(d[:left])
		for i, v := range src[from : from+n] {
			d[left+i] = q.quantise(v)
		}
		clear(d[left+n:])
	}
}

// hybridConv plans CONV_2D and, with asymmetric as its option says,
// FULLY_CONNECTED.
func (c *opContext) hybridConv(s *convShape, a model.Activation, asymmetric bool) error {
	b := s.border()
	l := geometry(s, b.hp(), b.wp())
	l.k += l.k % 2
	return c.planHybrid(s, c.in[0], b, l, c.p.routines.GEMM.MulI16, a, asymmetric, func(q *quantTiles) {
		for g := range q.groups {
			q.packGroup(s, c.in[1], g)
		}
	})
}

// hybridDepthwise plans DEPTHWISE_CONV_2D.
func (c *opContext) hybridDepthwise(s *convShape, in *tensor, a model.Activation) error {
	b := s.border()
	return c.planHybrid(s, in, b, depthGeometry(s, b), c.p.routines.GEMM.DepthI16, a, true, func(q *quantTiles) {
		q.packDepth(c.in[1])
	})
}
