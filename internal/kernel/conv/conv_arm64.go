//go:build arm64 && !purego

package conv

import (
	features "golang.org/x/sys/cpu"

	"edged/internal/kernel/cpu"
)

// convF32Kernels lists the variants this machine can run, the best first.
func convF32Kernels() []*convKernel {
	return []*convKernel{{cpu.NEON, 4, convF32NEON}, convF32Generic}
}

// convI8Kernels lists the variants this machine can run, the best first.
func convI8Kernels() []*convKernelI8 {
	ks := []*convKernelI8{{variant: cpu.NEON, lanes: 8, reads: asSigned, narrow: true,
		unsigned: convI8NEON, signed: convI8NEONSigned,
		windows: windowSumsSIMD, chunk: 16}, convI8Generic}
	if features.ARM64.HasASIMDDP {
		ks = append([]*convKernelI8{{variant: cpu.NEONDot, lanes: 8, reads: asSigned,
			unsigned: convI8NEONDot, signed: convI8NEONDotSigned,
			windows: windowSumsSIMD, chunk: 16}}, ks...)
	}
	return ks
}

// depthwiseF32Kernels lists the variants this machine can run, the best first.
func depthwiseF32Kernels() []*convKernel {
	return []*convKernel{{cpu.NEON, 4, [2][]func(*convCall){depthwiseF32NEON[0]}}, depthwiseF32Generic}
}

// depthwiseI8Kernels lists the variants this machine can run, the best first.
func depthwiseI8Kernels() []*convKernelI8 {
	return []*convKernelI8{{variant: cpu.NEON, lanes: 8, reads: asSigned, narrow: true,
		unsigned: convTableI8{depthwiseI8NEON[0]},
		signed:   convTableI8{depthwiseI8NEONSigned[0]}}, depthwiseI8Generic}
}
