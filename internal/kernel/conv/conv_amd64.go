//go:build amd64 && !purego

package conv

import (
	features "golang.org/x/sys/cpu"

	"edged/internal/kernel/cpu"
)

// convF32Kernels lists the variants this machine can run, the best first.
func convF32Kernels() []*convKernel {
	var ks []*convKernel
	if features.X86.HasAVX512F && features.X86.HasAVX512VL {
		ks = append(ks, &convKernel{cpu.AVX512, 16, convF32AVX512})
	}
	if features.X86.HasAVX2 && features.X86.HasFMA {
		ks = append(ks, &convKernel{cpu.AVX2, 8, [2][]func(*convCall){convF32SlimAVX2[0], convF32WideAVX2[0]}})
	}
	return append(ks, convF32Generic)
}

// convI8Kernels lists the variants this machine can run, the best first.
func convI8Kernels() []*convKernelI8 {
	var ks []*convKernelI8
	if hasVNNI() {
		ks = append(ks, &convKernelI8{variant: cpu.AVX512, lanes: 16, unsigned: convI8VNNI, signed: convI8VNNI, lift: liftAVX512, big: &wideAVX2,
			windows: windowSumsAVX512, chunk: 64})
	}
	if features.X86.HasAVX2 {
		ks = append(ks, &wideAVX2)
	}
	return append(ks, convI8Generic)
}

// wideAVX2 multiplies pairs of int16: AVX2 has no exact product of bytes.
var wideAVX2 = convKernelI8{variant: cpu.AVX2, wide: true,
	unsigned: convTableI8{convSlimAVX2[0], convWideAVX2[0]}, signed: convTableI8{convSlimAVX2Signed[0], convWideAVX2Signed[0]}}

// depthwiseF32Kernels lists the variants this machine can run, the best first.
func depthwiseF32Kernels() []*convKernel {
	var ks []*convKernel
	if features.X86.HasAVX512F && features.X86.HasAVX512VL {
		ks = append(ks, &convKernel{cpu.AVX512, 16, [2][]func(*convCall){depthwiseF32AVX512[0]}})
	}
	if features.X86.HasAVX2 && features.X86.HasFMA {
		ks = append(ks, &convKernel{cpu.AVX2, 8, [2][]func(*convCall){depthwiseF32AVX2[0]}})
	}
	return append(ks, depthwiseF32Generic)
}

// depthwiseI8Kernels lists the variants this machine can run, the best first.
func depthwiseI8Kernels() []*convKernelI8 {
	var ks []*convKernelI8
	if hasVNNI() {
		ks = append(ks, &convKernelI8{variant: cpu.AVX512, lanes: 32, reads: asTheyAre, big: &depthwiseAVX2,
			unsigned: convTableI8{depthwiseI8VNNI[0]},
			signed:   convTableI8{depthwiseI8VNNISigned[0]},
			columns:  [2][2]convTableI8{{depthColumnsUp, depthColumnsAway}, {depthColumnsUpRest, depthColumnsAwayRest}}})
	}
	if features.X86.HasAVX2 {
		ks = append(ks, &depthwiseAVX2)
	}
	return append(ks, depthwiseI8Generic)
}

var depthwiseAVX2 = convKernelI8{variant: cpu.AVX2, lanes: 16, reads: asTheyAre,
	unsigned: convTableI8{depthwiseI8AVX2[0]}, signed: convTableI8{depthwiseI8AVX2Signed[0]}}

// liftAVX512 copies n bytes with 128 added.
//
//go:noescape
func liftAVX512(dst, src *uint8, n int)

func hasVNNI() bool {
	return features.X86.HasAVX512F && features.X86.HasAVX512BW && features.X86.HasAVX512DQ && features.X86.HasAVX512VNNI
}
