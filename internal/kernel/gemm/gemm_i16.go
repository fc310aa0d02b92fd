package gemm

import "edged/internal/kernel/cpu"

// TileI16 describes one tile of a quantised convolution. Activations and
// weights are int8 or uint8 values with their zero points already taken off,
// which leaves at most nine bits and a sign: products of int16, sums of int32.
//
//	for m in 0..Rows, n in 0..TileCols:
//	    acc := Bias[n]
//	    for t in 0..len(Taps), k in 0..K:
//	        acc += A[Off[m]+Taps[t]+k] * W[...]        // layout: PackI16
//	    Dst[m*TileCols+n] = acc                         // modulo 2^32
//
// K is even: the SIMD variants multiply pairs. Weights of a padding k are zero,
// and A must be readable there. Every Off is read. No bounds are checked.
type TileI16 struct {
	A    []int16
	Off  [TileRows]int
	Taps []int
	K    int
	W    []int16
	Bias []int32 // TileCols values
	Dst  []int32 // TileRows*TileCols values
	Rows int
}

func mulI16Generic(t *TileI16) {
	for m := range t.Rows {
		dst := t.Dst[m*TileCols:][:TileCols]
		for n := 0; n < TileCols; n += 2 {
			c0, c1 := t.Bias[n], t.Bias[n+1]
			w := t.W[min(2*n, len(t.W)):]
			for _, tap := range t.Taps {
				a := t.A[t.Off[m]+tap:][:t.K]
				for k := 0; k < len(a)-1; k += 2 {
					a0, a1 := int32(a[k]), int32(a[k+1])
					c0 += a0*int32(w[0]) + a1*int32(w[1])
					c1 += a0*int32(w[2]) + a1*int32(w[3])
					w = w[min(2*TileCols, len(w)):]
				}
			}
			dst[n], dst[n+1] = c0, c1
		}
	}
}

// PackI16 lays weights out for Routines.MulI16: pairs of consecutive k stand together.
// rows is the number of taps times K, K even:
//
//	dst[(n/TileCols*rows/2+k/2)*2*TileCols + n%TileCols*2 + k%2] = at(k, n)
//
// PackedI16 gives the length of dst.
func PackI16(dst []int16, rows, cols int, at func(k, n int) int16) {
	for n := range cpu.RoundUp(cols, TileCols) {
		block := dst[n/TileCols*rows*TileCols:]
		for k := range rows {
			var v int16
			if n < cols {
				v = at(k, n)
			}
			block[k/2*2*TileCols+n%TileCols*2+k%2] = v
		}
	}
}

// PackedI16 is the number of elements that PackI16 writes.
func PackedI16(rows, cols int) int { return rows * cpu.RoundUp(cols, TileCols) }
