package fallback

import (
	"encoding/binary"

	"edged/internal/kernel/gemm"
	"edged/model"
)

// Operators of int16 activations and int8 weights ("int16x8") add in int64, and
// scale once. The matrix kernels add in int32, in which so many products of 16 by
// 8 bits have room: longer sums are taken in parts.
const mostI16Terms = 512

// isI16x8 says that the operator is one.
func isI16x8(in, filter, out *tensor) bool {
	return in.typ == model.TypeInt16 && filter.typ == model.TypeInt8 && out.typ == model.TypeInt16
}

// wide are tiles of int16 activations by int8 weights.
type wide struct {
	quantTiles
	whole int // elements of a tap of the file's
	split int // parts of a tap of the file's
	bias  []int64
	scale scaling
}

// wideTiles cuts a convolution's taps so that no part has more terms than there is
// room for. Every tap becomes split ones of an even number of elements: the
// weights of those that are too many are zero, but they are read.
func wideTiles(l tiling) *wide {
	w := &wide{whole: l.k, split: (l.k + mostI16Terms - 1) / mostI16Terms}
	k := (l.k + w.split - 1) / w.split
	k += k % 2
	var taps []int
	for _, t := range l.taps {
		for s := range w.split {
			taps = append(taps, t+s*k)
		}
	}
	l.k, l.taps = k, taps
	w.quantTiles = quantTiles{tiling: l}
	return w
}

// perPart is the number of taps in a part.
func (w *wide) perPart() int { return max(1, mostI16Terms/w.k) }

// slack is how many elements may be read behind the last one.
func (w *wide) slack() int { return w.split*w.k - w.whole }

// element is the place in the file's sum of packed row r; false: there is none.
func (w *wide) element(r int) (int, bool) {
	tap, at := r/w.k/w.split, r/w.k%w.split*w.k+r%w.k
	return tap*w.whole + at, at < w.whole
}

// planConvI16x8 plans CONV_2D and FULLY_CONNECTED.
func (c *opContext) planConvI16x8(s *convShape, a model.Activation) error {
	in, filter, out := c.in[0], c.in[1], c.out[0]
	r, err := c.requant(in, filter, c.bias(), out, s.oc, 0, a)
	if err != nil {
		return err
	}
	b := s.border()
	w := wideTiles(geometry(s, b.hp(), b.wp()))
	area, err := c.scratch(2 * (b.elems() + w.slack()))
	if err != nil {
		return err
	}
	c.emitTo(borderCopy, b.rows(), b.elems(), []*tensor{in}, []*tensor{area}, func(_ *worker, lo, hi int) {
		pad(b, in.pitch(b.h, b.w, b.c), area.i16(), in.i16(), 0, lo, hi)
	})
	reads, err := c.packWide(s, w, r)
	if err != nil {
		return err
	}
	if w.scale = scalingOf(c.bias()); c.bias() == nil {
		w.scale = scaleOnce
	}
	w.mulTile, w.lo, w.hi = c.p.routines.GEMM.MulI16, r.lo, r.hi
	c.emit("tile i16x8", w.tiles(), w.work(), append(reads, area), func(k *worker, lo, hi int) {
		w.run(k, out.i16(), area.i16(), lo, hi)
	})
	return nil
}

// packWide packs filter, bias and multipliers.
func (c *opContext) packWide(s *convShape, w *wide, r *requant) ([]*tensor, error) {
	filter, bias := c.in[1], c.bias()
	blocks := w.groups * w.blocks()
	n, cols := gemm.PackedI16(w.rows(), blocks*gemm.TileCols), blocks*gemm.TileCols
	return c.packedFrom(2*n+8*cols, func(t *tensor) {
		w.weights = t.i16()[:n]
		i32 := t.i32()[n/2:]
		w.mul, w.shift, w.bias = i32[:cols], i32[cols:2*cols], make([]int64, cols)
		for g := range w.groups {
			size, at := w.blocks()*w.rows()*gemm.TileCols, g*w.blocks()*gemm.TileCols
			gemm.PackI16(w.weights[g*size:][:size], w.rows(), w.cols, func(k, n int) int16 {
				e, ok := w.element(k)
				if !ok {
					return 0
				}
				n += g * w.cols
				return int16(filter.i8()[n*s.y.k*s.x.k*w.groupIn+e]) - int16(filter.quant.zeroAt(n))
			})
			for i := range w.cols {
				m := r.mult[min(g*w.cols+i, len(r.mult)-1)]
				w.mul[at+i], w.shift[at+i] = m.mul, m.shift
				w.bias[at+i] = biasAt(bias, g*w.cols+i)
			}
		}
	}, filter, bias)
}

// biasAt reads a bias of int32 or int64, 0 where there is none.
func biasAt(t *tensor, i int) int64 {
	switch {
	case t == nil:
		return 0
	case t.typ == model.TypeInt64:
		return int64(binary.LittleEndian.Uint64(t.data[8*i:]))
	}
	return int64(t.i32()[i])
}

// run computes tiles [lo, hi).
func (w *wide) run(k *worker, dst, src []int16, lo, hi int) {
	var off [chunkRows]int
	t := &k.i16
	t.A, t.K, t.Dst, t.Bias = src, w.k, k.sums[:], k.none[:]
	for from := lo * gemm.TileRows; from < hi*gemm.TileRows; from += chunkRows {
		real := min(w.offsets(&off, from), hi*gemm.TileRows-from)
		for g := range w.groups {
			for b := range w.blocks() {
				for m := 0; m < real; m += gemm.TileRows {
					for i := range t.Off {
						t.Off[i] = off[m+i] + g*w.groupIn
					}
					t.Rows = min(gemm.TileRows, real-m)
					w.tile(k, dst, from+m, g, b)
				}
			}
		}
	}
	*t = gemm.TileI16{}
}

// tile adds up the parts of one tile and scales the sums.
func (w *wide) tile(k *worker, dst []int16, position, g, b int) {
	t, cols := &k.i16, min(gemm.TileCols, w.cols-b*gemm.TileCols)
	block := g*w.blocks() + b
	at := block * gemm.TileCols
	var sums [gemm.TileRows * gemm.TileCols]int64
	for r := range t.Rows {
		copy(sums[r*gemm.TileCols:], w.bias[at:at+gemm.TileCols])
	}
	weights := w.weights[at*w.rows():][:w.rows()*gemm.TileCols]
	for first := 0; first < len(w.taps); first += w.perPart() {
		last := min(first+w.perPart(), len(w.taps))
		t.Taps, t.W = w.taps[first:last], weights[first*w.k*gemm.TileCols:last*w.k*gemm.TileCols]
		w.mulTile(t)
		for i, v := range k.sums[:t.Rows*gemm.TileCols] {
			sums[i] += int64(v)
		}
	}
	ldc := w.groups * w.cols
	for r := range t.Rows {
		out := dst[(position+r)*ldc+g*w.cols+b*gemm.TileCols:][:cols]
		for i := range out {
			out[i] = w.scale(sums[r*gemm.TileCols+i], multiplier{w.mul[at+i], w.shift[at+i]}, w.lo, w.hi)
		}
	}
}

// scaling makes an int16 of a sum.
type scaling func(sum int64, m multiplier, lo, hi int32) int16

// scalingOf is TFLite's choice: by the type of the bias, in 64 bits or, where there
// is none too, in 32.
func scalingOf(bias *tensor) scaling {
	if bias != nil && bias.typ == model.TypeInt64 {
		return scaleWide
	}
	return func(sum int64, m multiplier, lo, hi int32) int16 { return int16(min(max(m.apply(int32(sum)), lo), hi)) }
}

// scaleOnce is how its matrix multiplication scales to int16: one rounding, halves up.
func scaleOnce(sum int64, m multiplier, lo, hi int32) int16 {
	total := min(max(31-m.shift, 1), 62)
	v := (sum*int64(m.mul) + 1<<(total-1)) >> total
	return int16(min(max(v, int64(lo)), int64(hi)))
}

// scaleWide scales sums of 64 bits: the multiplier reduced to 16 bits, one
// rounding, halves up.
func scaleWide(sum int64, m multiplier, lo, hi int32) int16 {
	reduced := int64(0x7fff)
	if m.mul < 0x7fff0000 {
		reduced = int64((m.mul + 1<<15) >> 16)
	}
	total := min(max(15-m.shift, 1), 62)
	v := (sum*reduced + 1<<(total-1)) >> total
	return int16(min(max(int64(int32(v)), int64(lo)), int64(hi)))
}

// planDepthI16x8 plans DEPTHWISE_CONV_2D: a row of outputs at a time, tap by tap.
func (c *opContext) planDepthI16x8(s *convShape, a model.Activation) error {
	in, filter, bias, out := c.in[0], c.in[1], c.bias(), c.out[0]
	r, err := c.requant(in, filter, bias, out, s.oc, 3, a)
	if err != nil {
		return err
	}
	width := s.x.out * s.oc
	area, err := c.private(8 * width)
	if err != nil {
		return err
	}
	p, scale := &pool2D{n: s.n, c: s.c, y: s.y, x: s.x, in: in}, scalingOf(bias)
	c.emit("depth i16x8", p.rows(), s.n*s.y.out*width*s.y.k*s.x.k, []*tensor{in, filter, bias}, func(w *worker, lo, hi int) {
		acc := part[int64](area, w, width)
		for row := lo; row < hi; row++ {
			for i := range acc {
				acc[i] = biasAt(bias, i%s.oc)
			}
			p.depthRow(acc, in.i16(), filter, s.oc, row)
			for i, sum := range acc {
				m := r.mult[min(i%s.oc, len(r.mult)-1)]
				out.i16()[row*width+i] = scale(sum, m, r.lo, r.hi)
			}
		}
	})
	return nil
}

// depthRow adds the products of output row r.
func (p *pool2D) depthRow(acc []int64, in []int16, filter *tensor, oc, r int) {
	image, oy := r/p.y.out, r%p.y.out
	times := oc / p.c
	y0, y1 := p.y.taps(oy)
	for ky := y0; ky < y1; ky++ {
		y := oy*p.y.stride - p.y.before + ky*p.y.dilate
		for ox := range p.x.out {
			x0, x1 := p.x.taps(ox)
			for kx := x0; kx < x1; kx++ {
				src := in[((image*p.y.in+y)*p.x.in+ox*p.x.stride-p.x.before+kx*p.x.dilate)*p.c:][:p.c]
				weights := filter.i8()[(ky*p.x.k+kx)*oc:][:oc]
				dst := acc[ox*oc:][:oc]
				for i, w := range weights {
					dst[i] += int64(src[i/times]) * int64(int32(w)-filter.quant.zeroAt(i))
				}
			}
		}
	}
}

// transposedI16x8 plans TRANSPOSE_CONV: a row of outputs at a time.
func (c *opContext) transposedI16x8(t *transposed, in, filter, bias *tensor, a model.Activation) error {
	r, err := c.requant(in, filter, bias, c.out[0], t.oc, 0, a)
	if err != nil {
		return err
	}
	out, scale := c.out[0], scalingOf(bias)
	c.emit("transposed i16x8", t.n*t.y.out, out.elems()*t.c*t.y.k*t.x.k/(t.y.stride*t.x.stride), []*tensor{in, filter, bias}, func(_ *worker, lo, hi int) {
		for row := lo; row < hi; row++ {
			for i := range t.x.out * t.oc {
				n := i % t.oc
				m := r.mult[min(n, len(r.mult)-1)]
				sum := biasAt(bias, n) + t.at(in.i16(), filter.i8(), row, i/t.oc, n)
				out.i16()[row*t.x.out*t.oc+i] = scale(sum, m, r.lo, r.hi)
			}
		}
	})
	return nil
}

// at is the sum of one output: the taps that lead to it from inputs.
func (t *transposed) at(in []int16, filter []int8, row, x, n int) (sum int64) {
	image, y := row/t.y.out, row%t.y.out
	for ky := (y + t.y.before) % t.y.stride; ky < t.y.k; ky += t.y.stride {
		iy := (y + t.y.before - ky) / t.y.stride
		if y+t.y.before < ky || iy >= t.y.in {
			continue
		}
		for kx := (x + t.x.before) % t.x.stride; kx < t.x.k; kx += t.x.stride {
			ix := (x + t.x.before - kx) / t.x.stride
			if x+t.x.before < kx || ix >= t.x.in {
				continue
			}
			src := in[((image*t.y.in+iy)*t.x.in+ix)*t.c:][:t.c]
			for i, w := range filter[((n*t.y.k+ky)*t.x.k+kx)*t.c:][:t.c] {
				sum += int64(src[i]) * int64(w)
			}
		}
	}
	return sum
}
