//go:build arm64 && !purego

package conv

import "edged/internal/kernel/cpu"

//go:noescape
func winogradRowsNEON(c *winogradRows)

//go:noescape
func winogradColsNEON(c *winogradCols)

//go:noescape
func winogradOutNEON(c *winogradOut)

// winogradKernels lists the variants this machine can run, the best first.
// Groups of 24 tiles fill the product routines thrice.
func winogradKernels() []*winogradKernel {
	return []*winogradKernel{{cpu.NEON, 4, winogradRowsNEON, winogradColsNEON, winogradOutNEON, winogradMulNEON, 24}, winogradGeneric}
}
