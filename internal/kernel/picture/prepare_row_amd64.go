//go:build amd64 && !purego

package picture

import features "golang.org/x/sys/cpu"

// prepareAVX2 chooses the AVX2 variants of the prepare and mask routines; the
// tests run both.
var prepareAVX2 = features.X86.HasAVX2

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
	if !prepareAVX2 || periods == 0 {
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
