//go:build arm64 && !purego

package vec

import "edged/internal/kernel/cpu"

// For gives the routines of v, one of cpu.Available: NEON serves a machine with
// the dot product too.
func For(v cpu.Variant) *Routines {
	if v == cpu.Generic {
		return new(Routines)
	}
	return &neon
}

var neon = Routines{
	maxF32: of(maxF32NEON, 4),
	addF32: of(addF32NEON, 4),
	maxI8:  of(maxI8NEON, 16),
	maxU8:  of(maxU8NEON, 16),

	addPair:        of(addPairNEON, 8),
	subPair:        of(subPairNEON, 8),
	mulPair:        of(mulPairNEON, 8),
	divPair:        of(divPairNEON, 8),
	maxPair:        of(maxPairNEON, 8),
	minPair:        of(minPairNEON, 8),
	preluPair:      of(preluPairNEON, 8),
	squaredDiffers: of(squaredDiffersNEON, 8),
	clampF32:       of(clampF32NEON, 8),
	hardSwishF32:   of(hardSwishF32NEON, 8),
	leakyReluF32:   of(leakyReluF32NEON, 8),
	scaleF32:       of(scaleF32NEON, 8),

	expF32:      of(expBlocks, 8),
	topF32:      of(topBlocks, 8),
	logisticF32: of(logisticF32NEON, 8),
	tanhF32:     of(tanhF32NEON, 8),
	eluF32:      of(eluF32NEON, 8),

	widenI8:      of(widenI8NEON, 16),
	widenU8:      of(widenU8NEON, 16),
	dequantiseI8: of(dequantiseI8NEON, 8),
	dequantiseU8: of(dequantiseU8NEON, 8),
	quantise:     of(quantiseNEON, 8),
	table:        of(tableBlocks, 16),

	sumRowsI8:  of(sumRowsI8NEON, 16),
	sumRowsU8:  of(sumRowsU8NEON, 16),
	sumRowsF32: of(sumRowsF32NEON, 4), // and 16 at a time where there are as many

	averageBytes: of(averageBytesNEON, 8),
	averageF32:   of(averageF32NEON, 8),
	maxPixelsI8:  of(maxPixelsI8NEON, 16),
	maxPixelsU8:  of(maxPixelsU8NEON, 16),
	maxPixelsF32: of(maxPixelsF32NEON, 4),
	lerpI8:       of(lerpI8NEON, 16),
	lerpF32:      of(lerpPixels, 4),

	addBytesI8:     of(addBytesI8NEON, 16),
	addBytesU8:     of(addBytesU8NEON, 16),
	subBytesI8:     of(subBytesI8NEON, 16),
	subBytesU8:     of(subBytesU8NEON, 16),
	subFromBytesI8: of(subFromBytesI8NEON, 16),
	subFromBytesU8: of(subFromBytesU8NEON, 16),
	mulBytesI8:     of(mulBytesI8NEON, 16),
	mulBytesU8:     of(mulBytesU8NEON, 16),
}

// The routines of files whose names end in _arm64.s.
func maxF32NEON(dst, src *float32, blocks int)
func addF32NEON(dst, src *float32, blocks int)
func maxI8NEON(dst, src *int8, blocks int)
func maxU8NEON(dst, src *uint8, blocks int)
func addPairNEON(dst, x, y *float32, blocks int, lo, hi float32)
func subPairNEON(dst, x, y *float32, blocks int, lo, hi float32)
func mulPairNEON(dst, x, y *float32, blocks int, lo, hi float32)
func divPairNEON(dst, x, y *float32, blocks int, lo, hi float32)
func maxPairNEON(dst, x, y *float32, blocks int, lo, hi float32)
func minPairNEON(dst, x, y *float32, blocks int, lo, hi float32)
func preluPairNEON(dst, x, y *float32, blocks int, lo, hi float32)
func squaredDiffersNEON(dst, x, y *float32, blocks int, lo, hi float32)
func clampF32NEON(dst, src *float32, blocks int, lo, hi float32)
func hardSwishF32NEON(dst, src *float32, blocks int)
func leakyReluF32NEON(dst, src *float32, blocks int, alpha float32)
func scaleF32NEON(dst, src *float32, blocks int, factor float32)
func logisticF32NEON(dst, src *float32, blocks int, table *expConstants)
func tanhF32NEON(dst, src *float32, blocks int, table *expConstants)
func eluF32NEON(dst, src *float32, blocks int, table *expConstants)
func widenI8NEON(dst *int16, src *byte, blocks int, zero int16)
func widenU8NEON(dst *int16, src *byte, blocks int, zero int16)
func dequantiseI8NEON(dst *float32, src *byte, blocks int, scale float32, zero int32)
func dequantiseU8NEON(dst *float32, src *byte, blocks int, scale float32, zero int32)
func quantiseNEON(dst *byte, src *float32, blocks int, scale float64, zero, lo, hi float32)
func sumRowsI8NEON(acc *int32, src *byte, blocks, rows, stride int)
func sumRowsU8NEON(acc *int32, src *byte, blocks, rows, stride int)
func sumRowsF32NEON(acc *float64, src *float32, blocks, rows, stride int)
func averageBytesNEON(dst *byte, acc *int32, n, c, step, tap, k int, inverse, half float32, lo, hi int32)
func averageF32NEON(dst, acc *float32, n, c, step, tap, k int, count, lo, hi float32)
func maxPixelsI8NEON(dst, src *byte, n, c, step, tap, k int)
func maxPixelsU8NEON(dst, src *byte, n, c, step, tap, k int)
func maxPixelsF32NEON(dst, src *float32, n, c, step, tap, k int)
func lerpI8NEON(dst, top, bottom *byte, xs *lerpI8X, n, c int, t int32)
func addBytesI8NEON(dst, half, other *byte, blocks int, table *pairConstants)
func addBytesU8NEON(dst, half, other *byte, blocks int, table *pairConstants)
func subBytesI8NEON(dst, half, other *byte, blocks int, table *pairConstants)
func subBytesU8NEON(dst, half, other *byte, blocks int, table *pairConstants)
func subFromBytesI8NEON(dst, half, other *byte, blocks int, table *pairConstants)
func subFromBytesU8NEON(dst, half, other *byte, blocks int, table *pairConstants)
func mulBytesI8NEON(dst, x, y *byte, blocks int, table *pairConstants)
func mulBytesU8NEON(dst, x, y *byte, blocks int, table *pairConstants)

// Those below get what lies on the stack, which a call by the table would move
// to the heap.

//go:noescape
func expF32NEON(dst, src *float32, blocks int, table *expConstants, minus, times float32, sums *[8]float32)

func expBlocks(dst, src *float32, blocks int, minus, times float32) (sums [8]float32) {
	expF32NEON(dst, src, blocks, &expTable, minus, times, &sums)
	return sums
}

//go:noescape
func topF32NEON(src *float32, blocks int, tops *[8]float32)

func topBlocks(src *float32, blocks int) (tops [8]float32) {
	topF32NEON(src, blocks, &tops)
	return tops
}

//go:noescape
func tableNEON(dst, src *byte, blocks int, values *[256]byte)

func tableBlocks(dst, src *byte, blocks int, t *Table) { tableNEON(dst, src, blocks, &t.values) }

//go:noescape
func lerpF32NEON(c *lerpCall)

func lerpPixels(l *LerpF32, dst, top, bottom *float32, t float32) {
	c := l.call(4, dst, top, bottom, t)
	lerpF32NEON(&c)
}
