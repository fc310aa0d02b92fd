package main

// elemNEON writes the routines of elem.go: dst = op(dst, src) on blocks of 16
// bytes, four at a time and then one. R0 is dst, R1 src, R2 the blocks.
func elemNEON() []byte {
	f := newFile("arm64")
	f.elem("maxF32NEON", func(d int) {
		// Where src is greater, it is taken: a NaN in either leaves dst, which
		// FMAX would not.
		f.v(fcmgt4s, 16+d, 4+d, d)
		f.op("VBIT V%d.B16, V%d.B16, V%d.B16", 16+d, 4+d, d)
	})
	f.elem("addF32NEON", func(d int) { f.v(fadd4s, d, d, 4+d) })
	f.elem("maxI8NEON", func(d int) { f.v(smax16b, d, d, 4+d) })
	f.elem("maxU8NEON", func(d int) { f.v(umax16b, d, d, 4+d) })
	return f.Bytes()
}

// elem writes one routine; op writes the work on dst in register d and src in
// register 4+d.
func (f *file) elem(name string, op func(d int)) {
	f.fn(name, 24)
	f.op("MOVD dst+0(FP), R0")
	f.op("MOVD src+8(FP), R1")
	f.op("MOVD blocks+16(FP), R2")
	f.op("AND $3, R2, R3")
	f.op("LSR $2, R2, R2")
	for _, part := range []struct {
		label, after, count string
		n                   int
	}{{"four", "rest", "R2", 4}, {"one", "done", "R3", 1}} {
		f.jump("CBZ "+part.count+",", part.after)
		f.label(part.label)
		f.op("VLD1 (R0), %s", vectors(0, part.n, "B16"))
		f.op("VLD1.P %d(R1), %s", 16*part.n, vectors(4, part.n, "B16"))
		for d := range part.n {
			op(d)
		}
		f.op("VST1.P %s, %d(R0)", vectors(0, part.n, "B16"), 16*part.n)
		f.loop(part.count, part.label)
		f.label(part.after)
	}
	f.op("RET")
}

// bytesNEON writes the routines of sum.go and widen.go, each signed and not, on
// blocks of 16 bytes.
func bytesNEON() []byte {
	f := newFile("arm64")
	f.sumRows("sumRowsI8NEON", saddw8h, saddw8h2)
	f.sumRows("sumRowsU8NEON", uaddw8h, uaddw8h2)
	f.widen("widenI8NEON", sxtl8h, sxtl8h2)
	f.widen("widenU8NEON", uxtl8h, uxtl8h2)
	return f.Bytes()
}

// sumRows sums blocks of columns in 16 bits: the rows are few enough.
func (f *file) sumRows(name string, add, add2 instruction) {
	f.fn(name, 40)
	f.op("MOVD acc+0(FP), R0")
	f.op("MOVD src+8(FP), R1")
	f.op("MOVD blocks+16(FP), R2")
	f.op("MOVD stride+32(FP), R4")
	f.label("block")
	f.op("MOVD rows+24(FP), R3")
	f.op("MOVD R1, R5")
	f.op("VEOR V1.B16, V1.B16, V1.B16")
	f.op("VEOR V2.B16, V2.B16, V2.B16")
	f.label("row")
	f.op("VLD1 (R5), [V0.B16]")
	f.op("ADD R4, R5, R5")
	f.v(add, 1, 1, 0)
	f.v(add2, 2, 2, 0)
	f.loop("R3", "row")
	f.op("VLD1 (R0), %s", vectors(4, 4, "S4"))
	for i := range 2 {
		f.v(saddw4s, 4+2*i, 4+2*i, 1+i)
		f.v(saddw4s2, 5+2*i, 5+2*i, 1+i)
	}
	f.op("VST1.P %s, 64(R0)", vectors(4, 4, "S4"))
	f.op("ADD $16, R1")
	f.loop("R2", "block")
	f.op("RET")
}

func (f *file) widen(name string, long, long2 instruction) {
	f.fn(name, 26)
	f.op("MOVD dst+0(FP), R0")
	f.op("MOVD src+8(FP), R1")
	f.op("MOVD blocks+16(FP), R2")
	f.op("MOVH zero+24(FP), R3")
	f.op("VDUP R3, V3.H8")
	f.label("block")
	f.op("VLD1.P 16(R1), [V0.B16]")
	f.v(long, 1, 0)
	f.v(long2, 2, 0)
	f.op("VSUB V3.H8, V1.H8, V1.H8")
	f.op("VSUB V3.H8, V2.H8, V2.H8")
	f.op("VST1.P [V1.H8, V2.H8], 32(R0)")
	f.loop("R2", "block")
	f.op("RET")
}
