package main

// Integer instructions of sums, products and mixtures of bytes.
var (
	sxtl4s    = instruction{0x0F10A400, "sxtl v%d.4s, v%d.4h"}
	sxtl4s2   = instruction{0x4F10A400, "sxtl2 v%d.4s, v%d.8h"}
	xtn8h2    = instruction{0x4E612800, "xtn2 v%d.8h, v%d.4s"}
	xtn16b2   = instruction{0x4E212800, "xtn2 v%d.16b, v%d.8h"}
	sqxtn4h   = instruction{0x0E614800, "sqxtn v%d.4h, v%d.4s"}
	sqxtn8h2  = instruction{0x4E614800, "sqxtn2 v%d.8h, v%d.4s"}
	sqadd8h   = instruction{0x4E600C00, "sqadd v%d.8h, v%d.8h, v%d.8h"}
	smax8h    = instruction{0x4E606400, "smax v%d.8h, v%d.8h, v%d.8h"}
	smin8h    = instruction{0x4E606C00, "smin v%d.8h, v%d.8h, v%d.8h"}
	smull4s   = instruction{0x0E60C000, "smull v%d.4s, v%d.4h, v%d.4h"}
	smull4s2  = instruction{0x4E60C000, "smull2 v%d.4s, v%d.8h, v%d.8h"}
	smlal4s   = instruction{0x0E608000, "smlal v%d.4s, v%d.4h, v%d.4h"}
	smlal4s2  = instruction{0x4E608000, "smlal2 v%d.4s, v%d.8h, v%d.8h"}
	mla4s     = instruction{0x4EA09400, "mla v%d.4s, v%d.4s, v%d.4s"}
	shl10     = instruction{0x4F2A5400, "shl v%d.4s, v%d.4s, #10"}
	shl19     = instruction{0x4F335400, "shl v%d.4s, v%d.4s, #19"}
	shl20     = instruction{0x4F345400, "shl v%d.4s, v%d.4s, #20"}
	srshr20   = instruction{0x4F2C2400, "srshr v%d.4s, v%d.4s, #20"}
	extendI8  = [2]instruction{sxtl8h, sxtl8h2}
	extendU8  = [2]instruction{uxtl8h, uxtl8h2}
	extendI16 = [2]instruction{sxtl4s, sxtl4s2}
)

// quantiseNEON writes the routines of quantise.go and dequantise.go, on blocks of
// eight: FRINTA rounds half away from zero, FMAXNM makes of NaN the lower bound.
func quantiseNEON() []byte {
	f := newFile("arm64")
	f.fn("quantiseNEON", 44)
	f.args("dst", "src", "blocks")
	f.op("FMOVD scale+24(FP), F31")
	f.op("VDUP V31.D[0], V31.D2")
	f.dupArg("zero", 32, 28)
	f.dupArg("lo", 36, 29)
	f.dupArg("hi", 40, 30)
	f.label("block")
	f.op("VLD1.P 32(R1), [V0.S4, V1.S4]")
	for d := range 2 {
		for half, i := range []instruction{fcvtl2d, fcvtl2d2} {
			f.v(i, 2+half, d)
			f.v(fdiv2d, 2+half, 2+half, 31)
			f.v(frinta2d, 2+half, 2+half)
		}
		f.v(fcvtn2s, d, 2)
		f.v(fcvtn2s2, d, 3)
		f.v(fadd4s, d, d, 28)
		f.v(fmaxnm4s, d, d, 29)
		f.v(fmin4s, d, d, 30)
		f.v(fcvtzs4s, d, d)
	}
	f.v(xtn4h, 0, 0)
	f.v(xtn8h2, 0, 1)
	f.v(xtn8b, 0, 0)
	f.op("VST1.P [V0.B8], 8(R0)")
	f.loop("R2", "block")
	f.op("RET")
	f.dequantise("dequantiseI8NEON", sxtl8h)
	f.dequantise("dequantiseU8NEON", uxtl8h)
	return f.Bytes()
}

func (f *file) dequantise(name string, extend instruction) {
	f.fn(name, 32)
	f.args("dst", "src", "blocks")
	f.dupArg("scale", 24, 31)
	f.op("MOVW zero+28(FP), R3")
	f.op("VDUP R3, V30.H8")
	f.label("block")
	f.op("VLD1.P 8(R1), [V0.B8]")
	f.v(extend, 0, 0)
	f.op("VSUB V30.H8, V0.H8, V0.H8")
	for half, i := range extendI16 {
		f.v(i, 1+half, 0)
		f.v(scvtf4s, 1+half, 1+half)
		f.v(fmul4s, 1+half, 1+half, 31)
	}
	f.op("VST1.P [V1.S4, V2.S4], 32(R0)")
	f.loop("R2", "block")
	f.op("RET")
}

// lerpI8NEON writes the routine of lerp_bytes.go: the pixels of the upper row at
// R11 and R12, those of the lower one at R13 and R14, 16 channels at a time.
func lerpI8NEON() []byte {
	f := newFile("arm64")
	f.fn("lerpI8NEON", 52)
	f.args("dst", "top", "bottom", "xs", "n", "c")
	f.op("MOVW t+48(FP), R6")
	f.op("VDUP R6, V31.S4")
	f.label("pixel")
	f.op("MOVD lerpI8X_lo(R3), R8")
	f.op("MOVD lerpI8X_hi(R3), R9")
	f.op("MOVW lerpI8X_u(R3), R10")
	f.op("VDUP R10, V30.H8")
	f.op("MOVD $1024, R7")
	f.op("SUB R10, R7, R7")
	f.op("VDUP R7, V29.H8")
	for i, row := range []string{"R1", "R2"} {
		f.op("ADD R8, %s, R%d", row, 11+2*i)
		f.op("ADD R9, %s, R%d", row, 12+2*i)
	}
	f.op("MOVD R0, R15")
	f.op("MOVD R5, R16")
	f.label("piece")
	for i := range 4 {
		f.op("VLD1.P 16(R%d), %s", 11+i, vectors(i, 1, "B16"))
	}
	for half, extend := range extendI8 {
		f.mixHalf(extend, 24+half)
	}
	f.v(xtn8b, 24, 24)
	f.v(xtn16b2, 24, 25)
	f.op("VST1.P [V24.B16], 16(R15)")
	f.op("SUBS $16, R16, R16")
	f.jump("BGT", "piece")
	f.op("ADD R5, R0, R0")
	f.op("ADD $lerpI8X__size, R3")
	f.loop("R4", "pixel")
	f.op("RET")
	return f.Bytes()
}

// mixHalf mixes eight channels of V0 to V3 into the words of d. With v of the
// upper row and w of the lower one that is 1024 v + t (w-v), rounded half away
// from zero: a negative value loses one beside the half.
func (f *file) mixHalf(extend instruction, d int) {
	for i := range 4 {
		f.v(extend, 4+i, i)
	}
	for row := range 2 {
		f.v(smull4s, 16+2*row, 4+2*row, 29)
		f.v(smull4s2, 17+2*row, 4+2*row, 29)
		f.v(smlal4s, 16+2*row, 5+2*row, 30)
		f.v(smlal4s2, 17+2*row, 5+2*row, 30)
	}
	for i := range 2 {
		v, w := 16+i, 18+i
		f.v(sub4s, w, w, v)
		f.v(shl10, v, v)
		f.v(mla4s, v, w, 31)
		f.v(sshr31, w, v)
		f.v(add4s, v, v, w)
		f.v(srshr20, v, v)
	}
	f.v(xtn4h, d, 16)
	f.v(xtn8h2, d, 17)
}

// Registers of the sums and products: the constants of vec.pairConstants by
// their numbers there, and their scratch.
const (
	pairFirst, pairSecond, pairOther, pairOtherShift = 16, 17, 18, 19
	pairResult, pairResultShift                      = 20, 21
	pairZero, pairLo, pairHi, pairScratch            = 22, 23, 24, 30
)

// pairBytesNEON writes the routines of pair_bytes.go, on blocks of 16: SQRDMULH is
// vec.DoublingHighMul, and half the factor of 2^20 a shift by 19.
func pairBytesNEON() []byte {
	f := newFile("arm64")
	plus := func(x, y int) { f.v(add4s, x, x, y) }
	minus := func(x, y int) { f.v(sub4s, x, x, y) }
	from := func(x, y int) { f.v(sub4s, x, y, x) }
	for _, r := range []struct {
		name    string
		combine func(x, y int)
	}{{"add", plus}, {"sub", minus}, {"subFrom", from}} {
		f.pairBytes(r.name+"BytesI8NEON", "half", "other", extendI8, f.sumOf(r.combine))
		f.pairBytes(r.name+"BytesU8NEON", "half", "other", extendU8, f.sumOf(r.combine))
	}
	f.pairBytes("mulBytesI8NEON", "x", "y", extendI8, f.productOf)
	f.pairBytes("mulBytesU8NEON", "x", "y", extendU8, f.productOf)
	return f.Bytes()
}

// pairBytes writes one routine; value leaves in V4 and V5 what the result's
// factor is to be applied to, from the words in V2 and V3.
func (f *file) pairBytes(name, x, y string, extend [2]instruction, value func()) {
	f.fn(name, 40)
	f.args("dst", x, y, "blocks", "table")
	for _, c := range [][2]int{{0, pairFirst}, {1, pairSecond}, {12, pairOther}, {13, pairOtherShift}, {6, pairResult}, {8, pairResultShift}, {9, pairZero}, {10, pairLo}, {11, pairHi}} {
		f.op("FMOVQ %d(R4), F%d", 32*c[0], c[1])
	}
	f.v(neg4s, pairResultShift, pairResultShift)
	f.label("block")
	f.op("VLD1.P 16(R1), [V0.B16]")
	f.op("VLD1.P 16(R2), [V1.B16]")
	for half, i := range extend {
		f.v(i, 2, 0)
		f.v(i, 3, 1)
		value()
		f.scaled([]int{4, 5}, pairResult, pairResultShift)
		f.v(sqxtn4h, 10+half, 4)
		f.v(sqxtn8h2, 10+half, 5)
		f.v(sqadd8h, 10+half, 10+half, pairZero)
		f.v(smax8h, 10+half, 10+half, pairLo)
		f.v(smin8h, 10+half, 10+half, pairHi)
	}
	f.v(xtn8b, 10, 10)
	f.v(xtn16b2, 10, 11)
	f.op("VST1.P [V10.B16], 16(R0)")
	f.loop("R3", "block")
	f.op("RET")
}

// scaled applies a factor, halves away from zero.
func (f *file) scaled(values []int, multiplier, shift int) {
	f.eachSum(sqrdmulh4s, values, multiplier)
	f.lowerNegatives(values, shift, pairScratch)
	f.eachSum(srshl4s, values, shift)
}

// sumOf makes the sums of doubled words: the one operand's factor is a half.
func (f *file) sumOf(combine func(x, y int)) func() {
	return func() {
		for i, extend := range extendI16 {
			f.v(extend, 4+i, 2)
			f.v(extend, 6+i, 3)
		}
		f.eachSum(sub4s, []int{4, 5}, pairFirst)
		f.eachSum(sub4s, []int{6, 7}, pairSecond)
		for i := range 2 {
			f.v(shl19, 4+i, 4+i)
			f.v(shl20, 6+i, 6+i)
		}
		f.scaled([]int{6, 7}, pairOther, pairOtherShift)
		for i := range 2 {
			combine(4+i, 6+i)
		}
	}
}

// productOf makes the products.
func (f *file) productOf() {
	f.op("VSUB V%d.H8, V2.H8, V2.H8", pairFirst)
	f.op("VSUB V%d.H8, V3.H8, V3.H8", pairSecond)
	f.v(smull4s, 4, 2, 3)
	f.v(smull4s2, 5, 2, 3)
}
