package vec

import "unsafe"

// MaxPixels computes n pixels of c bytes, each the maximum of k pixels of src:
//
//	dst[i*c+j] = max over t in 0..k of src[i*step+t*tap+j]
//
// The bytes are int8 where signed.
func MaxPixels(dst, src []byte, n, c, step, tap, k int, signed bool) {
	_ = dst[:n*c]
	_ = src[:max(0, (n-1)*step+(k-1)*tap+c)]
	for i := maxPixels(dst, src, n, c, step, tap, k, signed); i < n; i++ {
		out := dst[i*c:][:c]
		copy(out, src[i*step:])
		for t := 1; t < k; t++ {
			MaxBytes(out, src[i*step+t*tap:][:c], signed)
		}
	}
}

// MaxPixelsF32 is the same for floats, none of which may be no number.
func MaxPixelsF32(dst, src []float32, n, c, step, tap, k int) {
	_ = dst[:n*c]
	_ = src[:max(0, (n-1)*step+(k-1)*tap+c)]
	for i := maxPixelsF32(dst, src, n, c, step, tap, k); i < n; i++ {
		out := dst[i*c:][:c]
		copy(out, src[i*step:])
		for t := 1; t < k; t++ {
			MaxF32(out, src[i*step+t*tap:][:c])
		}
	}
}

// MaxBytes is MaxI8 or MaxU8.
func MaxBytes(dst, src []byte, signed bool) {
	if !signed {
		MaxU8(dst, src)
		return
	}
	MaxI8(asI8(dst), asI8(src))
}

func asI8(b []byte) []int8 {
	return unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(b))), len(b))
}
