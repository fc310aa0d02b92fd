//go:build arm64 && !purego

package vec

import "edged/internal/kernel/cpu"

// byteBlock is what one pass of the loops in bytes_arm64.s handles.
const byteBlock = 16

//go:noescape
func sumRowsI8NEON(acc *int32, src *byte, blocks, rows, stride int)

//go:noescape
func sumRowsU8NEON(acc *int32, src *byte, blocks, rows, stride int)

//go:noescape
func widenI8NEON(dst *int16, src *byte, blocks int, zero int16)

//go:noescape
func widenU8NEON(dst *int16, src *byte, blocks int, zero int16)

// sumMost is the number of rows whose sums fit 16 bits.
const sumMost = 128

// sumRows handles whole blocks and returns how many elements these are.
func sumRows(acc []int32, src []byte, rows, stride int, signed bool) int {
	blocks := len(acc) / byteBlock
	if cpu.Active() == cpu.Generic || blocks == 0 {
		return 0
	}
	for r := 0; r < rows; r += sumMost {
		if n := min(sumMost, rows-r); signed {
			sumRowsI8NEON(&acc[0], &src[r*stride], blocks, n, stride)
		} else {
			sumRowsU8NEON(&acc[0], &src[r*stride], blocks, n, stride)
		}
	}
	return blocks * byteBlock
}

// widen handles whole blocks and returns how many elements these are.
func widen(dst []int16, src []byte, zero int16, signed bool) int {
	blocks := len(src) / byteBlock
	if cpu.Active() == cpu.Generic || blocks == 0 {
		return 0
	}
	_ = dst[blocks*byteBlock-1]
	if signed {
		widenI8NEON(&dst[0], &src[0], blocks, zero)
	} else {
		widenU8NEON(&dst[0], &src[0], blocks, zero)
	}
	return blocks * byteBlock
}
