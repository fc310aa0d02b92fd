//go:build amd64 && !purego

package vec

import "edged/internal/kernel/cpu"

// elemBlock is the number of bytes of one pass of the loops in elem_amd64.s.
const elemBlock = 32

//go:noescape
func maxF32AVX2(dst, src *float32, blocks int)

//go:noescape
func addF32AVX2(dst, src *float32, blocks int)

//go:noescape
func maxI8AVX2(dst, src *int8, blocks int)

//go:noescape
func maxU8AVX2(dst, src *uint8, blocks int)

// elemBlocks is how many whole blocks of n bytes the assembly takes.
func elemBlocks(n int) int {
	if cpu.Active() == cpu.Generic {
		return 0
	}
	return n / elemBlock
}

func maxF32(dst, src []float32) int {
	b := elemBlocks(4 * len(dst))
	if b > 0 {
		_ = src[len(dst)-1]
		maxF32AVX2(&dst[0], &src[0], b)
	}
	return b * elemBlock / 4
}

func addF32(dst, src []float32) int {
	b := elemBlocks(4 * len(dst))
	if b > 0 {
		_ = src[len(dst)-1]
		addF32AVX2(&dst[0], &src[0], b)
	}
	return b * elemBlock / 4
}

func maxI8(dst, src []int8) int {
	b := elemBlocks(len(dst))
	if b > 0 {
		_ = src[len(dst)-1]
		maxI8AVX2(&dst[0], &src[0], b)
	}
	return b * elemBlock
}

func maxU8(dst, src []uint8) int {
	b := elemBlocks(len(dst))
	if b > 0 {
		_ = src[len(dst)-1]
		maxU8AVX2(&dst[0], &src[0], b)
	}
	return b * elemBlock
}
