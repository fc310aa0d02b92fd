//go:build amd64 && !purego

package vec

//go:noescape
func dequantiseI8AVX2(dst *float32, src *byte, blocks int, scale float32, zero int32)

//go:noescape
func dequantiseU8AVX2(dst *float32, src *byte, blocks int, scale float32, zero int32)

// dequantise handles whole blocks and returns how many values these are.
func dequantise(dst []float32, src []byte, scale float32, zero int32, signed bool) int {
	blocks := blocksF32(len(src))
	if blocks == 0 {
		return 0
	}
	if signed {
		dequantiseI8AVX2(&dst[0], &src[0], blocks, scale, zero)
	} else {
		dequantiseU8AVX2(&dst[0], &src[0], blocks, scale, zero)
	}
	return blocks * lanesF32
}
