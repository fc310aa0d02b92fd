//go:build amd64 && !purego

package kernel

// sumBlock is what one pass of the loop in sum_amd64.s handles.
const sumBlock = 8

//go:noescape
func sumI8AVX2(acc *int32, src *byte, blocks int)

//go:noescape
func sumU8AVX2(acc *int32, src *byte, blocks int)

// sumBytes handles whole blocks and returns how many elements these are.
func sumBytes(acc []int32, src []byte, signed bool) int {
	blocks := len(acc) / sumBlock
	if active == Generic || blocks == 0 {
		return 0
	}
	if signed {
		sumI8AVX2(&acc[0], &src[0], blocks)
	} else {
		sumU8AVX2(&acc[0], &src[0], blocks)
	}
	return blocks * sumBlock
}
