package vec

import "math"

// Quantise turns reals into 8-bit values as TFLite does: it divides in float64,
// rounds half away from zero and adds the zero point in float32. lo and hi, the
// bounds of the type, decide between int8 and uint8; NaN gives lo.
func (r *Routines) Quantise(dst []byte, src []float32, scale float32, zero, lo, hi int32) {
	b := r.quantise.blocks(len(src))
	n := b * r.quantise.size
	if b > 0 {
		_ = dst[n-1]
		r.quantise.fn(&dst[0], &src[0], b, float64(scale), float32(zero), float32(lo), float32(hi))
	}
	quantiseGeneric(dst[n:], src[n:], scale, zero, lo, hi)
}

func quantiseGeneric(dst []byte, src []float32, scale float32, zero, lo, hi int32) {
	dst = dst[:len(src)]
	for i, v := range src {
		x := float32(math.Round(float64(v)/float64(scale))) + float32(zero)
		switch {
		case x >= float32(hi):
			dst[i] = byte(hi)
		case x > float32(lo):
			dst[i] = byte(int32(x))
		default: // NaN too
			dst[i] = byte(lo)
		}
	}
}
