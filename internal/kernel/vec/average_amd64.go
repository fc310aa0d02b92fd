//go:build amd64 && !purego

package vec

import "edged/internal/kernel/cpu"

// averagePiece is the number of elements of one pass of the loops in
// average_amd64.s.
const averagePiece = 8

// averageMost bounds the count by which sums are divided in float32. To a sum
// goes its rounding and half a unit more, with its sign; times 1/count, two
// roundings away from the quotient, at most 2^-15 where that is below 256. A
// quotient that counts stays 1/2count away from the next whole number.
const averageMost = 1 << 13

//go:noescape
func averageBytesAVX2(dst *byte, acc *int32, n, c, step, tap, k int, inverse, half float32, lo, hi int32)

//go:noescape
func averageF32AVX2(dst, acc *float32, n, c, step, tap, k int, count, lo, hi float32)

// averageBytes computes the first pixels and says how many.
func averageBytes(dst []byte, acc []int32, p Pixels, count int, lo, hi int32) int {
	n := p.within(averagePiece, len(dst), len(acc))
	if cpu.Active() == cpu.Generic || n == 0 || p.K == 0 || count == 0 || count > averageMost {
		return 0
	}
	averageBytesAVX2(&dst[0], &acc[0], n, p.C, 4*p.Step, 4*p.Tap, p.K, 1/float32(count), float32(count/2)+0.5, lo, hi)
	return n
}

func averageF32(dst, acc []float32, p Pixels, count, lo, hi float32) int {
	n := p.within(averagePiece, len(dst), len(acc))
	if cpu.Active() == cpu.Generic || n == 0 || p.K == 0 {
		return 0
	}
	averageF32AVX2(&dst[0], &acc[0], n, p.C, 4*p.Step, 4*p.Tap, p.K, count, lo, hi)
	return n
}
