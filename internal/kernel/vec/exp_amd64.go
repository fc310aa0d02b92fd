//go:build amd64 && !purego

package vec

import "math"

// expTable holds the constants, each in all lanes, in the order in which
// exp_amd64.s numbers them.
var expTable = func() (t [20][lanesF32]float32) {
	for i, v := range [...]float32{expLog2e, expMagic, expLn2Hi, expLn2Lo, expLo, expHi, 1, expQ6, expQ5, expQ4, expQ3, expQ2,
		float32(math.Copysign(0, -1)), tanhCut, tanhP4, tanhP3, tanhP2, tanhP1, tanhP0, eluLo} {
		for lane := range t[i] {
			t[i][lane] = v
		}
	}
	return t
}()

//go:noescape
func expF32AVX2(dst, src *float32, blocks int, table *[20][lanesF32]float32, minus, times float32, sums *[8]float32)

//go:noescape
func topF32AVX2(src *float32, blocks int, tops *[lanesF32]float32)

//go:noescape
func logisticF32AVX2(dst, src *float32, blocks int, table *[20][lanesF32]float32)

//go:noescape
func tanhF32AVX2(dst, src *float32, blocks int, table *[20][lanesF32]float32)

//go:noescape
func eluF32AVX2(dst, src *float32, blocks int, table *[20][lanesF32]float32)

// These handle whole blocks and return how many elements these are.

func expF32(dst, src []float32, minus, times float32, sums *[8]float32) int {
	b := blocksF32(len(dst))
	if b > 0 {
		expF32AVX2(&dst[0], &src[0], b, &expTable, minus, times, sums)
	}
	return b * lanesF32
}

func topF32(v []float32) (float32, int) {
	top := float32(math.Inf(-1))
	b := blocksF32(len(v))
	if b > 0 {
		var tops [lanesF32]float32
		topF32AVX2(&v[0], b, &tops)
		for _, x := range tops {
			if x > top {
				top = x
			}
		}
	}
	return top, b * lanesF32
}

func logisticF32(dst, src []float32) int {
	b := blocksF32(len(dst))
	if b > 0 {
		logisticF32AVX2(&dst[0], &src[0], b, &expTable)
	}
	return b * lanesF32
}

func tanhF32(dst, src []float32) int {
	b := blocksF32(len(dst))
	if b > 0 {
		tanhF32AVX2(&dst[0], &src[0], b, &expTable)
	}
	return b * lanesF32
}

func eluF32(dst, src []float32) int {
	b := blocksF32(len(dst))
	if b > 0 {
		eluF32AVX2(&dst[0], &src[0], b, &expTable)
	}
	return b * lanesF32
}
