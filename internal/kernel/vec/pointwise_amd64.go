//go:build amd64 && !purego

package vec

import "edged/internal/kernel/cpu"

// lanesF32 is the number of floats of one pass of the loops in
// pointwise_amd64.s and exp_amd64.s.
const lanesF32 = 8

//go:noescape
func addPairAVX2(dst, x, y *float32, blocks int, lo, hi float32)

//go:noescape
func subPairAVX2(dst, x, y *float32, blocks int, lo, hi float32)

//go:noescape
func mulPairAVX2(dst, x, y *float32, blocks int, lo, hi float32)

//go:noescape
func divPairAVX2(dst, x, y *float32, blocks int, lo, hi float32)

//go:noescape
func maxPairAVX2(dst, x, y *float32, blocks int, lo, hi float32)

//go:noescape
func minPairAVX2(dst, x, y *float32, blocks int, lo, hi float32)

//go:noescape
func preluPairAVX2(dst, x, y *float32, blocks int, lo, hi float32)

//go:noescape
func squaredDiffersAVX2(dst, x, y *float32, blocks int, lo, hi float32)

//go:noescape
func clampF32AVX2(dst, src *float32, blocks int, lo, hi float32)

//go:noescape
func hardSwishF32AVX2(dst, src *float32, blocks int)

//go:noescape
func leakyReluF32AVX2(dst, src *float32, blocks int, alpha float32)

//go:noescape
func scaleF32AVX2(dst, src *float32, blocks int, factor float32)

var pairsAVX2 = [pairs]func(dst, x, y *float32, blocks int, lo, hi float32){
	AddPair: addPairAVX2, SubPair: subPairAVX2, MulPair: mulPairAVX2, DivPair: divPairAVX2,
	MaxPair: maxPairAVX2, MinPair: minPairAVX2, PreluPair: preluPairAVX2, SquaredDiffers: squaredDiffersAVX2,
}

// blocksF32 is how many blocks of n floats the assembly takes.
func blocksF32(n int) int {
	if cpu.Active() == cpu.Generic {
		return 0
	}
	return n / lanesF32
}

// These handle whole blocks and return how many elements these are.

func pairF32(p PairF32, dst, x, y []float32, lo, hi float32) int {
	b := blocksF32(len(dst))
	if b > 0 {
		pairsAVX2[p](&dst[0], &x[0], &y[0], b, lo, hi)
	}
	return b * lanesF32
}

func clampRowF32(dst, src []float32, lo, hi float32) int {
	b := blocksF32(len(dst))
	if b > 0 {
		clampF32AVX2(&dst[0], &src[0], b, lo, hi)
	}
	return b * lanesF32
}

func hardSwishF32(dst, src []float32) int {
	b := blocksF32(len(dst))
	if b > 0 {
		hardSwishF32AVX2(&dst[0], &src[0], b)
	}
	return b * lanesF32
}

func leakyReluF32(dst, src []float32, alpha float32) int {
	b := blocksF32(len(dst))
	if b > 0 {
		leakyReluF32AVX2(&dst[0], &src[0], b, alpha)
	}
	return b * lanesF32
}

func scaleF32(dst, src []float32, factor float32) int {
	b := blocksF32(len(dst))
	if b > 0 {
		scaleF32AVX2(&dst[0], &src[0], b, factor)
	}
	return b * lanesF32
}
