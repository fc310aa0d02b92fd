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
