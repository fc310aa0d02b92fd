//go:build amd64 && !purego

package vec

import "edged/internal/kernel/cpu"

// For gives the routines of v, one of cpu.Available: AVX2 serves AVX-512 too.
func For(v cpu.Variant) *Routines {
	if v == cpu.Generic {
		return new(Routines)
	}
	return &avx2
}

var avx2 = Routines{
	maxF32: of(maxF32AVX2, 8),
	addF32: of(addF32AVX2, 8),
	maxI8:  of(maxI8AVX2, 32),
	maxU8:  of(maxU8AVX2, 32),

	addPair:        of(addPairAVX2, 8),
	subPair:        of(subPairAVX2, 8),
	mulPair:        of(mulPairAVX2, 8),
	divPair:        of(divPairAVX2, 8),
	maxPair:        of(maxPairAVX2, 8),
	minPair:        of(minPairAVX2, 8),
	preluPair:      of(preluPairAVX2, 8),
	squaredDiffers: of(squaredDiffersAVX2, 8),
	clampF32:       of(clampF32AVX2, 8),
	hardSwishF32:   of(hardSwishF32AVX2, 8),
	leakyReluF32:   of(leakyReluF32AVX2, 8),
	scaleF32:       of(scaleF32AVX2, 8),

	expF32:      of(expBlocks, 8),
	topF32:      of(topBlocks, 8),
	logisticF32: of(logisticF32AVX2, 8),
	tanhF32:     of(tanhF32AVX2, 8),
	eluF32:      of(eluF32AVX2, 8),

	widenI8:      of(widenI8AVX2, 16),
	widenU8:      of(widenU8AVX2, 16),
	dequantiseI8: of(dequantiseI8AVX2, 8),
	dequantiseU8: of(dequantiseU8AVX2, 8),
	quantise:     of(quantiseAVX2, 8),
	table:        of(tableBlocks, 64),

	sumRowsI8:  of(sumRowsI8AVX2, 16), // and 64 at a time where there are as many
	sumRowsU8:  of(sumRowsU8AVX2, 16),
	sumRowsF32: of(sumRowsF32AVX2, 4), // and 16

	averageBytes: of(averageBytesAVX2, 8),
	averageF32:   of(averageF32AVX2, 8),
	maxPixelsI8:  of(maxPixelsI8AVX2, 16),
	maxPixelsU8:  of(maxPixelsU8AVX2, 16),
	maxPixelsF32: of(maxPixelsF32AVX2, 8),
	lerpI8:       of(lerpI8AVX2, 16),
	lerpF32:      of(lerpPixels, 8),

	addBytesI8:     of(addBytesI8AVX2, 16),
	addBytesU8:     of(addBytesU8AVX2, 16),
	subBytesI8:     of(subBytesI8AVX2, 16),
	subBytesU8:     of(subBytesU8AVX2, 16),
	subFromBytesI8: of(subFromBytesI8AVX2, 16),
	subFromBytesU8: of(subFromBytesU8AVX2, 16),
	mulBytesI8:     of(mulBytesI8AVX2, 16),
	mulBytesU8:     of(mulBytesU8AVX2, 16),
}

// The routines of files whose names end in _amd64.s.
func maxF32AVX2(dst, src *float32, blocks int)
func addF32AVX2(dst, src *float32, blocks int)
func maxI8AVX2(dst, src *int8, blocks int)
func maxU8AVX2(dst, src *uint8, blocks int)
func addPairAVX2(dst, x, y *float32, blocks int, lo, hi float32)
func subPairAVX2(dst, x, y *float32, blocks int, lo, hi float32)
func mulPairAVX2(dst, x, y *float32, blocks int, lo, hi float32)
func divPairAVX2(dst, x, y *float32, blocks int, lo, hi float32)
func maxPairAVX2(dst, x, y *float32, blocks int, lo, hi float32)
func minPairAVX2(dst, x, y *float32, blocks int, lo, hi float32)
func preluPairAVX2(dst, x, y *float32, blocks int, lo, hi float32)
func squaredDiffersAVX2(dst, x, y *float32, blocks int, lo, hi float32)
func clampF32AVX2(dst, src *float32, blocks int, lo, hi float32)
func hardSwishF32AVX2(dst, src *float32, blocks int)
func leakyReluF32AVX2(dst, src *float32, blocks int, alpha float32)
func scaleF32AVX2(dst, src *float32, blocks int, factor float32)
func logisticF32AVX2(dst, src *float32, blocks int, table *expConstants)
func tanhF32AVX2(dst, src *float32, blocks int, table *expConstants)
func eluF32AVX2(dst, src *float32, blocks int, table *expConstants)
func widenI8AVX2(dst *int16, src *byte, blocks int, zero int16)
func widenU8AVX2(dst *int16, src *byte, blocks int, zero int16)
func dequantiseI8AVX2(dst *float32, src *byte, blocks int, scale float32, zero int32)
func dequantiseU8AVX2(dst *float32, src *byte, blocks int, scale float32, zero int32)
func quantiseAVX2(dst *byte, src *float32, blocks int, scale float64, zero, lo, hi float32)
func sumRowsI8AVX2(acc *int32, src *byte, blocks, rows, stride int)
func sumRowsU8AVX2(acc *int32, src *byte, blocks, rows, stride int)
func sumRowsF32AVX2(acc *float64, src *float32, blocks, rows, stride int)
func averageBytesAVX2(dst *byte, acc *int32, n, c, step, tap, k int, inverse, half float32, lo, hi int32)
func averageF32AVX2(dst, acc *float32, n, c, step, tap, k int, count, lo, hi float32)
func maxPixelsI8AVX2(dst, src *byte, n, c, step, tap, k int)
func maxPixelsU8AVX2(dst, src *byte, n, c, step, tap, k int)
func maxPixelsF32AVX2(dst, src *float32, n, c, step, tap, k int)
func lerpI8AVX2(dst, top, bottom *byte, xs *lerpI8X, n, c int, t int32)
func addBytesI8AVX2(dst, half, other *byte, blocks int, table *pairConstants)
func addBytesU8AVX2(dst, half, other *byte, blocks int, table *pairConstants)
func subBytesI8AVX2(dst, half, other *byte, blocks int, table *pairConstants)
func subBytesU8AVX2(dst, half, other *byte, blocks int, table *pairConstants)
func subFromBytesI8AVX2(dst, half, other *byte, blocks int, table *pairConstants)
func subFromBytesU8AVX2(dst, half, other *byte, blocks int, table *pairConstants)
func mulBytesI8AVX2(dst, x, y *byte, blocks int, table *pairConstants)
func mulBytesU8AVX2(dst, x, y *byte, blocks int, table *pairConstants)

// Those below get what lies on the stack, which a call by the table would move
// to the heap.

//go:noescape
func expF32AVX2(dst, src *float32, blocks int, table *expConstants, minus, times float32, sums *[8]float32)

func expBlocks(dst, src *float32, blocks int, minus, times float32) (sums [8]float32) {
	expF32AVX2(dst, src, blocks, &expTable, minus, times, &sums)
	return sums
}

//go:noescape
func topF32AVX2(src *float32, blocks int, tops *[8]float32)

func topBlocks(src *float32, blocks int) (tops [8]float32) {
	topF32AVX2(src, blocks, &tops)
	return tops
}

//go:noescape
func tableAVX2(dst, src *byte, blocks int, steps *[256]byte)

func tableBlocks(dst, src *byte, blocks int, t *Table) { tableAVX2(dst, src, blocks, &t.steps) }

//go:noescape
func lerpF32AVX2(c *lerpCall)

func lerpPixels(l *LerpF32, dst, top, bottom *float32, t float32) {
	var mask [8]uint32
	c := l.call(len(mask), dst, top, bottom, t)
	for i := range c.rest {
		mask[i] = ^uint32(0)
	}
	c.mask = &mask
	lerpF32AVX2(&c)
}
