//go:build amd64 && !purego

package picture

import "edged/internal/kernel/cpu"

// For gives the routines of v, one of cpu.Available: AVX2 serves AVX-512 too.
func For(v cpu.Variant) *Routines {
	if v == cpu.Generic {
		return new(Routines)
	}
	return &avx2
}

var avx2 = Routines{
	prepareF32: prepareF32,
	argmaxF32:  argmaxF32,
}

// prepareShuffles[1] picks, for each group of eight elements of a period, the
// source bytes with the outer channels exchanged out of 16 bytes loaded at
// offset 0, 4 and 8; prepareShuffles[0] keeps the order.
var prepareShuffles = [2][3][16]byte{
	{{0, 1, 2, 3, 4, 5, 6, 7}, {4, 5, 6, 7, 8, 9, 10, 11}, {8, 9, 10, 11, 12, 13, 14, 15}},
	{{2, 1, 0, 5, 4, 3, 8, 7}, {2, 7, 6, 5, 10, 9, 8, 13}, {8, 7, 12, 11, 10, 15, 14, 13}},
}

// prepareF32 converts as many whole periods as it can and returns how many
// elements that was.
func prepareF32(dst []float32, src []byte, n *Norm, swap bool) int {
	periods := len(src) / normPeriod
	if periods == 0 {
		return 0
	}
	order := &prepareShuffles[0]
	if swap {
		order = &prepareShuffles[1]
	}
	prepareF32AVX2(&dst[0], &src[0], periods, n, order)
	return periods * normPeriod
}

//go:noescape
func prepareF32AVX2(dst *float32, src *byte, periods int, n *Norm, shuffles *[3][16]byte)

// argmaxF32 serves whole groups of eight positions and returns how many
// positions that was.
func argmaxF32(dst []uint8, src []float32, classes int) int {
	groups := len(dst) / 8
	if groups == 0 {
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
