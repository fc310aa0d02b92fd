package vec

// SumRows adds rows of 8-bit values, stride apart, to sums:
//
//	acc[i] += sum over r in 0..rows of int32(int8(src[r*stride+i]))    // signed
//	acc[i] += sum over r in 0..rows of int32(src[r*stride+i])          // otherwise
func (r *Routines) SumRows(acc []int32, src []byte, rows, stride int, signed bool) {
	if rows <= 0 || len(acc) == 0 {
		return
	}
	src = src[:(rows-1)*stride+len(acc)]
	l := bySign(signed, &r.sumRowsI8, &r.sumRowsU8)
	b := l.blocks(len(acc))
	for at := 0; b > 0 && at < rows; at += sumMost {
		l.fn(&acc[0], &src[at*stride], b, min(sumMost, rows-at), stride)
	}
	n := b * l.size
	sumRowsGeneric(acc[n:], src[n:], rows, stride, signed)
}

// sumMost is the number of rows whose sums fit 16 bits.
const sumMost = 128

func sumRowsGeneric(acc []int32, src []byte, rows, stride int, signed bool) {
	if len(acc) == 1 {
		acc[0] += sumColumn(src, rows, stride, signed)
		return
	}
	for r := range rows {
		row := src[r*stride:][:len(acc)]
		if signed {
			for i, v := range row {
				acc[i] += int32(int8(v))
			}
			continue
		}
		for i, v := range row {
			acc[i] += int32(v)
		}
	}
}

func sumColumn(src []byte, rows, stride int, signed bool) (sum int32) {
	if signed {
		for r := range rows {
			sum += int32(int8(src[r*stride]))
		}
		return sum
	}
	for r := range rows {
		sum += int32(src[r*stride])
	}
	return sum
}
