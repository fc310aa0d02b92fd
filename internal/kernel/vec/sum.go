package vec

// SumRows adds rows of 8-bit values, stride apart, to sums:
//
//	acc[i] += sum over r in 0..rows of int32(int8(src[r*stride+i]))    // signed
//	acc[i] += sum over r in 0..rows of int32(src[r*stride+i])          // otherwise
func SumRows(acc []int32, src []byte, rows, stride int, signed bool) {
	if rows <= 0 || len(acc) == 0 {
		return
	}
	src = src[:(rows-1)*stride+len(acc)]
	n := sumRows(acc, src, rows, stride, signed)
	sumRowsGeneric(acc[n:], src[n:], rows, stride, signed)
}

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
