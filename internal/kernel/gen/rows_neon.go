package main

// prepareNEON writes the routine of prepare_row.go. A period of 24 bytes is
// parted into three channels of eight, whose outer two may change places. One
// channel alone is parted and put together again all the same.
func prepareNEON() []byte {
	f := newFile("arm64")
	f.fn("prepareF32NEON", 33)
	f.op("MOVD dst+0(FP), R0")
	f.op("MOVD src+8(FP), R1")
	f.op("MOVD periods+16(FP), R2")
	f.op("MOVD n+24(FP), R3")
	f.op("MOVBU swap+32(FP), R4")
	f.op("ADD $%d, R3, R5", 24*4)
	for c := range 3 {
		f.op("VLD1R.P 4(R3), [V%d.S4]", 24+c) // means
		f.op("VLD1R.P 4(R5), [V%d.S4]", 28+c) // scales
	}
	f.label("period")
	f.op("VLD3.P 24(R1), [V0.B8, V1.B8, V2.B8]")
	f.jump("CBZ R4,", "convert")
	f.op("VMOV V0.B16, V3.B16")
	f.op("VMOV V2.B16, V0.B16")
	f.op("VMOV V3.B16, V2.B16")
	f.label("convert")
	for c := range 3 {
		f.v(uxtl8h, c, c)
		f.v(uxtl4s, 4+c, c)
		f.v(uxtl4s2, 16+c, c)
		for _, r := range []int{4 + c, 16 + c} {
			f.v(ucvtf4s, r, r)
			f.v(fsub4s, r, r, 24+c)
			f.v(fmul4s, r, r, 28+c)
		}
	}
	f.op("VST3.P %s, 48(R0)", vectors(4, 3, "S4"))
	f.op("VST3.P %s, 48(R0)", vectors(16, 3, "S4"))
	f.loop("R2", "period")
	f.op("RET")
	return f.Bytes()
}

// argmaxNEON writes the routine of mask_argmax.go: four positions at a time,
// four classes at a time transposed, the others gathered one by one. V0 holds
// the best values, V1 their classes, V2 the class at hand, V3 ones.
func argmaxNEON() []byte {
	f := newFile("arm64")
	f.fn("argmaxF32NEON", 32)
	f.op("MOVD dst+0(FP), R0")
	f.op("MOVD src+8(FP), R1")
	f.op("MOVD groups+16(FP), R2")
	f.op("MOVD classes+24(FP), R3")
	f.op("LSL $2, R3, R4") // bytes of a position
	f.op("MOVD $1, R5")
	f.op("VDUP R5, V3.S4")
	f.label("group")
	f.op("MOVD R1, R8")
	for p := 1; p < 4; p++ {
		f.op("ADD R4, R%d, R%d", 7+p, 8+p)
	}
	f.op("ADD R4, R11, R1")
	// The first class is compared with itself and stays.
	for p := range 4 {
		f.op("VLD1 (R%d), V0.S[%d]", 8+p, p)
	}
	f.op("VEOR V1.B16, V1.B16, V1.B16")
	f.op("VEOR V2.B16, V2.B16, V2.B16")
	f.op("LSR $2, R3, R5")
	f.op("AND $3, R3, R6")
	f.jump("CBZ R5,", "rest")
	f.label("four")
	f.transposeNEON()
	for c := range 4 {
		f.better(4 + c)
	}
	f.loop("R5", "four")
	f.label("rest")
	f.jump("CBZ R6,", "store")
	f.label("one")
	for p := range 4 {
		f.op("VLD1.P 4(R%d), V4.S[%d]", 8+p, p)
	}
	f.better(4)
	f.loop("R6", "one")
	f.label("store")
	f.v(xtn4h, 1, 1)
	f.v(xtn8b, 1, 1)
	f.op("FMOVS.P F1, 4(R0)")
	f.loop("R2", "group")
	f.op("RET")
	return f.Bytes()
}

// transposeNEON loads four classes of four positions and leaves the positions
// of each class in V4..V7.
func (f *file) transposeNEON() {
	for p := range 4 {
		f.op("VLD1.P 16(R%d), %s", 8+p, vectors(16+p, 1, "S4"))
	}
	for i := range 2 {
		f.op("VTRN1 V%d.S4, V%d.S4, V%d.S4", 17+2*i, 16+2*i, 20+2*i)
		f.op("VTRN2 V%d.S4, V%d.S4, V%d.S4", 17+2*i, 16+2*i, 21+2*i)
	}
	for i, zip := range []string{"VZIP1", "VZIP2"} {
		for c := range 2 {
			f.op("%s V%d.D2, V%d.D2, V%d.D2", zip, 22+c, 20+c, 4+2*i+c)
		}
	}
}

// better takes the values in a register where they are greater than the best
// so far: a NaN never is.
func (f *file) better(r int) {
	f.v(fcmgt4s, 24, r, 0)
	f.op("VBIT V24.B16, V%d.B16, V0.B16", r)
	f.op("VBIT V24.B16, V2.B16, V1.B16")
	f.op("VADD V3.S4, V2.S4, V2.S4")
}
