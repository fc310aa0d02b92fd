//go:build arm64 && !purego

package vec

import "edged/internal/kernel/cpu"

//go:noescape
func lerpF32NEON(c *lerpCall)

func (l *LerpF32) routine(dst, top, bottom []float32, t float32) bool {
	if cpu.Active() == cpu.Generic {
		return false
	}
	const lanes = 4
	lerpF32NEON(&lerpCall{dst: &dst[0], top: &top[0], bottom: &bottom[0], xs: &l.xs[0], n: len(l.xs),
		vectors: l.c / lanes, rest: l.c % lanes, from: 1 - t, to: t})
	return true
}
