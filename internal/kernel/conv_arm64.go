//go:build arm64 && !purego

package kernel

// convF32Kernels lists the variants this machine can run, the best first.
func convF32Kernels() []*convKernel {
	return []*convKernel{{NEON, 4, 8, convF32NEON}, convF32Generic}
}

func convI8Kernels() []*convKernelI8 { return []*convKernelI8{convI8Generic} }

// depthwiseF32Kernels lists the variants this machine can run, the best first.
func depthwiseF32Kernels() []*convKernel {
	return []*convKernel{{NEON, 4, 8, [2][]func(*convCall){depthwiseF32NEON[0]}}, depthwiseF32Generic}
}

func winogradKernels() []*winogradKernel { return []*winogradKernel{winogradGeneric} }

func depthwiseI8Kernels() []*convKernelI8 { return []*convKernelI8{depthwiseI8Generic} }
