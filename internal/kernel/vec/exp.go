package vec

import "math"

// The exponential function in float32, the same operations in the same order in
// every variant, so the same bits: no product is fused with a sum.
//
// x is n*ln2 + r with a whole n and |r| <= ln2/2. Adding expMagic rounds to n and
// leaves it in the lowest bits. ln2 has two parts, of which the first has so few
// bits that n times it is exact. e^r is 1 + r + r^2*q(r), where q, minimax, leaves
// 3e-9. The power of two is multiplied in two halves: at both ends of float32's
// range 2^n alone has no representation.
const (
	expLog2e = 1.44269504
	expMagic = 3 << 22
	expLn2Hi = 0.693145751953125
	expLn2Lo = 1.42860677e-6
	expQ2    = 0.49999994
	expQ3    = 0.1666652
	expQ4    = 0.041668404
	expQ5    = 0.008368899
	expQ6    = 0.0013814222
	expLo    = -104 // below, the result is 0,
	expHi    = 89   // above, infinite
	eluLo    = -87  // below, e^x-1 is -1

	// tanh(x) is x + x^3*p(x^2) below tanhCut, where 4.7e-9 is left, and
	// 1 - 2/(e^2x+1) above.
	tanhCut = 0.625
	tanhP0  = -0.33333278
	tanhP1  = 0.13331328
	tanhP2  = -0.05372923
	tanhP3  = 0.020602008
	tanhP4  = -0.005660789
)

// expConstants are these, each in all lanes, in the order in which exp_amd64.s
// numbers them.
type expConstants [20][8]float32

var expTable = func() (t expConstants) {
	for i, v := range [...]float32{expLog2e, expMagic, expLn2Hi, expLn2Lo, expLo, expHi, 1, expQ6, expQ5, expQ4, expQ3, expQ2,
		float32(math.Copysign(0, -1)), tanhCut, tanhP4, tanhP3, tanhP2, tanhP1, tanhP0, eluLo} {
		for lane := range t[i] {
			t[i][lane] = v
		}
	}
	return t
}()

// expReduced gives n, from which the power of two comes, and e^r-1 for x in range.
func expReduced(x float32) (n int32, rest float32) {
	z := float32(x*expLog2e) + expMagic
	k := z - expMagic
	r := x - float32(k*expLn2Hi)
	r -= float32(k * expLn2Lo)
	q := float32(r*expQ6) + expQ5
	q = float32(q*r) + expQ4
	q = float32(q*r) + expQ3
	q = float32(q*r) + expQ2
	return int32(math.Float32bits(z) - math.Float32bits(expMagic)), float32(float32(r*r)*q) + r
}

// power is 2^n.
func power(n int32) float32 { return math.Float32frombits(uint32(n+127) << 23) }

func exp32(x float32) float32 {
	if x < expLo {
		x = expLo
	}
	if x > expHi {
		x = expHi
	}
	n, rest := expReduced(x)
	half := n >> 1
	return float32((rest+1)*power(n-half)) * power(half)
}

// ExpF32 computes dst[i] = e^((src[i]-minus)*times) and returns the sum.
func (r *Routines) ExpF32(dst, src []float32, minus, times float32) float32 {
	src = src[:len(dst)]
	var s [8]float32
	b := r.expF32.blocks(len(dst))
	if b > 0 {
		s = r.expF32.fn(&dst[0], &src[0], b, minus, times)
	}
	n := b * r.expF32.size
	for i, v := range src[n:] {
		dst[n+i] = exp32(float32((v - minus) * times))
		s[i&7] += dst[n+i]
	}
	return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}

// TopF32 is the greatest of v, -Inf of nothing; numbers that are none do not
// count.
func (r *Routines) TopF32(v []float32) float32 {
	top := float32(math.Inf(-1))
	if b := r.topF32.blocks(len(v)); b > 0 {
		tops := r.topF32.fn(&v[0], b)
		top, v = highest(top, tops[:]), v[b*r.topF32.size:]
	}
	return highest(top, v)
}

// highest is the greatest of top and v.
func highest(top float32, v []float32) float32 {
	for _, x := range v {
		if x > top {
			top = x
		}
	}
	return top
}

// byConstants computes whole blocks of dst and says how many elements these are.
func byConstants(l *loop[func(dst, src *float32, blocks int, table *expConstants)], dst, src []float32) int {
	b := l.blocks(len(dst))
	if b > 0 {
		l.fn(&dst[0], &src[0], b, &expTable)
	}
	return b * l.size
}

// LogisticF32 computes dst[i] = 1 / (1 + e^-src[i]).
func (r *Routines) LogisticF32(dst, src []float32) {
	src = src[:len(dst)]
	n := byConstants(&r.logisticF32, dst, src)
	for i, v := range src[n:] {
		dst[n+i] = 1 / (1 + exp32(-v))
	}
}

// TanhF32 computes dst[i] = tanh(src[i]).
func (r *Routines) TanhF32(dst, src []float32) {
	src = src[:len(dst)]
	n := byConstants(&r.tanhF32, dst, src)
	for i, v := range src[n:] {
		dst[n+i] = tanh32(v)
	}
}

func tanh32(x float32) float32 {
	a := math.Float32frombits(math.Float32bits(x) &^ (1 << 31))
	t := 1 - 2/(exp32(a+a)+1)
	if a < tanhCut {
		z := float32(a * a)
		p := float32(z*tanhP4) + tanhP3
		p = float32(p*z) + tanhP2
		p = float32(p*z) + tanhP1
		p = float32(p*z) + tanhP0
		t = float32(float32(a*z)*p) + a
	}
	return math.Float32frombits(math.Float32bits(t) | math.Float32bits(x)&(1<<31))
}

// EluF32 computes dst[i] = src[i] < 0 ? e^src[i] - 1 : src[i].
func (r *Routines) EluF32(dst, src []float32) {
	src = src[:len(dst)]
	n := byConstants(&r.eluF32, dst, src)
	for i, v := range src[n:] {
		if v < 0 {
			k, rest := expReduced(max(v, eluLo))
			p := power(k)
			v = float32(rest*p) + (p - 1)
		}
		dst[n+i] = v
	}
}
