//go:build arm64 && !purego

package picture

import "edged/internal/kernel/cpu"

// argmaxF32 serves whole groups of four positions and returns how many
// positions that was.
func argmaxF32(dst []uint8, src []float32, classes int) int {
	groups := len(dst) / 4
	if cpu.Active() == cpu.Generic || groups == 0 {
		return 0
	}
	argmaxF32NEON(&dst[0], &src[0], groups, classes)
	return groups * 4
}

//go:noescape
func argmaxF32NEON(dst *uint8, src *float32, groups, classes int)
