//go:build amd64 && !purego

package kernel

import "golang.org/x/sys/cpu"

//go:noescape
func winogradInAVX512(c *winogradCall)

//go:noescape
func winogradOutAVX512(c *winogradCall)

//go:noescape
func winogradInAVX2(c *winogradCall)

//go:noescape
func winogradOutAVX2(c *winogradCall)

// winogradKernels lists the variants this machine can run, the best first.
func winogradKernels() []*winogradKernel {
	var ks []*winogradKernel
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL {
		ks = append(ks, &winogradKernel{AVX512, 16, winogradInAVX512, winogradOutAVX512})
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		ks = append(ks, &winogradKernel{AVX2, 8, winogradInAVX2, winogradOutAVX2})
	}
	return append(ks, winogradGeneric)
}
