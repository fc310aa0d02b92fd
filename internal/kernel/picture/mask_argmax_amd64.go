//go:build amd64 && !purego

package picture

// argmaxF32 serves whole groups of eight positions and returns how many
// positions that was.
func argmaxF32(dst []uint8, src []float32, classes int) int {
	groups := len(dst) / 8
	if !prepareAVX2 || groups == 0 {
		return 0
	}
	var offsets [8]int32 // of the eight positions' first class, in floats
	for i := range offsets {
		offsets[i] = int32(i * classes)
	}
	argmaxF32AVX2(&dst[0], &src[0], groups, classes, &offsets)
	return groups * 8
}

//go:noescape
func argmaxF32AVX2(dst *uint8, src *float32, groups, classes int, offsets *[8]int32)
