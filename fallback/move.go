package fallback

import "slices"

// moveRank is the number of dimensions a move can have: TILE and the block
// operators split each dimension of a tensor in two.
const moveRank = 2 * maxRank

// move is a strided copy, which most data movement is:
//
//	for every index x within dims:
//	    dst[dst0 + sum x_i*ds_i] = src[src0 + sum x_i*ss_i]
//
// Strides count elements; a stride of 0 in ss repeats, a negative one reverses.
type move struct {
	dims, ds, ss []int
	dst0, src0   int
	elem         int // bytes of an element
}

// strides of a dense row-major tensor.
func strides(shape []int) []int {
	s := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = n
		n *= shape[i]
	}
	return s
}

// simplify drops dimensions of one and joins those that continue each other in
// both tensors, so that run copies the longest possible pieces.
func (m *move) simplify() {
	var dims, ds, ss []int
	for i, d := range m.dims {
		n := len(dims)
		switch {
		case d == 1:
		case n > 0 && ds[n-1] == d*m.ds[i] && ss[n-1] == d*m.ss[i]:
			dims[n-1], ds[n-1], ss[n-1] = dims[n-1]*d, m.ds[i], m.ss[i]
		default:
			dims, ds, ss = append(dims, d), append(ds, m.ds[i]), append(ss, m.ss[i])
		}
	}
	if n := len(dims); n == 0 || ds[n-1] != 1 || ss[n-1] != 1 {
		dims, ds, ss = append(dims, 1), append(ds, 1), append(ss, 1)
	}
	m.dims, m.ds, m.ss = dims, ds, ss
}

// units is the number of contiguous pieces, the unit of run.
func (m *move) units() int { return product(m.dims[:len(m.dims)-1]) }

// run copies the pieces [lo, hi).
func (m *move) run(dst, src []byte, lo, hi int) {
	var index [moveRank + 1]int
	outer := len(m.dims) - 1
	d, s := m.dst0, m.src0
	rest := lo
	for i := outer - 1; i >= 0; i-- {
		index[i] = rest % m.dims[i]
		rest /= m.dims[i]
		d += index[i] * m.ds[i]
		s += index[i] * m.ss[i]
	}
	n := m.dims[outer] * m.elem
	for range hi - lo {
		copyPiece(dst[d*m.elem:], src[s*m.elem:], n)
		for i := outer - 1; i >= 0; i-- {
			index[i]++
			d += m.ds[i]
			s += m.ss[i]
			if index[i] < m.dims[i] {
				break
			}
			d -= index[i] * m.ds[i]
			s -= index[i] * m.ss[i]
			index[i] = 0
		}
	}
}

// copyPiece spares the call for single elements, which transposes consist of.
func copyPiece(dst, src []byte, n int) {
	switch n {
	case 1:
		dst[0] = src[0]
	case 4:
		*(*[4]byte)(dst) = *(*[4]byte)(src)
	default:
		copy(dst[:n], src[:n])
	}
}

// emitMove adds the step that carries m out, from src to dst.
func (c *opContext) emitMove(dst, src *tensor, m move) {
	c.emitMoves(dst, []*tensor{src}, []move{m})
}

// emitMoves adds one step for several moves into one tensor. src[i] is the
// source of moves[i].
func (c *opContext) emitMoves(dst *tensor, src []*tensor, moves []move) *step {
	l := newMoveList(dst, src, moves)
	return c.emitTo("copy", l.units, l.work, src, []*tensor{dst}, l.run)
}

// moveList is several moves into one tensor.
type moveList struct {
	dst         *tensor
	from        []*tensor
	list        []move
	ends        []int // units up to and with each move
	units, work int
}

func newMoveList(dst *tensor, src []*tensor, moves []move) *moveList {
	l := &moveList{dst: dst}
	for i, m := range moves {
		n := product(m.dims)
		if n == 0 {
			continue
		}
		m.elem = dst.elem()
		m.simplify()
		l.units += m.units()
		l.work += n
		l.from, l.list, l.ends = append(l.from, src[i]), append(l.list, m), append(l.ends, l.units)
	}
	return l
}

// run moves the pieces [lo, hi).
func (l *moveList) run(_ *worker, lo, hi int) {
	i, _ := slices.BinarySearch(l.ends, lo+1)
	for ; lo < hi; i++ {
		start := l.ends[i] - l.list[i].units()
		to := min(hi, l.ends[i])
		l.list[i].run(l.dst.data, l.from[i].data, lo-start, to-start)
		lo = to
	}
}
