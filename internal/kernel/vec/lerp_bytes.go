package vec

import "edged/internal/kernel/cpu"

// LerpI8 mixes rows of pixels of c channels as TFLite resizes int8: shares in
// 1024ths, rounded half away from zero at the end. With position x of the result
// between pixels lo and hi of the sources, and v(row) = (1024-u)*row[lo,i] + u*row[hi,i]:
//
//	dst[x,i] = ((1024-t)*v(top) + t*v(bottom)) / 2^20
type LerpI8 struct {
	r     *Routines
	xs    []lerpI8X
	c     int
	reach int // elements of a source row
}

// lerpI8X is one position.
type lerpI8X struct {
	lo, hi int   // elements from the row's start
	shares int32 // 1024-u in the low word, u in the high one
	u      int32
}

// lerpI8Shift is the number of fractional bits of the mixture.
const lerpI8Shift = 20

// NewLerpI8 makes the mixture whose position x lies between the pixels lo[x] and
// hi[x], at share u[x] of 1024 from lo.
func (r *Routines) NewLerpI8(lo, hi, u []int, c int) *LerpI8 {
	l := &LerpI8{r: r, c: c}
	for x := range lo {
		l.xs = append(l.xs, lerpI8X{lo[x] * c, hi[x] * c, int32(u[x]<<16 | (1024-u[x])&0xFFFF), int32(u[x])})
		l.reach = max(l.reach, max(lo[x], hi[x])*c+c)
	}
	return l
}

// Run mixes top and bottom at share t of 1024 from top.
func (l *LerpI8) Run(dst, top, bottom []byte, t int) {
	dst, top, bottom = dst[:len(l.xs)*l.c], top[:l.reach], bottom[:l.reach]
	l.portable(dst, top, bottom, int32(t), l.first(dst, top, bottom, int32(t)))
}

// first computes the first positions by the machine's routine and says how many:
// it takes pieces of channels, past a pixel's end, in the result into those that
// come later.
func (l *LerpI8) first(dst, top, bottom []byte, t int32) int {
	piece, n := l.r.lerpI8.size, len(l.xs)
	if piece == 0 {
		return 0
	}
	wide := cpu.RoundUp(l.c, piece)
	for n > 0 && (n-1)*l.c+wide > len(dst) {
		n--
	}
	for i := range n {
		if x := &l.xs[i]; max(x.lo, x.hi)+wide > len(top) {
			n = i
			break
		}
	}
	if n > 0 {
		l.r.lerpI8.fn(&dst[0], &top[0], &bottom[0], &l.xs[0], n, l.c, t)
	}
	return n
}

// portable computes the positions from the given one on.
func (l *LerpI8) portable(dst, top, bottom []byte, t int32, from int) {
	for i := from; i < len(l.xs); i++ {
		x := &l.xs[i]
		a, b := top[x.lo:][:l.c], top[x.hi:][:l.c]
		d, e := bottom[x.lo:][:l.c], bottom[x.hi:][:l.c]
		out := dst[i*l.c:][:l.c]
		for k := range out {
			above := (1024-x.u)*int32(int8(a[k])) + x.u*int32(int8(b[k]))
			below := (1024-x.u)*int32(int8(d[k])) + x.u*int32(int8(e[k]))
			out[k] = byte(DivideByPOT((1024-t)*above+t*below, lerpI8Shift))
		}
	}
}
