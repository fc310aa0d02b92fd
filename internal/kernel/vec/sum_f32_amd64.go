//go:build amd64 && !purego

package vec

import "edged/internal/kernel/cpu"

// sumF32Block is what one pass of the narrow loop in sum_f32_amd64.s handles;
// the wide one takes four.
const sumF32Block = 4

//go:noescape
func sumRowsF32AVX2(acc *float64, src *float32, blocks, rows, stride int)

// sumRowsF32 handles whole blocks and returns how many elements these are.
func sumRowsF32(acc []float64, src []float32, rows, stride int) int {
	blocks := len(acc) / sumF32Block
	if cpu.Active() == cpu.Generic || blocks == 0 {
		return 0
	}
	sumRowsF32AVX2(&acc[0], &src[0], blocks, rows, 4*stride)
	return blocks * sumF32Block
}
