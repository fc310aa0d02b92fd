//go:build (!amd64 && !arm64) || purego

package conv

func convF32Kernels() []*convKernel { return []*convKernel{convF32Generic} }

func convI8Kernels() []*convKernelI8 { return []*convKernelI8{convI8Generic} }

func depthwiseF32Kernels() []*convKernel { return []*convKernel{depthwiseF32Generic} }

func winogradKernels() []*winogradKernel { return []*winogradKernel{winogradGeneric} }

func depthwiseI8Kernels() []*convKernelI8 { return []*convKernelI8{depthwiseI8Generic} }
