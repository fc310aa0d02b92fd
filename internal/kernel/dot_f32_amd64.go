//go:build amd64 && !purego

package kernel

import "golang.org/x/sys/cpu"

//go:noescape
func dotF32x1AVX2(c *convCall)

//go:noescape
func dotF32x8AVX2(c *convCall)

// dotF32Kernels lists the variants this machine can run, the best first.
func dotF32Kernels() []*dotKernel {
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		return []*dotKernel{{AVX2, 8, 8, dotF32x1AVX2, dotF32x8AVX2}, dotF32Generic}
	}
	return []*dotKernel{dotF32Generic}
}
