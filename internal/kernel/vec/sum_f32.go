package vec

// SumRowsF32 adds rows of floats, stride apart, to sums in float64:
//
//	acc[i] += sum over r in 0..rows of float64(src[r*stride+i])
//
// Every column is summed from the first row to the last; where there is only
// one, four sums are carried side by side.
func (r *Routines) SumRowsF32(acc []float64, src []float32, rows, stride int) {
	if rows <= 0 || len(acc) == 0 {
		return
	}
	src = src[:(rows-1)*stride+len(acc)]
	if len(acc) == 1 {
		acc[0] += sumColumnF32(src, rows, stride)
		return
	}
	if b := r.sumRowsF32.blocks(len(acc)); b > 0 {
		r.sumRowsF32.fn(&acc[0], &src[0], b, rows, 4*stride)
		n := b * r.sumRowsF32.size
		acc, src = acc[n:], src[n:]
	}
	for y := range rows {
		if len(acc) == 0 {
			return
		}
		for i, v := range src[y*stride:][:len(acc)] {
			acc[i] += float64(v)
		}
	}
}

func sumColumnF32(src []float32, rows, stride int) float64 {
	var s [4]float64
	r := 0
	for ; r+4 <= rows; r += 4 {
		s[0] += float64(src[r*stride])
		s[1] += float64(src[(r+1)*stride])
		s[2] += float64(src[(r+2)*stride])
		s[3] += float64(src[(r+3)*stride])
	}
	for ; r < rows; r++ {
		s[0] += float64(src[r*stride])
	}
	return s[0] + s[1] + (s[2] + s[3])
}
