package kernel

// SumBytes adds 8-bit values to sums:
//
//	acc[i] += int32(int8(src[i]))    // signed
//	acc[i] += int32(src[i])          // otherwise
//
// src has at least the length of acc.
func SumBytes(acc []int32, src []byte, signed bool) {
	src = src[:len(acc)]
	n := sumBytes(acc, src, signed)
	sumBytesGeneric(acc[n:], src[n:], signed)
}

func sumBytesGeneric(acc []int32, src []byte, signed bool) {
	src = src[:len(acc)]
	if signed {
		for i, v := range src {
			acc[i] += int32(int8(v))
		}
		return
	}
	for i, v := range src {
		acc[i] += int32(v)
	}
}
