package gemm

import "edged/internal/kernel/vec"

// Requant turns the int32 sums of a tile into 8-bit values:
//
//	for m in 0..Rows, n in 0..TileCols:
//	    v := Zero + MulByQuantized(Acc[m*TileCols+n], Mult[n], Shift[n])
//	    Dst[m*Ldc+n] = byte(min(max(v, Lo), Hi))
//
// HalfUp takes MulByQuantizedHalfUp instead. Every column is computed and
// written. The values Lo and Hi decide between int8 and uint8.
type Requant struct {
	Acc    []int32
	Mult   []int32 // TileCols values
	Shift  []int32 // TileCols values, negative for a shift to the right
	Dst    []byte
	Ldc    int
	Rows   int
	Zero   int32
	Lo     int32
	Hi     int32
	HalfUp bool
}

func requantGeneric(r *Requant) {
	mul := vec.MulByQuantized
	if r.HalfUp {
		mul = vec.MulByQuantizedHalfUp
	}
	for m := range r.Rows {
		acc := r.Acc[m*TileCols:][:TileCols]
		dst := r.Dst[m*r.Ldc:][:TileCols]
		for n, a := range acc {
			v := r.Zero + mul(a, r.Mult[n], r.Shift[n])
			dst[n] = byte(min(max(v, r.Lo), r.Hi))
		}
	}
}
