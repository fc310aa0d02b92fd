//go:build amd64 && !purego

package vec

import "edged/internal/kernel/cpu"

// sumBlock is what one pass of the narrow loop in sum_amd64.s handles; the wide
// one takes four.
const sumBlock = 16

// sumMost is the number of rows whose sums fit 16 bits.
const sumMost = 128

//go:noescape
func sumRowsI8AVX2(acc *int32, src *byte, blocks, rows, stride int)

//go:noescape
func sumRowsU8AVX2(acc *int32, src *byte, blocks, rows, stride int)

// sumRows handles whole blocks and returns how many elements these are.
func sumRows(acc []int32, src []byte, rows, stride int, signed bool) int {
	blocks := len(acc) / sumBlock
	if cpu.Active() == cpu.Generic || blocks == 0 {
		return 0
	}
	for r := 0; r < rows; r += sumMost {
		if n := min(sumMost, rows-r); signed {
			sumRowsI8AVX2(&acc[0], &src[r*stride], blocks, n, stride)
		} else {
			sumRowsU8AVX2(&acc[0], &src[r*stride], blocks, n, stride)
		}
	}
	return blocks * sumBlock
}
