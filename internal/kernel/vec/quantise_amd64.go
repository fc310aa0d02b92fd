//go:build amd64 && !purego

package vec

import "edged/internal/kernel/cpu"

// quantiseBlock is the number of values of one pass of the loop in quantise_amd64.s.
const quantiseBlock = 8

//go:noescape
func quantiseAVX2(dst *byte, src *float32, blocks int, scale float64, zero, lo, hi float32)

// quantise handles whole blocks and returns how many values these are.
func quantise(dst []byte, src []float32, scale float32, zero, lo, hi int32) int {
	blocks := len(src) / quantiseBlock
	if cpu.Active() == cpu.Generic || blocks == 0 {
		return 0
	}
	_ = dst[blocks*quantiseBlock-1]
	quantiseAVX2(&dst[0], &src[0], blocks, float64(scale), float32(zero), float32(lo), float32(hi))
	return blocks * quantiseBlock
}
