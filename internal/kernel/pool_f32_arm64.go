//go:build arm64 && !purego

package kernel

//go:noescape
func poolF32NEON(c *poolCall)

// poolF32Kernels lists the variants, the best first.
func poolF32Kernels() []*poolKernel {
	return []*poolKernel{{NEON, 4, poolF32NEON}, poolF32Generic}
}
