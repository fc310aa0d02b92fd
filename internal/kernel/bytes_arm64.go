//go:build arm64 && !purego

package kernel

// byteBlock is what one pass of the loops in bytes_arm64.s handles.
const byteBlock = 16

//go:noescape
func sumI8NEON(acc *int32, src *byte, blocks int)

//go:noescape
func sumU8NEON(acc *int32, src *byte, blocks int)

//go:noescape
func widenI8NEON(dst *int16, src *byte, blocks int, zero int16)

//go:noescape
func widenU8NEON(dst *int16, src *byte, blocks int, zero int16)

// sumBytes handles whole blocks and returns how many elements these are.
func sumBytes(acc []int32, src []byte, signed bool) int {
	blocks := len(acc) / byteBlock
	if active == Generic || blocks == 0 {
		return 0
	}
	if signed {
		sumI8NEON(&acc[0], &src[0], blocks)
	} else {
		sumU8NEON(&acc[0], &src[0], blocks)
	}
	return blocks * byteBlock
}

// widen handles whole blocks and returns how many elements these are.
func widen(dst []int16, src []byte, zero int16, signed bool) int {
	blocks := len(src) / byteBlock
	if active == Generic || blocks == 0 {
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
