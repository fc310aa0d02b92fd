//go:build arm64 && !purego

package conv

import "edged/internal/kernel/cpu"

//go:noescape
func poolF32NEON(c *poolCall)

// poolF32Kernels lists the variants, the best first.
func poolF32Kernels() []*poolKernel {
	return []*poolKernel{{cpu.NEON, 4, poolF32NEON}, poolF32Generic}
}
