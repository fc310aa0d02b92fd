//go:build amd64 && !purego

package kernel

//go:noescape
func poolF32AVX512(c *poolCall)

//go:noescape
func poolF32AVX2(c *poolCall)

// poolF32Kernels lists the variants, the best first.
func poolF32Kernels() []*poolKernel {
	var ks []*poolKernel
	for _, v := range machineVariants() {
		switch v {
		case AVX512:
			ks = append([]*poolKernel{{AVX512, 16, poolF32AVX512}}, ks...)
		case AVX2:
			ks = append([]*poolKernel{{AVX2, 8, poolF32AVX2}}, ks...)
		}
	}
	return append(ks, poolF32Generic)
}
