package vec

import "unsafe"

// MaxPixels computes n pixels of c bytes, each the maximum of k pixels of src:
//
//	dst[i*c+j] = max over t in 0..k of src[i*step+t*tap+j]
//
// The bytes are int8 where signed.
func (r *Routines) MaxPixels(dst, src []byte, n, c, step, tap, k int, signed bool) {
	_ = dst[:n*c]
	_ = src[:max(0, (n-1)*step+(k-1)*tap+c)]
	l := bySign(signed, &r.maxPixelsI8, &r.maxPixelsU8)
	done := Pixels{N: n, C: c, Step: step, Tap: tap, K: k}.within(l.size, len(dst), len(src))
	if done > 0 {
		l.fn(&dst[0], &src[0], done, c, step, tap, k)
	}
	for i := done; i < n; i++ {
		out := dst[i*c:][:c]
		copy(out, src[i*step:])
		for t := 1; t < k; t++ {
			r.MaxBytes(out, src[i*step+t*tap:][:c], signed)
		}
	}
}

// MaxPixelsF32 is the same for floats, none of which may be no number.
func (r *Routines) MaxPixelsF32(dst, src []float32, n, c, step, tap, k int) {
	_ = dst[:n*c]
	_ = src[:max(0, (n-1)*step+(k-1)*tap+c)]
	done := Pixels{N: n, C: c, Step: step, Tap: tap, K: k}.within(r.maxPixelsF32.size, len(dst), len(src))
	if done > 0 {
		r.maxPixelsF32.fn(&dst[0], &src[0], done, 4*c, 4*step, 4*tap, k)
	}
	for i := done; i < n; i++ {
		out := dst[i*c:][:c]
		copy(out, src[i*step:])
		for t := 1; t < k; t++ {
			r.MaxF32(out, src[i*step+t*tap:][:c])
		}
	}
}

// MaxBytes is MaxI8 or MaxU8.
func (r *Routines) MaxBytes(dst, src []byte, signed bool) {
	if !signed {
		r.MaxU8(dst, src)
		return
	}
	r.MaxI8(asI8(dst), asI8(src))
}

func asI8(b []byte) []int8 {
	return unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(b))), len(b))
}
