//go:build amd64 && !purego

package conv

import "edged/internal/kernel/cpu"

//go:noescape
func poolF32AVX512(c *poolCall)

//go:noescape
func poolF32AVX2(c *poolCall)

// poolF32Kernels lists the variants, the best first.
func poolF32Kernels() []*poolKernel {
	var ks []*poolKernel
	for _, v := range cpu.Available() {
		switch v {
		case cpu.AVX512:
			ks = append([]*poolKernel{{cpu.AVX512, 16, poolF32AVX512}}, ks...)
		case cpu.AVX2:
			ks = append([]*poolKernel{{cpu.AVX2, 8, poolF32AVX2}}, ks...)
		}
	}
	return append(ks, poolF32Generic)
}
