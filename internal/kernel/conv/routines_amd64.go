//go:build amd64 && !purego

package conv

import "edged/internal/kernel/cpu"

// tables are those that serve v, the best first.
func tables(v cpu.Variant) []*Routines {
	switch {
	case v == cpu.AVX512 && cpu.HasVNNI():
		return []*Routines{&avx512, &vnni, &avx2}
	case v == cpu.AVX512:
		return []*Routines{&avx512, &avx2}
	case v == cpu.AVX2:
		return []*Routines{&avx2}
	}
	return nil
}

var avx512 = Routines{
	convF32:      &convKernel{lanes: 16, pass: 1, fn: convF32x16AVX512},
	depthwiseF32: &convKernel{lanes: 16, fn: [2][]func(*convCall){depthwiseF32x16AVX512[0]}},
	poolF32:      &poolKernel{16, poolF32AVX512},
	// 28 tiles fill the products' routines, of 14 rows, twice.
	winograd: &winogradKernel{16, winogradRowsAVX512, winogradColsAVX512, winogradOutAVX512, winogradMulAVX512, 28},
}

// vnni is what AVX512 has beside that where the machine adds products of bytes.
var vnni = Routines{
	convI8: &convKernelI8{lanes: 16, table: convI8x16VNNI, flips: flipAVX512, big: avx2.convI8,
		windows: windowSumsAVX512, chunk: 64},
	depthwiseI8: &convKernelI8{lanes: 32, big: avx2.depthwiseI8, table: convTableI8{depthwiseI8x32VNNI[0]},
		columns: [2][2]convTableI8{{depthColumnsx32HalfUp, depthColumnsx32HalfAway}, {depthColumnsx32HalfUpRest, depthColumnsx32HalfAwayRest}}},
	winogradI8: &winogradKernelI8{lanes: 16, channels: 32, order: highPairs, big: avx2.winogradI8,
		in: winogradInI8AVX512, inSigned: winogradInI8AVX512Signed,
		mul: stepsI8{winogradMulI8x16AVX512, winogradMulI8x32AVX512},
		out: stepsI8{winogradOutI8x16AVX512, winogradOutI8x32AVX512}},
}

var avx2 = Routines{
	convF32: &convKernel{lanes: 8, pass: 4, fn: [2][]func(*convCall){convF32x8AVX2[0], convF32x16AVX2[0]}, spills: true},
	// Pairs of int16: AVX2 has no exact product of bytes.
	convI8:       &convKernelI8{widens: true, goesBack: true, table: convTableI8{convI16x8AVX2[0], convI16x16AVX2[0]}},
	depthwiseF32: &convKernel{lanes: 8, fn: [2][]func(*convCall){depthwiseF32x8AVX2[0]}},
	depthwiseI8:  &convKernelI8{lanes: 16, goesBack: true, table: convTableI8{depthwiseI8x16AVX2[0]}},
	dotF32:       &dotKernel{8, 8, dotF32x1AVX2, dotF32x8AVX2},
	poolF32:      &poolKernel{8, poolF32AVX2},
	// 24 tiles fill them, of 12, 6 or 4 rows.
	winograd: &winogradKernel{8, winogradRowsAVX2, winogradColsAVX2, winogradOutAVX2, winogradMulAVX2, 24},
	winogradI8: &winogradKernelI8{lanes: 8, channels: 16, in: winogradInI8AVX2, inSigned: winogradInI8AVX2Signed,
		mul: stepsI8{winogradMulI8x8AVX2, winogradMulI8x16AVX2},
		out: stepsI8{winogradOutI8x8AVX2, winogradOutI8x16AVX2}},
}

// flipAVX512 copies n bytes with 128 added.
func flipAVX512(dst, src *uint8, n int)

// The generator's, beside the tables in files that begin with z.
func windowSumsAVX512(c *windowCall)
func dotF32x1AVX2(c *convCall)
func dotF32x8AVX2(c *convCall)
func poolF32AVX512(c *poolCall)
func poolF32AVX2(c *poolCall)
func winogradRowsAVX512(c *winogradRows)
func winogradColsAVX512(c *winogradCols)
func winogradOutAVX512(c *winogradOut)
func winogradRowsAVX2(c *winogradRows)
func winogradColsAVX2(c *winogradCols)
func winogradOutAVX2(c *winogradOut)
func winogradInI8AVX512(c *winogradCallI8)
func winogradInI8AVX512Signed(c *winogradCallI8)
func winogradMulI8x16AVX512(c *winogradCallI8)
func winogradMulI8x32AVX512(c *winogradCallI8)
func winogradOutI8x16AVX512(c *winogradCallI8)
func winogradOutI8x32AVX512(c *winogradCallI8)
func winogradInI8AVX2(c *winogradCallI8)
func winogradInI8AVX2Signed(c *winogradCallI8)
func winogradMulI8x8AVX2(c *winogradCallI8)
func winogradMulI8x16AVX2(c *winogradCallI8)
func winogradOutI8x8AVX2(c *winogradCallI8)
func winogradOutI8x16AVX2(c *winogradCallI8)
