//go:build arm64 && !purego

package conv

import "edged/internal/kernel/cpu"

//go:noescape
func dotF32x1NEON(c *convCall)

//go:noescape
func dotF32x8NEON(c *convCall)

// dotF32Kernels lists the variants this machine can run, the best first.
func dotF32Kernels() []*dotKernel {
	return []*dotKernel{{cpu.NEON, 4, 8, dotF32x1NEON, dotF32x8NEON}, dotF32Generic}
}
