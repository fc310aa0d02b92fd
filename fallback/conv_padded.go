package fallback

import "edged/internal/kernel/vec"

// padded is an NHWC tensor with its padding: what a sliding operator reads.
type padded struct {
	n, h, w, c               int
	top, bottom, left, right int // negative: cropped
}

func (f padded) hp() int { return f.h + f.top + f.bottom }
func (f padded) wp() int { return f.w + f.left + f.right }

// plain says that there is no border.
func (f padded) plain() bool { return f.top == 0 && f.bottom == 0 && f.left == 0 && f.right == 0 }

// rows is the number of rows, the unit of work.
func (f padded) rows() int { return f.n * f.hp() }

// elems is the size with the border.
func (f padded) elems() int { return f.rows() * f.wp() * f.c }

// row finds what row r of the bordered tensor holds: n elements of src from
// element from on, behind left elements of border; n is 0 for border alone.
func (f padded) row(r int) (from, left, n int) {
	image, y := r/f.hp(), r%f.hp()-f.top
	if y < 0 || y >= f.h {
		return 0, 0, 0
	}
	x0, x1 := max(0, -f.left), min(f.w, f.w+f.right)
	if x0 >= x1 {
		return 0, 0, 0
	}
	return ((image*f.h+y)*f.w + x0) * f.c, max(0, f.left) * f.c, (x1 - x0) * f.c
}

// pad copies rows [lo, hi) of what lies in src as l says, with a border of value.
func pad[T any](f padded, l pitch, dst, src []T, value T, lo, hi int) {
	width := f.wp() * f.c
	for r := lo; r < hi; r++ {
		d := dst[r*width:][:width]
		from, left, n := f.row(r)
		fill(d[:left], value)
		if from /= f.c; n > 0 {
			copyPixels(d[left:][:n], src[l.at(from/(f.w*f.h), from/f.w%f.h, from%f.w):], f.c, l.pix)
		}
		fill(d[left+n:], value)
	}
}

// copyPixels fills dst with pixels of c elements that lie pix apart in src.
func copyPixels[T any](dst, src []T, c, pix int) {
	if pix == c {
		copy(dst, src)
		return
	}
	for x := 0; x < len(dst)/c; x++ {
		copy(dst[x*c:][:c], src[x*pix:])
	}
}

// fill doubles what is done: copies are many times as fast as a loop.
func fill[T any](dst []T, v T) {
	if len(dst) == 0 {
		return
	}
	dst[0] = v
	for n := 1; n < len(dst); n *= 2 {
		copy(dst[n:], dst[:n])
	}
}

// widen copies rows [lo, hi) of an 8-bit tensor to int16, its zero point taken
// off, with a border of zeros.
func (f padded) widen(k *vec.Routines, dst []int16, src []byte, zero int32, signed bool, lo, hi int) {
	width := f.wp() * f.c
	for r := lo; r < hi; r++ {
		d := dst[r*width:][:width]
		from, left, n := f.row(r)
		clear(d[:left])
		k.Widen(d[left:left+n], src[from:from+n], int16(zero), signed)
		clear(d[left+n:])
	}
}
