package fallback

import (
	"edged/internal/kernel/vec"
	"edged/model"
)

// planAveragePool2D plans AVERAGE_POOL_2D. Integers round half away from zero.
// A row of the result is computed from the sums of the rows that it sees.
func planAveragePool2D(c *opContext) error {
	p, a, err := c.poolShape()
	if err != nil {
		return err
	}
	in, out := c.in[0], c.out[0]
	switch {
	case isType(model.TypeFloat32, in, out):
		return c.planAverageF32(p, a)
	case in.quantised() && in.typ == out.typ:
		return c.planAverageQuant(p, a)
	case isType(model.TypeInt16, in, out):
		return c.planAverageI16(p, a)
	}
	return c.types()
}

// sums is the number of sums that a row of results is computed from: where it
// is one pixel that sees all there is, one pixel.
func (p *pool2D) sums() int {
	if p.narrow() {
		return p.c
	}
	return p.x.in * p.c
}

// narrow says that a row of results is one pixel, whose taps follow each other, and
// that they may be added one after the other: integers may.
func (p *pool2D) narrow() bool { return p.x.out == 1 && p.x.dilate == 1 && !p.columnsFirst }

// eachRow calls add for the rows that go into the sums of output row r: n of them
// from element at on, step elements apart.
func (p *pool2D) eachRow(r int, add func(at, n, step int)) {
	l := p.in.pitch(p.y.in, p.x.in, p.c)
	image, y := r/p.y.out, r%p.y.out*p.y.stride-p.y.before
	lo, hi := p.y.taps(r % p.y.out)
	if lo == hi {
		return
	}
	if !p.narrow() {
		add(l.at(image, y+lo*p.y.dilate, 0), hi-lo, p.y.dilate*l.row)
		return
	}
	first, end := p.x.taps(0)
	for k := lo; k < hi; k++ {
		add(l.at(image, y+k*p.y.dilate, first-p.x.before), end-first, l.pix)
	}
}

// averages calls f for runs of n pixels from x on in output row r, each the
// average of a number of pixels of the sums, the first of which begins at from;
// count is the number of values in each.
func (p *pool2D) averages(r int, f func(x, n, from, taps, count int)) {
	lo, hi := p.y.taps(r % p.y.out)
	if p.narrow() {
		f(0, 1, 0, 1, p.count(r%p.y.out, 0))
		return
	}
	p.x.across(func(x, n, from, taps int) { f(x, n, from*p.c, taps, taps*(hi-lo)) })
}

func (c *opContext) planAverageF32(p *pool2D, a model.Activation) error {
	in, out := c.in[0], c.out[0]
	lo, hi, err := c.activationF32(a)
	if err != nil {
		return err
	}
	p.columnsFirst = true // the order decides the last bit, and must not depend on the map's size: windows share layers
	area, err := c.private(4 * p.sums())
	if err != nil {
		return err
	}
	k := c.p.routines.Vec
	c.emitRows("average f32", p, func(w *worker, from, to int) {
		acc, src := part[float32](area, w, p.sums()), in.f32()
		for r := from; r < to; r++ {
			clear(acc)
			p.eachRow(r, func(at, n, step int) {
				for i := range n {
					k.AddF32(acc, src[at+i*step:][:len(acc)])
				}
			})
			dst := out.f32()[r*p.width():][:p.width()]
			p.averages(r, func(x, n, first, taps, count int) {
				k.AverageF32(dst[x*p.c:(x+n)*p.c], acc[first:], vec.Pixels{N: n, C: p.c, Step: p.x.stride * p.c, Tap: p.x.dilate * p.c, K: taps}, count, lo, hi)
			})
		}
	})
	return nil
}

func (c *opContext) planAverageQuant(p *pool2D, a model.Activation) error {
	in, out := c.in[0], c.out[0]
	lo, hi, err := c.activationQuant(a, out)
	if err != nil {
		return err
	}
	area, err := c.private(4 * p.sums())
	if err != nil {
		return err
	}
	k, signed := c.p.routines.Vec, in.typ == model.TypeInt8
	c.emitRows("average", p, func(w *worker, from, to int) {
		acc := part[int32](area, w, p.sums())
		for r := from; r < to; r++ {
			clear(acc)
			p.eachRow(r, func(at, n, step int) { k.SumRows(acc, in.data[at:], n, step, signed) })
			dst := out.data[r*p.width():][:p.width()]
			p.averages(r, func(x, n, first, taps, count int) {
				k.AverageBytes(dst[x*p.c:(x+n)*p.c], acc[first:], vec.Pixels{N: n, C: p.c, Step: p.x.stride * p.c, Tap: p.x.dilate * p.c, K: taps}, count, lo, hi)
			})
		}
	})
	return nil
}
