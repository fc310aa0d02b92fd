package fallback

import (
	"math"

	"edged/model"
)

// planMaxBytes plans MAX_POOL_2D of 8-bit values.
func (c *opContext) planMaxBytes(p *pool2D, a model.Activation) error {
	in, out := c.in[0], c.out[0]
	lo, hi, err := c.activationQuant(a, out)
	if err != nil {
		return err
	}
	rows, err := c.private(p.x.in * p.c)
	if err != nil {
		return err
	}
	signed, by, least := in.typ == model.TypeInt8, routine("max u8"), byte(0)
	if signed {
		by, least = "max i8", 0x80
	}
	k := c.p.routines.Vec
	b := &maxPool[byte]{pool2D: p, least: least,
		raise:  func(dst, src []byte) { k.MaxBytes(dst, src, signed) },
		pixels: func(dst, src []byte, n, c, step, tap, taps int) { k.MaxPixels(dst, src, n, c, step, tap, taps, signed) }}
	c.emitRows(by, p, func(w *worker, from, to int) {
		row := part[byte](rows, w, p.x.in*p.c)
		for r := from; r < to; r++ {
			dst := out.data[r*p.width():][:p.width()]
			b.run(dst, row, in.data, r)
			if a != model.ActNone {
				clampBytes(dst, signed, lo, hi)
			}
		}
	})
	return nil
}

func clampBytes(v []byte, signed bool, lo, hi int32) {
	for i, x := range v {
		v[i] = byte(min(max(byteValue(x, signed), lo), hi))
	}
}

// planMaxF32 plans MAX_POOL_2D of floats.
func (c *opContext) planMaxF32(p *pool2D, a model.Activation, clamp bool) error {
	in, out := c.in[0], c.out[0]
	lo, hi, err := c.activationF32(a)
	if err != nil {
		return err
	}
	rows, err := c.private(4 * p.x.in * p.c)
	if err != nil {
		return err
	}
	k := c.p.routines.Vec
	m := &maxPool[float32]{pool2D: p, least: -math.MaxFloat32, floats: true, raise: k.MaxF32, pixels: k.MaxPixelsF32}
	c.emitRows("max f32", p, func(w *worker, from, to int) {
		row := part[float32](rows, w, p.x.in*p.c)
		for r := from; r < to; r++ {
			dst := out.f32()[r*p.width():][:p.width()]
			m.run(dst, row, in.f32(), r)
			if clamp {
				k.ClampF32(dst, dst, lo, hi)
			}
		}
	})
	return nil
}

// maxPool is a max pool of bytes or floats. Where only padding is seen, the result
// is the least value; floats that are no numbers are passed over.
type maxPool[T byte | float32] struct {
	*pool2D
	least  T
	floats bool
	raise  func(dst, src []T)
	pixels func(dst, src []T, n, c, step, tap, k int)
}

// run computes output row r: the maximum of the window's rows first, which lie
// in one piece, then that of neighbours in it.
func (b *maxPool[T]) run(dst, row, in []T, r int) {
	y0, y1 := b.y.taps(r % b.y.out)
	if y0 == y1 {
		fill(dst, b.least)
	} else {
		b.across(dst, b.down(row, in, r, y0, y1))
	}
}

// down gives the maximum of the rows that taps [y0, y1) of output row r see.
func (b *maxPool[T]) down(row, in []T, r, y0, y1 int) []T {
	l, y := b.in.pitch(b.y.in, b.x.in, b.c), r%b.y.out*b.y.stride-b.y.before
	at := func(ky int) []T { return in[l.at(r/b.y.out, y+ky*b.y.dilate, 0):][:len(row)] }
	if b.floats { // the first row may hold what is no number
		fill(row, b.least)
		b.raise(row, at(y0))
	} else if y1-y0 == 1 {
		return at(y0)
	} else {
		copy(row, at(y0))
	}
	for ky := y0 + 1; ky < y1; ky++ {
		b.raise(row, at(ky))
	}
	return row
}

// across computes an output row from the maximum of its rows. Where a window
// leaves the picture, its pixel is computed tap by tap.
func (b *maxPool[T]) across(dst, row []T) {
	b.x.across(func(x, n, from, taps int) {
		pixels, src := dst[x*b.c:(x+n)*b.c], row[from*b.c:]
		if taps == b.x.k {
			b.inside(pixels, src, n)
			return
		}
		fill(pixels, b.least)
		for k := range taps {
			b.raise(pixels, src[k*b.x.dilate*b.c:][:b.c])
		}
	})
}

// inside computes n pixels whose windows lie inside the picture.
func (b *maxPool[T]) inside(dst, row []T, n int) {
	if b.x.stride > 1 {
		b.pixels(dst, row, n, b.c, b.x.stride*b.c, b.x.dilate*b.c, b.x.k)
		return
	}
	copy(dst, row)
	for kx := 1; kx < b.x.k; kx++ {
		b.raise(dst, row[kx*b.x.dilate*b.c:][:len(dst)])
	}
}
