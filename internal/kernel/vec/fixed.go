package vec

import "math"

// DoublingHighMul is (2*a*b) / 2^32, rounded half up, saturated: the first
// rounding of TFLite's fixed-point multiplication.
func DoublingHighMul(a, b int32) int32 {
	if a == math.MinInt32 && b == math.MinInt32 {
		return math.MaxInt32
	}
	return int32((int64(a)*int64(b) + 1<<30) >> 31)
}

// DivideByPOT is x / 2^exponent rounded half away from zero.
func DivideByPOT(x int32, exponent int32) int32 {
	mask := int32(1)<<exponent - 1
	threshold := mask >> 1
	if x < 0 {
		threshold++
	}
	q := x >> exponent
	if x&mask > threshold {
		q++
	}
	return q
}

// divideByPOTHalfUp is x / 2^exponent rounded half up.
func divideByPOTHalfUp(x int32, exponent int32) int32 {
	mask := int32(1)<<exponent - 1
	q := x >> exponent
	if x&mask > mask>>1 {
		q++
	}
	return q
}

// MulByQuantized is x * multiplier / 2^31 * 2^shift as TFLite computes it: two
// roundings, the second half away from zero.
func MulByQuantized(x, multiplier, shift int32) int32 {
	if shift > 0 {
		return DoublingHighMul(x<<shift, multiplier)
	}
	return DivideByPOT(DoublingHighMul(x, multiplier), -shift)
}

// MulByQuantizedHalfUp is MulByQuantized with the second rounding half up, as
// TFLite's matrix multiplication on x86 does it.
func MulByQuantizedHalfUp(x, multiplier, shift int32) int32 {
	if shift > 0 {
		return DoublingHighMul(x<<shift, multiplier)
	}
	return divideByPOTHalfUp(DoublingHighMul(x, multiplier), -shift)
}

// QuantizeMultiplier writes a real factor as multiplier * 2^(shift-31) with the
// multiplier in [2^30, 2^31), or 0.
func QuantizeMultiplier(factor float64) (multiplier, shift int32) {
	if factor == 0 || math.IsNaN(factor) || math.IsInf(factor, 0) {
		return 0, 0
	}
	frac, exp := math.Frexp(factor)
	q := int64(math.Round(frac * (1 << 31)))
	if q == 1<<31 {
		q /= 2
		exp++
	}
	if exp < -31 {
		return 0, 0
	}
	if exp > 30 {
		return math.MaxInt32, 30
	}
	return int32(q), int32(exp)
}
