package picture

// ArgmaxF32 writes the class with the greatest value at every position:
//
//	for p := range dst {
//		best := 0
//		for k := range classes {
//			if src[p*classes+k] > src[p*classes+best] {
//				best = k
//			}
//		}
//		dst[p] = uint8(best)
//	}
//
// The first of equals wins and a NaN never beats a number before it. src is
// len(dst) rows of classes, 1 to 256 of them.
func (r *Routines) ArgmaxF32(dst []uint8, src []float32, classes int) {
	if classes < 1 || classes > 256 || len(src) != len(dst)*classes {
		panic("BUG: kernel: ArgmaxF32 lengths")
	}
	done := 0
	if r.argmaxF32 != nil {
		done = r.argmaxF32(dst, src, classes)
	}
	argmaxGo(dst[done:], src[done*classes:], classes)
}

// ArgmaxU8 is ArgmaxF32 over unsigned bytes.
func ArgmaxU8(dst []uint8, src []uint8, classes int) {
	if classes < 1 || classes > 256 || len(src) != len(dst)*classes {
		panic("BUG: kernel: ArgmaxU8 lengths")
	}
	argmaxGo(dst, src, classes)
}

// ArgmaxI8 is ArgmaxF32 over signed bytes.
func ArgmaxI8(dst []uint8, src []int8, classes int) {
	if classes < 1 || classes > 256 || len(src) != len(dst)*classes {
		panic("BUG: kernel: ArgmaxI8 lengths")
	}
	argmaxGo(dst, src, classes)
}

// argmaxGo is the portable variant and the oracle of the others.
func argmaxGo[T float32 | uint8 | int8](dst []uint8, src []T, classes int) {
	for p := range dst {
		row := src[p*classes:][:classes]
		best, value := 0, row[0]
		for k := 1; k < len(row); k++ {
			if v := row[k]; v > value {
				best, value = k, v
			}
		}
		dst[p] = uint8(best)
	}
}

// ThresholdF32 writes 1 where a value is at least limit, else 0:
//
//	for p, v := range src { dst[p] = 0; if v >= limit { dst[p] = 1 } }
func ThresholdF32(dst []uint8, src []float32, limit float32) {
	if len(dst) != len(src) {
		panic("BUG: kernel: ThresholdF32 lengths")
	}
	for p, v := range src {
		var class uint8
		if v >= limit {
			class = 1
		}
		dst[p] = class
	}
}
