package fallback

import (
	"math"

	"edged/model"
)

// pool is the geometry of a pooling operator on an NHWC tensor. Taps in the
// padding are left out, so they count neither as values nor in averages.
type pool2D struct {
	n, c int
	y, x window
	in   *tensor

	columnsFirst bool // whatever the map's width, each column is summed by itself, then the sums
}

func (c *opContext) poolShape() (*pool2D, model.Activation, error) {
	o, err := options[model.Pool2DOptions](c)
	if err != nil {
		return nil, 0, err
	}
	in := c.in[0].shape
	if len(in) != 4 || product(in) == 0 {
		return nil, 0, c.malformed("input %v", in)
	}
	p := &pool2D{n: in[0], c: in[3], in: c.in[0]}
	p.y, p.x, err = c.windows(in, nil)
	if err != nil {
		return nil, 0, err
	}
	return p, o.Activation, c.shape(0, p.n, p.y.out, p.x.out, p.c)
}

// taps is the range of taps that lie inside the input for output position o.
func (w window) taps(o int) (lo, hi int) {
	start := o*w.stride - w.before
	if start < 0 {
		lo = (-start + w.dilate - 1) / w.dilate
	}
	if last := w.in - 1 - start; last < 0 {
		return lo, lo
	} else {
		hi = min(w.k, last/w.dilate+1)
	}
	return lo, max(lo, hi)
}

// outputs is the range of output positions whose tap k lies inside the input.
func (w window) outputs(k int) (lo, hi int) {
	shift := k*w.dilate - w.before
	if shift < 0 {
		lo = (-shift + w.stride - 1) / w.stride
	}
	if last := w.in - 1 - shift; last < 0 {
		return lo, lo
	} else {
		hi = min(w.out, last/w.stride+1)
	}
	return lo, max(lo, hi)
}

// span of taps that any output position has inside the input.
func (w window) tapRange() (lo, hi int) {
	lo = max(0, (w.before-(w.out-1)*w.stride+w.dilate-1)/w.dilate)
	return lo, min(w.k, (w.in-1+w.before)/w.dilate+1)
}

// across calls f for runs of n output positions from x on whose windows hold the
// same number of taps inside the input; the first tap is at from.
func (w window) across(f func(x, n, from, taps int)) {
	lo, _ := w.outputs(0)
	_, hi := w.outputs(w.k - 1)
	if lo >= hi {
		lo, hi = w.out, w.out
	}
	for x := 0; x < w.out; x++ {
		if x == lo {
			f(lo, hi-lo, lo*w.stride-w.before, w.k)
			x = hi - 1
			continue
		}
		first, end := w.taps(x)
		if first == end {
			f(x, 1, 0, 0)
			continue
		}
		f(x, 1, x*w.stride-w.before+first*w.dilate, end-first)
	}
}

// gather calls add for pieces of output row r of the pool: dst is where, in
// elements of the row, src where, in elements of the tensor, n how many.
func (p *pool2D) gather(r int, add func(dst, src, n int)) {
	image, oy := r/p.y.out, r%p.y.out
	y0, y1 := p.y.taps(oy)
	x0, x1 := p.x.tapRange()
	l := p.in.pitch(p.y.in, p.x.in, p.c)
	for ky := y0; ky < y1; ky++ {
		y := oy*p.y.stride - p.y.before + ky*p.y.dilate
		for kx := x0; kx < x1; kx++ {
			lo, hi := p.x.outputs(kx)
			at := l.at(image, y, lo*p.x.stride-p.x.before+kx*p.x.dilate)
			if p.x.stride == 1 {
				add(lo*p.c, at, (hi-lo)*p.c)
				continue
			}
			for o := lo; o < hi; o++ {
				add(o*p.c, at+(o-lo)*p.x.stride*p.c, p.c)
			}
		}
	}
}

// count is the number of taps inside the input for position (oy, ox).
func (p *pool2D) count(oy, ox int) int {
	y0, y1 := p.y.taps(oy)
	x0, x1 := p.x.taps(ox)
	return (y1 - y0) * (x1 - x0)
}

func (p *pool2D) rows() int  { return p.n * p.y.out }
func (p *pool2D) width() int { return p.x.out * p.c }

// work is about the number of values read.
func (p *pool2D) work() int {
	return int(min(float64(p.rows())*float64(p.width())*float64(min(p.y.k, p.y.in))*float64(min(p.x.k, p.x.in)), 1e15))
}

// emitRows emits a pool's step, of rows. Its input may have a border.
func (c *opContext) emitRows(by routine, p *pool2D, run func(w *worker, from, to int)) {
	s := c.emit(by, p.rows(), p.work(), []*tensor{p.in}, run)
	s.can.reads.border = []*tensor{p.in}
}

// planMaxPool2D plans MAX_POOL_2D.
func planMaxPool2D(c *opContext) error {
	p, a, err := c.poolShape()
	if err != nil {
		return err
	}
	in, out := c.in[0], c.out[0]
	if in.typ != out.typ {
		return c.types()
	}
	clamp := a != model.ActNone || c.n.fused.lo != unfused.lo || c.n.fused.hi != unfused.hi
	if in.typ == model.TypeFloat32 && !clamp && p.bare() {
		out.deferred = &deferredPool{c, p}
		if !c.n.fused.deferrable {
			out.emitDeferredPool()
		}
		return nil
	}
	if isType(model.TypeFloat32, in) {
		return c.planMaxF32(p, a, clamp)
	}
	if in.quantised() {
		return c.planMaxBytes(p, a)
	}
	if in.typ == model.TypeInt16 {
		return c.planMaxI16(p, a)
	}
	return c.types()
}

// planL2Pool2D plans L2_POOL_2D: the root of the mean of squares, in floats.
func planL2Pool2D(c *opContext) error {
	p, a, err := c.poolShape()
	if err != nil {
		return err
	}
	in, out := c.in[0], c.out[0]
	if !isType(model.TypeFloat32, in, out) {
		return c.types()
	}
	lo, hi, err := c.activationF32(a)
	c.emitRows("l2 f32", p, func(_ *worker, from, to int) {
		for r := from; r < to; r++ {
			dst := out.f32()[r*p.width():][:p.width()]
			clear(dst)
			p.gather(r, func(d, s, n int) {
				for i, v := range in.f32()[s : s+n] {
					dst[d+i] += v * v
				}
			})
			for i, v := range dst {
				n := float32(p.count(r%p.y.out, i/p.c))
				dst[i] = min(max(float32(math.Sqrt(float64(v/n))), lo), hi)
			}
		}
	})
	return err
}
