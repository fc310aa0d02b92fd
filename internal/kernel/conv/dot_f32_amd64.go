//go:build amd64 && !purego

package conv

import (
	features "golang.org/x/sys/cpu"

	"edged/internal/kernel/cpu"
)

//go:noescape
func dotF32x1AVX2(c *convCall)

//go:noescape
func dotF32x8AVX2(c *convCall)

// dotF32Kernels lists the variants this machine can run, the best first.
func dotF32Kernels() []*dotKernel {
	if features.X86.HasAVX2 && features.X86.HasFMA {
		return []*dotKernel{{cpu.AVX2, 8, 8, dotF32x1AVX2, dotF32x8AVX2}, dotF32Generic}
	}
	return []*dotKernel{dotF32Generic}
}
