package gemm

// depthF32Generic is Routines.DepthF32, one tile of a depthwise convolution:
// TileCols neighbouring channels of TileRows positions, each channel by its own
// weights. K is not used, and W holds one row of TileCols for every tap.
//
//	for m in 0..Rows, n in 0..TileCols:
//	    acc := Bias[n]
//	    for t in 0..len(Taps):
//	        acc += A[Off[m]+Taps[t]+n] * W[t*TileCols+n]
//	    Dst[m*Ldc+n] = min(max(acc, Lo), Hi)
//
// Where A ends within the TileCols elements of an access, the missing values
// count as anything: the SIMD variants read up to TileCols-1 elements behind A,
// and the caller drops those channels.
func depthF32Generic(t *TileF32) {
	for m := range t.Rows {
		dst := t.Dst[m*t.Ldc:][:TileCols]
		copy(dst, t.Bias[:TileCols])
		for i, tap := range t.Taps {
			a := t.A[t.Off[m]+tap:]
			w := t.W[i*TileCols:][:TileCols]
			for n, v := range a[:min(TileCols, len(a))] {
				dst[n] += v * w[n]
			}
		}
		for n, v := range dst {
			dst[n] = clampF32(v, t.Lo, t.Hi)
		}
	}
}

// depthI16Generic is Routines.DepthI16: DepthF32 on int16 with int32 sums:
//
//	Dst[m*TileCols+n] = Bias[n] + sum over t of A[Off[m]+Taps[t]+n] * W[t*TileCols+n]
//
// with the same licence to read behind A.
func depthI16Generic(t *TileI16) {
	for m := range t.Rows {
		dst := t.Dst[m*TileCols:][:TileCols]
		copy(dst, t.Bias[:TileCols])
		for i, tap := range t.Taps {
			a := t.A[t.Off[m]+tap:]
			w := t.W[i*TileCols:][:TileCols]
			for n, v := range a[:min(TileCols, len(a))] {
				dst[n] += int32(v) * int32(w[n])
			}
		}
	}
}
