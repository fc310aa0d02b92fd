package fallback

import (
	"edged/internal/kernel"
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
	b := &maxBytes{pool2D: p, signed: in.typ == model.TypeInt8, clamp: a != model.ActNone, lo: lo, hi: hi}
	name := "max u8"
	if b.signed {
		name, b.least = "max i8", 0x80
	}
	c.emitRows(name, p, func(w *worker, from, to int) {
		row := part[byte](rows, w, p.x.in*p.c)
		for r := from; r < to; r++ {
			b.run(out.data[r*p.width():][:p.width()], row, in.data, r)
		}
	})
	return nil
}

// maxBytes is a max pool of 8-bit values.
type maxBytes struct {
	*pool2D
	signed, clamp bool
	least         byte
	lo, hi        int32
}

// run computes output row r: the maximum of the window's rows first, which lie
// in one piece, then that of neighbours in it.
func (b *maxBytes) run(dst, row, in []byte, r int) {
	y0, y1 := b.y.taps(r % b.y.out)
	if y0 == y1 {
		fill(dst, b.least)
	} else {
		b.across(dst, b.down(row, in, r, y0, y1))
	}
	if b.clamp {
		for i, v := range dst {
			dst[i] = byte(min(max(byteValue(v, b.signed), b.lo), b.hi))
		}
	}
}

// down gives the maximum of the rows that taps [y0, y1) of output row r see.
func (b *maxBytes) down(row, in []byte, r, y0, y1 int) []byte {
	l, y := b.in.pitch(b.y.in, b.x.in, b.c), r%b.y.out*b.y.stride-b.y.before
	at := func(ky int) []byte { return in[l.at(r/b.y.out, y+ky*b.y.dilate, 0):][:len(row)] }
	if y1-y0 == 1 {
		return at(y0)
	}
	copy(row, at(y0))
	for ky := y0 + 1; ky < y1; ky++ {
		kernel.MaxBytes(row, at(ky), b.signed)
	}
	return row
}

// across computes an output row from the maximum of its rows. Where a window
// leaves the picture, its pixel is computed tap by tap.
func (b *maxBytes) across(dst, row []byte) {
	b.x.across(func(x, n, from, taps int) {
		pixels, src := dst[x*b.c:(x+n)*b.c], row[from*b.c:]
		if taps == b.x.k {
			b.inside(pixels, src, n)
			return
		}
		fill(pixels, b.least)
		for k := range taps {
			kernel.MaxBytes(pixels, src[k*b.x.dilate*b.c:][:b.c], b.signed)
		}
	})
}

// inside computes n pixels whose windows lie inside the picture.
func (b *maxBytes) inside(dst, row []byte, n int) {
	if b.x.stride > 1 {
		kernel.MaxPixels(dst, row, n, b.c, b.x.stride*b.c, b.x.dilate*b.c, b.x.k, b.signed)
		return
	}
	copy(dst, row)
	for kx := 1; kx < b.x.k; kx++ {
		kernel.MaxBytes(dst, row[kx*b.x.dilate*b.c:][:len(dst)], b.signed)
	}
}
