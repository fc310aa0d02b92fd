package vec

// Dequantise turns 8-bit values into the reals that they stand for:
//
//	dst[i] = scale * (int8(src[i]) - zero)        // signed
//	dst[i] = scale * (src[i] - zero)              // otherwise
//
// The product is rounded once. dst and src have the same length, zero is a value
// of the type.
func (r *Routines) Dequantise(dst []float32, src []byte, scale float32, zero int32, signed bool) {
	dst = dst[:len(src)]
	l := bySign(signed, &r.dequantiseI8, &r.dequantiseU8)
	if b := l.blocks(len(src)); b > 0 {
		l.fn(&dst[0], &src[0], b, scale, zero)
		dst, src = dst[b*l.size:], src[b*l.size:]
	}
	if signed {
		for i, v := range src {
			dst[i] = scale * float32(int32(int8(v))-zero)
		}
		return
	}
	for i, v := range src {
		dst[i] = scale * float32(int32(v)-zero)
	}
}
