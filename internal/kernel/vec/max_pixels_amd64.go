//go:build amd64 && !purego

package vec

import "edged/internal/kernel/cpu"

//go:noescape
func maxPixelsI8AVX2(dst, src *byte, n, c, step, tap, k int)

//go:noescape
func maxPixelsU8AVX2(dst, src *byte, n, c, step, tap, k int)

//go:noescape
func maxPixelsF32AVX2(dst, src *float32, n, c, step, tap, k int)

// maxPixels computes the first pixels and says how many. It works in pieces of 16
// bytes, past a pixel's end into those that come later.
func maxPixels(dst, src []byte, n, c, step, tap, k int, signed bool) int {
	const piece = 16
	wide := cpu.RoundUp(c, piece)
	for n > 0 && ((n-1)*c+wide > len(dst) || (n-1)*step+(k-1)*tap+wide > len(src)) {
		n--
	}
	if cpu.Active() == cpu.Generic || n == 0 || k == 0 {
		return 0
	}
	if signed {
		maxPixelsI8AVX2(&dst[0], &src[0], n, c, step, tap, k)
	} else {
		maxPixelsU8AVX2(&dst[0], &src[0], n, c, step, tap, k)
	}
	return n
}

func maxPixelsF32(dst, src []float32, n, c, step, tap, k int) int {
	n = Pixels{N: n, C: c, Step: step, Tap: tap, K: k}.within(lanesF32, len(dst), len(src))
	if cpu.Active() == cpu.Generic || n == 0 || k == 0 {
		return 0
	}
	maxPixelsF32AVX2(&dst[0], &src[0], n, 4*c, 4*step, 4*tap, k)
	return n
}
