//go:build amd64 && !purego

package kernel

import "golang.org/x/sys/cpu"

//go:generate go -C gen run . -o ..

// convF32Kernels lists the variants this machine can run, the best first.
func convF32Kernels() []*convKernel {
	var ks []*convKernel
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL {
		ks = append(ks, &convKernel{AVX512, 16, 14, convF32AVX512})
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		ks = append(ks, &convKernel{AVX2, 8, 6, convF32AVX2})
	}
	return append(ks, convF32Generic)
}

// convI8Kernels lists the variants this machine can run, the best first.
func convI8Kernels() []*convKernelI8 {
	var ks []*convKernelI8
	if hasVNNI() {
		ks = append(ks, &convKernelI8{AVX512, 16, convTableI8{14, convI8VNNI}, convTableI8{13, convI8VNNISigned}})
	}
	return append(ks, convI8Generic)
}

// depthwiseF32Kernels lists the variants this machine can run, the best first.
func depthwiseF32Kernels() []*convKernel {
	var ks []*convKernel
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL {
		ks = append(ks, &convKernel{AVX512, 16, 14, [2][]func(*convCall){depthwiseF32AVX512[0]}})
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		ks = append(ks, &convKernel{AVX2, 8, 8, [2][]func(*convCall){depthwiseF32AVX2[0]}})
	}
	return append(ks, depthwiseF32Generic)
}

// depthwiseI8Kernels lists the variants this machine can run, the best first.
func depthwiseI8Kernels() []*convKernelI8 {
	var ks []*convKernelI8
	if hasVNNI() {
		ks = append(ks, &convKernelI8{AVX512, 32,
			convTableI8{10, [2][]func(*convCallI8){depthwiseI8VNNI[0]}},
			convTableI8{10, [2][]func(*convCallI8){depthwiseI8VNNISigned[0]}}})
	}
	return append(ks, depthwiseI8Generic)
}

func hasVNNI() bool {
	return cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VNNI
}
