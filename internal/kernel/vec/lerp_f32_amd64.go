//go:build amd64 && !purego

package vec

import "edged/internal/kernel/cpu"

//go:noescape
func lerpF32AVX2(c *lerpCall)

func (l *LerpF32) routine(dst, top, bottom []float32, t float32) bool {
	if cpu.Active() == cpu.Generic {
		return false
	}
	const lanes = 8
	var mask [lanes]uint32
	for i := range l.c % lanes {
		mask[i] = ^uint32(0)
	}
	lerpF32AVX2(&lerpCall{dst: &dst[0], top: &top[0], bottom: &bottom[0], xs: &l.xs[0], n: len(l.xs),
		vectors: l.c / lanes, rest: l.c % lanes, mask: &mask, from: 1 - t, to: t})
	return true
}
