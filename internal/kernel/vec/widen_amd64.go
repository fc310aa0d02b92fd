//go:build amd64 && !purego

package vec

import "edged/internal/kernel/cpu"

// widenBlock is what one pass of the loop in widen_amd64.s handles.
const widenBlock = 16

//go:noescape
func widenI8AVX2(dst *int16, src *byte, blocks int, zero int16)

//go:noescape
func widenU8AVX2(dst *int16, src *byte, blocks int, zero int16)

// widen handles whole blocks and returns how many elements these are.
func widen(dst []int16, src []byte, zero int16, signed bool) int {
	blocks := len(src) / widenBlock
	if cpu.Active() == cpu.Generic || blocks == 0 {
		return 0
	}
	_ = dst[blocks*widenBlock-1]
	if signed {
		widenI8AVX2(&dst[0], &src[0], blocks, zero)
	} else {
		widenU8AVX2(&dst[0], &src[0], blocks, zero)
	}
	return blocks * widenBlock
}
