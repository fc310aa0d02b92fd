//go:build arm64 && !purego

package conv

import "edged/internal/kernel/cpu"

// tables are those that serve v, the best first.
func tables(v cpu.Variant) []*Routines {
	switch v {
	case cpu.NEONDot:
		return []*Routines{&neondot, &neon}
	case cpu.NEON:
		return []*Routines{&neon}
	}
	return nil
}

var neondot = Routines{
	convI8: &convKernelI8{lanes: 8, reads: asSigned, signs: true, flips: flipSIMD, table: convTableI8{convI8x8NEONDot[0], convI8x16NEONDot[0]}, windows: windowSumsSIMD, chunk: 16},
}

var neon = Routines{
	convF32:      &convKernel{lanes: 4, fn: convF32x4NEON},
	convI8:       &convKernelI8{lanes: 8, reads: asSigned, signs: true, sums16: true, table: convI8x8NEON, signed: convI8x8NEONSigned, windows: windowSumsSIMD, chunk: 16},
	depthwiseF32: &convKernel{lanes: 4, fn: [2][]func(*convCall){depthwiseF32x4NEON[0]}},
	depthwiseI8: &convKernelI8{lanes: 8, reads: asSigned, signs: true, sums16: true,
		table: convTableI8{depthwiseI8x8NEON[0]}, signed: convTableI8{depthwiseI8x8NEONSigned[0]}},
	dotF32:  &dotKernel{4, 8, dotF32x1NEON, dotF32x8NEON},
	poolF32: &poolKernel{4, poolF32NEON},
	// 28 tiles fill the products' routines, of 7 rows, four times.
	winograd: &winogradKernel{4, winogradRowsNEON, winogradColsNEON, winogradOutNEON, winogradMulNEON, 28},
	winogradI8: &winogradKernelI8{lanes: 8, channels: 16, order: plain, in: winogradInI8NEON, inSigned: winogradInI8NEONSigned,
		mul: stepsI8{winogradMulI8x8NEON, winogradMulI8x16NEON},
		out: stepsI8{winogradOutI8x8NEON, winogradOutI8x16NEON}},
}

// flipSIMD copies n bytes with 128 added.
func flipSIMD(dst, src *uint8, n int)

// The generator's, beside the tables in files that begin with z.
func windowSumsSIMD(c *windowCall)
func dotF32x1NEON(c *convCall)
func dotF32x8NEON(c *convCall)
func poolF32NEON(c *poolCall)
func winogradRowsNEON(c *winogradRows)
func winogradColsNEON(c *winogradCols)
func winogradOutNEON(c *winogradOut)
func winogradInI8NEON(c *winogradCallI8)
func winogradInI8NEONSigned(c *winogradCallI8)
func winogradMulI8x8NEON(c *winogradCallI8)
func winogradMulI8x16NEON(c *winogradCallI8)
func winogradOutI8x8NEON(c *winogradCallI8)
func winogradOutI8x16NEON(c *winogradCallI8)
