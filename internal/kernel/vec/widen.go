package vec

// Widen takes the zero point off 8-bit values:
//
//	dst[i] = int16(int8(src[i])) - zero        // signed
//	dst[i] = int16(src[i]) - zero              // otherwise
//
// dst and src have the same length.
func (r *Routines) Widen(dst []int16, src []byte, zero int16, signed bool) {
	l := bySign(signed, &r.widenI8, &r.widenU8)
	b := l.blocks(len(src))
	n := b * l.size
	if b > 0 {
		_ = dst[n-1]
		l.fn(&dst[0], &src[0], b, zero)
	}
	widenGeneric(dst[n:], src[n:], zero, signed)
}

func widenGeneric(dst []int16, src []byte, zero int16, signed bool) {
	dst = dst[:len(src)]
	if signed {
		for i, b := range src {
			dst[i] = int16(int8(b)) - zero
		}
		return
	}
	for i, b := range src {
		dst[i] = int16(b) - zero
	}
}
