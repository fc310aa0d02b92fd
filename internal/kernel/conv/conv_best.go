package conv

import (
	"slices"

	"edged/internal/kernel/cpu"
)

// best picks from kernels, listed best first, the first one that is no better
// than the variant in use.
func best[K any](kernels []K, variant func(K) cpu.Variant) K {
	have := cpu.Available()
	limit := slices.Index(have, cpu.Active())
	for _, k := range kernels {
		if slices.Index(have, variant(k)) <= limit {
			return k
		}
	}
	panic("BUG: kernel: no portable variant")
}

func bestConvF32() *convKernel {
	return best(convF32Kernels(), func(k *convKernel) cpu.Variant { return k.variant })
}

func bestConvI8() *convKernelI8 {
	return best(convI8Kernels(), func(k *convKernelI8) cpu.Variant { return k.variant })
}

func bestDepthwiseF32() *convKernel {
	return best(depthwiseF32Kernels(), func(k *convKernel) cpu.Variant { return k.variant })
}

func bestDepthwiseI8() *convKernelI8 {
	return best(depthwiseI8Kernels(), func(k *convKernelI8) cpu.Variant { return k.variant })
}

// Direct says whether the direct convolutions, for float32 and for 8 bits, are
// not portable ones beside matrix tiles of the variant in use, which are faster.
func Direct() (f32, i8 bool) {
	own := func(v cpu.Variant) bool { return v != cpu.Generic || cpu.Active() == cpu.Generic }
	return own(bestConvF32().variant), own(bestConvI8().variant)
}
