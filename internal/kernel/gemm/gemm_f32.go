// Package gemm holds the tiles that products of matrices, and convolutions
// without a routine of their own, are made of, and how their sums become 8 bits.
package gemm

import "edged/internal/kernel/cpu"

// The shape of a tile, the same in every variant so that weights are packed once.
const (
	TileRows = 6  // output positions of a tile
	TileCols = 16 // output channels of a tile
)

// TileF32 describes one tile of a float32 convolution: up to TileRows output
// positions by TileCols output channels. A matrix product is a convolution with
// one tap.
//
//	for m in 0..Rows, n in 0..TileCols:
//	    acc := Bias[n]
//	    for t in 0..len(Taps), k in 0..K:
//	        acc += A[Off[m]+Taps[t]+k] * W[(t*K+k)*TileCols+n]
//	    Dst[m*Ldc+n] = min(max(acc, Lo), Hi)
//
// Offsets and strides count elements. Every Off is read, those from Rows on
// too: set them to a valid position. The SIMD variants check no bounds.
type TileF32 struct {
	A    []float32
	Off  [TileRows]int
	Taps []int
	K    int
	W    []float32 // PackF32 makes it for MulF32
	Bias []float32 // TileCols values
	Dst  []float32
	Ldc  int
	Rows int
	Lo   float32
	Hi   float32
}

// mulF32Generic is Routines.MulF32. It works on blocks of one position and four channels, so that the
// sums stay in registers.
func mulF32Generic(t *TileF32) {
	for m := range t.Rows {
		dst := t.Dst[m*t.Ldc:][:TileCols]
		for n := 0; n < TileCols; n += 4 {
			c0, c1, c2, c3 := t.Bias[n], t.Bias[n+1], t.Bias[n+2], t.Bias[n+3]
			w := t.W[min(n, len(t.W)):]
			for _, tap := range t.Taps {
				for _, a := range t.A[t.Off[m]+tap:][:t.K] {
					c0 += a * w[0]
					c1 += a * w[1]
					c2 += a * w[2]
					c3 += a * w[3]
					w = w[min(TileCols, len(w)):]
				}
			}
			dst[n], dst[n+1] = clampF32(c0, t.Lo, t.Hi), clampF32(c1, t.Lo, t.Hi)
			dst[n+2], dst[n+3] = clampF32(c2, t.Lo, t.Hi), clampF32(c3, t.Lo, t.Hi)
		}
	}
}

// clampF32 keeps NaN, as TFLite's activations do.
func clampF32(v, lo, hi float32) float32 {
	if v < lo {
		return lo
	}
	if v > hi {
		return hi
	}
	return v
}

// PackF32 lays weights out for Routines.MulF32, one block of TileCols output channels
// after the other, channels past cols as zero:
//
//	dst[(n/TileCols*rows+k)*TileCols + n%TileCols] = at(k, n)
//
// where k in 0..rows counts taps and input channels in the order of the tile's
// sum. PackedF32 gives the length of dst.
func PackF32(dst []float32, rows, cols int, at func(k, n int) float32) {
	for n := range cpu.RoundUp(cols, TileCols) {
		block := dst[n/TileCols*rows*TileCols:]
		for k := range rows {
			var v float32
			if n < cols {
				v = at(k, n)
			}
			block[k*TileCols+n%TileCols] = v
		}
	}
}

// PackRowsF32 is PackF32 of a matrix [cols][rows], row k of channel n at
// w[n*rows+k], which filters of convolutions are.
func PackRowsF32(dst []float32, rows, cols int, w []float32) {
	clear(dst[:PackedF32(rows, cols)])
	for n := range cols {
		block := dst[n/TileCols*rows*TileCols+n%TileCols:]
		for k, v := range w[n*rows:][:rows] {
			block[k*TileCols] = v
		}
	}
}

// PackedF32 is the number of elements that PackF32 writes.
func PackedF32(rows, cols int) int { return rows * cpu.RoundUp(cols, TileCols) }
