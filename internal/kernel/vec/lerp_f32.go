package vec

// LerpF32 mixes rows of pixels of c channels, as bilinear resizing does. With
// position x of the result between pixels lo and hi of the sources:
//
//	dst[x,i] = (1-t)*((1-u)*top[lo,i] + u*top[hi,i]) + t*((1-u)*bottom[lo,i] + u*bottom[hi,i])
type LerpF32 struct {
	r     *Routines
	xs    []lerpX
	c     int
	reach int // elements of a source row
}

// lerpX is one position.
type lerpX struct {
	lo, hi   int // elements from the row's start
	from, to float32
}

// lerpCall is what one call of a routine gets.
type lerpCall struct {
	dst, top, bottom *float32
	xs               *lerpX
	n, vectors, rest int // positions; whole vectors and further channels of a pixel
	mask             *[8]uint32
	from, to         float32
}

// NewLerpF32 makes the mixture whose position x lies between the pixels lo[x]
// and hi[x], at share u[x] from lo. Pixels have c channels and lie pix elements
// apart in the sources.
func (r *Routines) NewLerpF32(lo, hi []int, u []float32, c, pix int) *LerpF32 {
	l := &LerpF32{r: r, c: c}
	for x := range lo {
		l.xs = append(l.xs, lerpX{lo[x] * pix, hi[x] * pix, 1 - u[x], u[x]})
		l.reach = max(l.reach, max(lo[x], hi[x])*pix+c)
	}
	return l
}

// Run mixes top and bottom at share t from top. dst has no gaps.
func (l *LerpF32) Run(dst, top, bottom []float32, t float32) {
	dst, top, bottom = dst[:len(l.xs)*l.c], top[:l.reach], bottom[:l.reach]
	switch fn := l.r.lerpF32.fn; {
	case len(dst) == 0:
	case fn != nil:
		fn(l, &dst[0], &top[0], &bottom[0], t)
	default:
		l.portable(dst, top, bottom, t)
	}
}

// call is what the routine gets that takes lanes channels at a time.
func (l *LerpF32) call(lanes int, dst, top, bottom *float32, t float32) lerpCall {
	return lerpCall{dst: dst, top: top, bottom: bottom, xs: &l.xs[0], n: len(l.xs), vectors: l.c / lanes, rest: l.c % lanes, from: 1 - t, to: t}
}

func (l *LerpF32) portable(dst, top, bottom []float32, t float32) {
	for i := range l.xs {
		x := &l.xs[i]
		wa, wb, wd, we := (1-t)*x.from, (1-t)*x.to, t*x.from, t*x.to
		a, b := top[x.lo:][:l.c], top[x.hi:][:l.c]
		d, e := bottom[x.lo:][:l.c], bottom[x.hi:][:l.c]
		out := dst[i*l.c:][:l.c]
		for k := range out {
			out[k] = a[k]*wa + b[k]*wb + d[k]*wd + e[k]*we
		}
	}
}
