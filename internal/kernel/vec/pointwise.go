package vec

// PairF32 is an operation on two floats.
type PairF32 int

// The operations. Maximum and minimum give y where either is no number or both
// are zero.
const (
	AddPair        PairF32 = iota // x + y
	SubPair                       // x - y
	MulPair                       // x * y
	DivPair                       // x / y
	MaxPair                       // x > y ? x : y
	MinPair                       // x < y ? x : y
	PreluPair                     // x >= 0 ? x : x * y
	SquaredDiffers                // (x - y)^2
	pairs
)

// Pair makes the function that computes a row of results of p and clamps it:
//
//	dst[i] = clamp(p(x[i], y[i]))
//
// dst may be x or y. What is no number stays.
func (r *Routines) Pair(p PairF32) func(dst, x, y []float32, lo, hi float32) {
	l := [pairs]*floatPair{&r.addPair, &r.subPair, &r.mulPair, &r.divPair, &r.maxPair, &r.minPair, &r.preluPair, &r.squaredDiffers}[p]
	return func(dst, x, y []float32, lo, hi float32) {
		x, y = x[:len(dst)], y[:len(dst)]
		b := l.blocks(len(dst))
		if b > 0 {
			l.fn(&dst[0], &x[0], &y[0], b, lo, hi)
		}
		n := b * l.size
		pairPortable(p, dst[n:], x[n:], y[n:])
		clampPortable(dst[n:], dst[n:], lo, hi)
	}
}

// floatPair is a routine of a PairF32.
type floatPair = loop[func(dst, x, y *float32, blocks int, lo, hi float32)]

func pairPortable(p PairF32, dst, x, y []float32) {
	x, y = x[:len(dst)], y[:len(dst)]
	switch p {
	case AddPair:
		for i, v := range x {
			dst[i] = v + y[i]
		}
	case MulPair:
		for i, v := range x {
			dst[i] = v * y[i]
		}
	default:
		f := pairFuncs[p]
		for i, v := range x {
			dst[i] = f(v, y[i])
		}
	}
}

var pairFuncs = [pairs]func(x, y float32) float32{
	SubPair: func(x, y float32) float32 { return x - y },
	DivPair: func(x, y float32) float32 { return x / y },
	MaxPair: func(x, y float32) float32 {
		if x > y {
			return x
		}
		return y
	},
	MinPair: func(x, y float32) float32 {
		if x < y {
			return x
		}
		return y
	},
	PreluPair: func(x, y float32) float32 {
		if x >= 0 {
			return x
		}
		return x * y
	},
	SquaredDiffers: func(x, y float32) float32 { return (x - y) * (x - y) },
}

// ClampF32 computes dst[i] = min(max(src[i], lo), hi); what is no number stays.
func (r *Routines) ClampF32(dst, src []float32, lo, hi float32) {
	src = src[:len(dst)]
	b := r.clampF32.blocks(len(dst))
	if b > 0 {
		r.clampF32.fn(&dst[0], &src[0], b, lo, hi)
	}
	n := b * r.clampF32.size
	clampPortable(dst[n:], src[n:], lo, hi)
}

func clampPortable(dst, src []float32, lo, hi float32) {
	for i, v := range src {
		if v < lo {
			v = lo
		}
		if v > hi {
			v = hi
		}
		dst[i] = v
	}
}

// HardSwishF32 computes dst[i] = src[i] * min(6, max(0, src[i]+3)) / 6.
func (r *Routines) HardSwishF32(dst, src []float32) {
	src = src[:len(dst)]
	n := ofPair(r.hardSwishF32, dst, src)
	for i, v := range src[n:] {
		dst[n+i] = v * min(6, max(0, v+3)) / 6
	}
}

// LeakyReluF32 computes dst[i] = src[i] > 0 ? src[i] : alpha * src[i].
func (r *Routines) LeakyReluF32(dst, src []float32, alpha float32) {
	src = src[:len(dst)]
	n := byFactor(&r.leakyReluF32, dst, src, alpha)
	for i, v := range src[n:] {
		if !(v > 0) {
			v *= alpha
		}
		dst[n+i] = v
	}
}

// ScaleF32 computes dst[i] = src[i] * factor.
func (r *Routines) ScaleF32(dst, src []float32, factor float32) {
	src = src[:len(dst)]
	n := byFactor(&r.scaleF32, dst, src, factor)
	for i, v := range src[n:] {
		dst[n+i] = v * factor
	}
}

// byFactor computes whole blocks of dst and says how many elements these are.
func byFactor(l *loop[func(dst, src *float32, blocks int, factor float32)], dst, src []float32, factor float32) int {
	b := l.blocks(len(dst))
	if b > 0 {
		l.fn(&dst[0], &src[0], b, factor)
	}
	return b * l.size
}
