//go:build arm64 && !purego

package kernel

//go:noescape
func winogradRowsNEON(c *winogradRows)

//go:noescape
func winogradColsNEON(c *winogradCols)

//go:noescape
func winogradOutNEON(c *winogradOut)

// winogradKernels lists the variants this machine can run, the best first.
// Groups of 24 tiles fill the product routines thrice.
func winogradKernels() []*winogradKernel {
	return []*winogradKernel{{NEON, 4, winogradRowsNEON, winogradColsNEON, winogradOutNEON, winogradMulNEON, 24}, winogradGeneric}
}
