// Package vec holds loops over slices: element by element arithmetic, tables,
// sums, averages, interpolation, and the fixed-point arithmetic of quantised
// tensors.
package vec

// MaxF32 raises dst to src where src is greater:
//
//	dst[i] = max(dst[i], src[i])
//
// A NaN in dst stays. The slices have the same length.
func (r *Routines) MaxF32(dst, src []float32) {
	n := ofPair(r.maxF32, dst, src)
	dst, src = dst[n:], src[n:]
	for i, v := range src[:len(dst)] {
		if v > dst[i] {
			dst[i] = v
		}
	}
}

// AddF32 computes dst[i] += src[i].
func (r *Routines) AddF32(dst, src []float32) {
	n := ofPair(r.addF32, dst, src)
	dst, src = dst[n:], src[n:]
	for i, v := range src[:len(dst)] {
		dst[i] += v
	}
}

// MaxI8 computes dst[i] = max(dst[i], src[i]).
func (r *Routines) MaxI8(dst, src []int8) {
	n := ofPair(r.maxI8, dst, src)
	dst, src = dst[n:], src[n:]
	for i, v := range src[:len(dst)] {
		dst[i] = max(dst[i], v)
	}
}

// MaxU8 computes dst[i] = max(dst[i], src[i]).
func (r *Routines) MaxU8(dst, src []uint8) {
	n := ofPair(r.maxU8, dst, src)
	dst, src = dst[n:], src[n:]
	for i, v := range src[:len(dst)] {
		dst[i] = max(dst[i], v)
	}
}
