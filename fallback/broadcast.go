package fallback

// broadcast walks two operands over the shape they broadcast to, row by row.
type broadcast struct {
	shape  []int // of the result
	dims   []int // simplified; the last is the row
	sa, sb []int // elements; 0 where the operand repeats
}

// broadcastShape is numpy's rule; nil where the shapes do not agree.
func broadcastShape(a, b []int) []int {
	n := max(len(a), len(b))
	shape := make([]int, n)
	for i := range n {
		x, y := dimFromEnd(a, n-1-i), dimFromEnd(b, n-1-i)
		switch {
		case x == y || y == 1:
			shape[i] = x
		case x == 1:
			shape[i] = y
		default:
			return nil
		}
	}
	return shape
}

// dimFromEnd is dimension i counted from the last, 1 where there is none.
func dimFromEnd(s []int, i int) int {
	if i >= len(s) {
		return 1
	}
	return s[len(s)-1-i]
}

// broadcastStrides are the strides of an operand of shape s over shape.
func broadcastStrides(s, shape []int) []int {
	own := strides(s)
	r := make([]int, len(shape))
	for i := range s {
		if s[len(s)-1-i] != 1 {
			r[len(shape)-1-i] = own[len(s)-1-i]
		}
	}
	return r
}

// newBroadcast joins the dimensions over which both operands go on evenly.
func newBroadcast(a, b []int) *broadcast {
	shape := broadcastShape(a, b)
	if shape == nil {
		return nil
	}
	bc := &broadcast{shape: shape}
	sa, sb := broadcastStrides(a, shape), broadcastStrides(b, shape)
	for i, d := range shape {
		n := len(bc.dims)
		switch {
		case d == 1:
		case n > 0 && bc.sa[n-1] == d*sa[i] && bc.sb[n-1] == d*sb[i]:
			bc.dims[n-1], bc.sa[n-1], bc.sb[n-1] = bc.dims[n-1]*d, sa[i], sb[i]
		default:
			bc.dims, bc.sa, bc.sb = append(bc.dims, d), append(bc.sa, sa[i]), append(bc.sb, sb[i])
		}
	}
	if len(bc.dims) == 0 {
		bc.dims, bc.sa, bc.sb = []int{1}, []int{0}, []int{0}
	}
	return bc
}

// pieceSize bounds a unit of work, so that one long row is shared out too.
const pieceSize = 4096

// pieces is how many units a row is cut into.
func (b *broadcast) pieces() int { return (b.row() + pieceSize - 1) / pieceSize }

func (b *broadcast) row() int   { return b.dims[len(b.dims)-1] }
func (b *broadcast) units() int { return product(b.dims[:len(b.dims)-1]) * b.pieces() }

// tileSize is the number of elements that a short operand is repeated to.
const tileSize = 1024

// period says that one operand, the first or the second, is a short row or one
// element that repeats, all over the other one.
func (b *broadcast) period() (first bool, n int) {
	row := b.row()
	switch last := len(b.dims) - 1; {
	case row == 0 || last > 1 || last == 1 && (row >= tileSize || max(b.sa[0], b.sb[0]) != row):
	case last == 0 && b.sb[0] == 0 && b.sa[0] == 1:
		return false, 1
	case last == 0 && b.sa[0] == 0 && b.sb[0] == 1:
		return true, 1
	case last == 1 && min(b.sa[1], b.sb[1]) == 1 && b.sb[0] == 0:
		return false, row
	case last == 1 && min(b.sa[1], b.sb[1]) == 1 && b.sa[0] == 0:
		return true, row
	}
	return false, 0
}

// splat is the number of elements that one which stands still in a row is
// repeated to; only a row of one holds two of them.
func (b *broadcast) splat() int {
	if last := len(b.dims) - 1; min(b.sa[last], b.sb[last]) == 0 {
		return min(pieceSize, b.row())
	}
	return 0
}

// emitPairs emits the step of an operator on two operands of which rows computes
// rows of equal length: an operand that repeats is written out for it.
func emitPairs[T number](c *opContext, bc *broadcast, by routine, work int, of func(*tensor) []T, rows func(dst, a, b []T)) error {
	a, b, out := c.in[0], c.in[1], c.out[0]
	first, period := bc.period()
	if period > 0 {
		return emitTiled(c, &tiled[T]{first: first, period: period, n: out.elems(), of: of, rows: rows}, by, work)
	}
	size := bc.splat()
	splat, err := c.private(size * out.elem())
	c.emit(by, bc.units(), work, c.in, func(w *worker, from, to int) {
		dst, x, y, room := of(out), of(a), of(b), part[T](splat, w, size)
		bc.each(from, to, func(d, i, j, n, si, sj int) {
			u, v := x[i:], y[j:]
			if si == 0 && n > 1 {
				u = room[:n]
				fill(u, x[i])
			}
			if sj == 0 && n > 1 {
				v = room[:n]
				fill(v, y[j])
			}
			rows(dst[d:d+n], u[:n], v[:n])
		})
	})
	return err
}

// tiled is an operator on two operands, the first or the second of which repeats
// with a short period.
type tiled[T number] struct {
	first     bool
	period, n int
	of        func(*tensor) []T
	rows      func(dst, a, b []T)
}

// tile is the number of elements of a unit of work: whole periods, or less than
// one tile where there is less.
func (t *tiled[T]) tile() int { return min(max(1, t.n), max(1, tileSize/t.period)*t.period) }

func emitTiled[T number](c *opContext, t *tiled[T], by routine, work int) error {
	long, short, out := c.in[0], c.in[1], c.out[0]
	if t.first {
		long, short = short, long
	}
	area, err := c.private(t.tile() * out.elem())
	c.emit(by, (t.n+t.tile()-1)/t.tile(), work, c.in, func(w *worker, from, to int) {
		tile := part[T](area, w, t.tile())
		for n := copy(tile, t.of(short)[:t.period]); n < len(tile); {
			n += copy(tile[n:], tile[:n])
		}
		for at := from * len(tile); at < min(t.n, to*len(tile)); at += len(tile) {
			n := min(len(tile), t.n-at)
			dst, x, y := t.of(out)[at:at+n], t.of(long)[at:at+n], tile[:n]
			if t.first {
				x, y = y, x
			}
			t.rows(dst, x, y)
		}
	})
	return err
}

// each calls f for units [lo, hi): n results from d on, operands from a and b
// on with steps of 0 or 1 element.
func (b *broadcast) each(lo, hi int, f func(d, x, y, n, sx, sy int)) {
	last := len(b.dims) - 1
	for u := lo; u < hi; u++ {
		row, start := u/b.pieces(), u%b.pieces()*pieceSize
		x, y := start*b.sa[last], start*b.sb[last]
		rest := row
		for i := last - 1; i >= 0; i-- {
			x += rest % b.dims[i] * b.sa[i]
			y += rest % b.dims[i] * b.sb[i]
			rest /= b.dims[i]
		}
		f(row*b.row()+start, x, y, min(pieceSize, b.row()-start), b.sa[last], b.sb[last])
	}
}
