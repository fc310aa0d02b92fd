//go:build arm64 && !purego

package picture

import "edged/internal/kernel/cpu"

// For gives the routines of v, one of cpu.Available: NEON serves a machine with
// the dot product too.
func For(v cpu.Variant) *Routines {
	if v == cpu.Generic {
		return new(Routines)
	}
	return &neon
}

var neon = Routines{
	prepareF32: prepareF32,
	argmaxF32:  argmaxF32,
}

// prepareF32 converts as many whole periods as it can and returns how many
// elements that was.
func prepareF32(dst []float32, src []byte, n *Norm, swap bool) int {
	periods := len(src) / normPeriod
	if periods == 0 {
		return 0
	}
	prepareF32NEON(&dst[0], &src[0], periods, n, swap)
	return periods * normPeriod
}

//go:noescape
func prepareF32NEON(dst *float32, src *byte, periods int, n *Norm, swap bool)

// argmaxF32 serves whole groups of four positions and returns how many
// positions that was.
func argmaxF32(dst []uint8, src []float32, classes int) int {
	groups := len(dst) / 4
	if groups == 0 {
		return 0
	}
	argmaxF32NEON(&dst[0], &src[0], groups, classes)
	return groups * 4
}

//go:noescape
func argmaxF32NEON(dst *uint8, src *float32, groups, classes int)
