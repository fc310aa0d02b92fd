//go:build amd64 && !purego

package conv

import (
	features "golang.org/x/sys/cpu"

	"edged/internal/kernel/cpu"
)

//go:noescape
func winogradRowsAVX512(c *winogradRows)

//go:noescape
func winogradColsAVX512(c *winogradCols)

//go:noescape
func winogradOutAVX512(c *winogradOut)

//go:noescape
func winogradRowsAVX2(c *winogradRows)

//go:noescape
func winogradColsAVX2(c *winogradCols)

//go:noescape
func winogradOutAVX2(c *winogradOut)

// winogradKernels lists the variants this machine can run, the best first.
// Groups of tiles fill the product routines: 14 rows at once, or 12, 6 or 4.
func winogradKernels() []*winogradKernel {
	var ks []*winogradKernel
	if features.X86.HasAVX512F && features.X86.HasAVX512VL && features.X86.HasAVX512DQ {
		ks = append(ks, &winogradKernel{cpu.AVX512, 16, winogradRowsAVX512, winogradColsAVX512, winogradOutAVX512, winogradMulAVX512, 28})
	}
	if features.X86.HasAVX2 && features.X86.HasFMA {
		ks = append(ks, &winogradKernel{cpu.AVX2, 8, winogradRowsAVX2, winogradColsAVX2, winogradOutAVX2, winogradMulAVX2, 24})
	}
	return append(ks, winogradGeneric)
}
