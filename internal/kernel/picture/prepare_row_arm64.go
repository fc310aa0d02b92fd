//go:build arm64 && !purego

package picture

import "edged/internal/kernel/cpu"

// prepareF32 converts as many whole periods as it can and returns how many
// elements that was.
func prepareF32(dst []float32, src []byte, n *Norm, swap bool) int {
	periods := len(src) / normPeriod
	if cpu.Active() == cpu.Generic || periods == 0 {
		return 0
	}
	prepareF32NEON(&dst[0], &src[0], periods, n, swap)
	return periods * normPeriod
}

//go:noescape
func prepareF32NEON(dst *float32, src *byte, periods int, n *Norm, swap bool)
