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

// Run computes a row of results and clamps it:
//
//	dst[i] = clamp(p(x[i], y[i]))
//
// dst may be x or y. What is no number stays.
func (p PairF32) Run(dst, x, y []float32, lo, hi float32) {
	x, y = x[:len(dst)], y[:len(dst)]
	n := pairF32(p, dst, x, y, lo, hi)
	pairPortable(p, dst[n:], x[n:], y[n:])
	clampPortable(dst[n:], dst[n:], lo, hi)
}

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
func ClampF32(dst, src []float32, lo, hi float32) {
	src = src[:len(dst)]
	n := clampRowF32(dst, src, lo, hi)
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
func HardSwishF32(dst, src []float32) {
	src = src[:len(dst)]
	n := hardSwishF32(dst, src)
	for i, v := range src[n:] {
		dst[n+i] = v * min(6, max(0, v+3)) / 6
	}
}

// LeakyReluF32 computes dst[i] = src[i] > 0 ? src[i] : alpha * src[i].
func LeakyReluF32(dst, src []float32, alpha float32) {
	src = src[:len(dst)]
	n := leakyReluF32(dst, src, alpha)
	for i, v := range src[n:] {
		if !(v > 0) {
			v *= alpha
		}
		dst[n+i] = v
	}
}

// ScaleF32 computes dst[i] = src[i] * factor.
func ScaleF32(dst, src []float32, factor float32) {
	src = src[:len(dst)]
	n := scaleF32(dst, src, factor)
	for i, v := range src[n:] {
		dst[n+i] = v * factor
	}
}
