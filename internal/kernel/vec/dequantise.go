package vec

// Dequantise turns 8-bit values into the reals that they stand for:
//
//	dst[i] = scale * (int8(src[i]) - zero)        // signed
//	dst[i] = scale * (src[i] - zero)              // otherwise
//
// The product is rounded once. dst and src have the same length, zero is a value
// of the type.
func Dequantise(dst []float32, src []byte, scale float32, zero int32, signed bool) {
	dst = dst[:len(src)]
	n := dequantise(dst, src, scale, zero, signed)
	dst, src = dst[n:], src[n:]
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
