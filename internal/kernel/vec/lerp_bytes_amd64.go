//go:build amd64 && !purego

package vec

import "edged/internal/kernel/cpu"

//go:noescape
func lerpI8AVX2(dst, top, bottom *byte, xs *lerpI8X, n, c int, t int32)

// routine computes the first positions and says how many. It works in pieces of
// 16 channels, past a pixel's end: in the result into those that come later.
func (l *LerpI8) routine(dst, top, bottom []byte, t int32) int {
	const piece = 16
	wide, n := cpu.RoundUp(l.c, piece), len(l.xs)
	for n > 0 && (n-1)*l.c+wide > len(dst) {
		n--
	}
	if cpu.Active() == cpu.Generic || len(top) < wide {
		return 0
	}
	for i := range n {
		if x := &l.xs[i]; max(x.lo, x.hi)+wide > len(top) {
			n = i
			break
		}
	}
	if n > 0 {
		lerpI8AVX2(&dst[0], &top[0], &bottom[0], &l.xs[0], n, l.c, t)
	}
	return n
}
