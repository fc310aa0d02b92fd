package main

import "fmt"

// offIZero is a field of conv.winogradCallI8.
const offIZero = "winogradCallI8_zero"

// winogradI8NEON writes the 8-bit Winograd routines. A product of the planes
// is 0.28 instructions and takes the place of four direct ones: 0.07 for each
// of these. The transforms add 0.04 with 32 channels in and out, which makes
// half of what convI8x4x16NEON takes, and with 16 channels two thirds.
func winogradI8NEON() []byte {
	f := newFile("arm64")
	winogradInI8NEON(f, "winogradInI8NEON", uxtl8h)
	winogradInI8NEON(f, "winogradInI8NEONSigned", sxtl8h)
	for nv := 1; nv <= 2; nv++ {
		winogradMulI8NEON(f, fmt.Sprintf("winogradMulI8x%dNEON", 8*nv), nv)
		winogradOutI8NEON(f, fmt.Sprintf("winogradOutI8x%dNEON", 8*nv), nv)
	}
	return f.Bytes()
}

// winogradInI8NEON transforms the 6x6 pixels of each tile, 8 channels at a
// time: columns into the spare memory, its rows into the 36 planes of int16.
func winogradInI8NEON(f *file, name string, extend instruction) {
	f.fn(name, 8)
	f.op("MOVD c+0(FP), R0")
	f.field(offIRow, "R1")
	f.field(offIPix, "R2")
	f.field(offIPlane, "R3")
	f.field(offITileAt, "R4")
	f.field(offIPlanes, "R5")
	f.field(offICount, "R6")
	f.label("tile")
	f.op("MOVD.P 8(R4), R7")
	f.field(offISrc, "R8")
	f.op("ADD R8, R7, R7")
	f.op("MOVD R5, R8")
	f.field(offISlot, "R9")
	f.op("ADD R9, R5, R5")
	f.field(offIVecs, "R9")
	f.op("LSL $1, R9, R9")
	f.label("channels")
	f.columnsInI8NEON(extend)
	f.rowsInI8NEON()
	f.op("ADD $8, R7, R7")
	f.op("ADD $16, R8, R8")
	f.loop("R9", "channels")
	f.loop("R6", "tile")
	f.op("RET")
}

// columnsInI8NEON transforms six columns of pixels from R7 on.
func (f *file) columnsInI8NEON(extend instruction) {
	f.op("MOVD R7, R10")
	f.field(offISpare, "R11")
	f.op("MOVD $6, R12")
	f.label("column")
	f.op("MOVD R10, R13")
	for i := range 6 {
		f.op("FMOVD (R13), F%d", i)
		f.op("ADD R1, R13, R13")
	}
	for i := range 6 {
		f.v(extend, i, i)
	}
	f.transformInI8NEON()
	for i, r := range transformedInI8 {
		f.op("FMOVQ F%d, %d(R11)", r, 96*i)
	}
	f.op("ADD R2, R10, R10")
	f.op("ADD $16, R11, R11")
	f.loop("R12", "column")
}

// rowsInI8NEON transforms what columnsInI8NEON left to the planes from R8 on.
func (f *file) rowsInI8NEON() {
	f.op("MOVD R8, R13")
	f.field(offISpare, "R11")
	f.op("MOVD $6, R12")
	f.label("row")
	f.op("VLD1.P 64(R11), %s", vectors(0, 4, "H8"))
	f.op("VLD1.P 32(R11), %s", vectors(4, 2, "H8"))
	f.transformInI8NEON()
	for _, r := range transformedInI8 {
		f.op("FMOVQ F%d, (R13)", r)
		f.op("ADD R3, R13, R13")
	}
	f.loop("R12", "row")
}

// transformInI8NEON is transformInI8 on V0 to V5: what transformedInI8 names
// holds the same here.
func (f *file) transformInI8NEON() {
	sub := func(a, b, to int) { f.op("VSUB V%d.H8, V%d.H8, V%d.H8", b, a, to) }
	add := func(a, b, to int) { f.op("VADD V%d.H8, V%d.H8, V%d.H8", b, a, to) }
	four := func(a, to int) { f.op("VSHL $2, V%d.H8, V%d.H8", a, to) }
	sub(4, 2, 6)
	sub(3, 1, 7)
	sub(0, 2, 8)
	four(8, 8)
	add(8, 6, 8) // 4(d0-d2) + d4-d2
	sub(5, 3, 9)
	four(7, 10)
	sub(9, 10, 9) // d5-d3 - 4(d3-d1)
	four(2, 2)
	sub(4, 2, 2)
	four(1, 1)
	sub(3, 1, 1)
	add(2, 1, 11) // d4-4d2 + d3-4d1
	sub(2, 1, 2)
	add(7, 7, 7)
	add(6, 7, 3)
	sub(6, 7, 4)
}

// winogradMulI8NEON multiplies the tiles of each plane with its weights: 4
// tiles by 16 channels or 8 by 8, 4 input channels a step.
//
//	R10..R17 tiles   V0..V7 their channels   V8..V15 weights   V16..V31 sums
func winogradMulI8NEON(f *file, name string, nv int) {
	tiles := 8 / nv
	f.fn(name, 8)
	f.op("MOVD c+0(FP), R0")
	f.field(offIPlanes, "R1")
	f.field(offIProduct, "R2")
	f.field(offIW, "R3")
	f.field(offISlot, "R4")
	f.op("MOVD $36, R5")
	f.label("plane")
	f.op("MOVD R1, R10")
	f.op("MOVD R2, R7")
	f.field(offICount, "R8")
	f.label("tiles")
	f.op("MOVD R3, R9")
	for t := 1; t < tiles; t++ {
		f.op("ADD R4, R%d, R%d", 9+t, 10+t)
	}
	f.op("ADD R4, R%d, R6", 9+tiles)
	f.field(offISteps, "R19")
	for i := range 16 {
		f.op("VEOR V%d.B16, V%d.B16, V%d.B16", 16+i, 16+i, 16+i)
	}
	f.label("k")
	for v := 0; v < 4*nv; v += 4 {
		f.op("VLD1.P 64(R9), %s", vectors(8+v, 4, "H8"))
	}
	for t := range tiles {
		f.op("FMOVD.P 8(R%d), F%d", 10+t, t)
	}
	for k := range 4 {
		for i := range 8 {
			t, w := i/nv, 8+k*nv+i%nv
			f.vxh(smlal4sx, 16+2*i, w, t, k)
			f.vxh(smlal4sx2, 17+2*i, w, t, k)
		}
	}
	f.loop("R19", "k")
	for i := 16; i < 32; i += 4 {
		f.op("VST1.P %s, 64(R7)", vectors(i, 4, "S4"))
	}
	f.op("MOVD R6, R10")
	f.op("SUBS $%d, R8, R8", tiles)
	f.jump("BGT", "tiles")
	f.op("MOVD R9, R3")
	f.field(offIPlane, "R6")
	f.op("ADD R6, R1, R1")
	f.op("ADD $%d, R2, R2", avx2.productPlane(nv))
	f.loop("R5", "plane")
	f.op("RET")
}

// winogradOutI8NEON transforms the products of each tile back to 4x4 pixels of
// one block of channels, requantises and stores, four channels at a time:
// columns in V0 to V23, V30 a ninth, V31 bias.
//
//	R1 tile's products   R2 the four channels'   R3 constants   R5 bias
//	R7 channels left     R12, R13 row and pixel of dst
func winogradOutI8NEON(f *file, name string, nv int) {
	f.fn(name, 8)
	f.op("MOVD c+0(FP), R0")
	f.field(offIProduct, "R1")
	f.field(offIOutAt, "R8")
	f.field(offICount, "R9")
	f.field(offIDstPix, "R4")
	f.field(offIDstRow, "R6")
	f.dup4s(offINinth, 30, "R2")
	f.label("tile")
	f.op("MOVD.P 8(R8), R10")
	f.field(offIDst, "R11")
	f.op("ADD R11, R10, R10")
	f.op("MOVD R1, R2")
	f.field(offIRequant, "R3")
	f.field(offIBias, "R5")
	f.field(offILive, "R7")
	f.label("channels")
	for x := range 6 {
		in := [6]int{24, 25, 26, 27, 28, 29}
		for y, r := range in {
			f.op("FMOVQ %d(R2), F%d", (6*y+x)*avx2.productPlane(nv), r)
		}
		f.transformOutI8NEON(in, [4]int{4 * x, 4*x + 1, 4*x + 2, 4*x + 3}, 31, 4*x)
	}
	f.op("VLD1.P 16(R5), [V31.S4]")
	f.op("MOVD R10, R12")
	for y := range 4 {
		f.outRowI8NEON(y)
	}
	f.op("ADD $4, R10, R10")
	f.op("ADD $16, R2, R2")
	f.op("ADD $128, R3, R3")
	f.op("SUBS $4, R7, R7")
	f.jump("BGT", "channels")
	f.op("ADD $%d, R1, R1", 32*nv)
	f.loop("R9", "tile")
	f.op("RET")
}

// outRowI8NEON finishes row y of a tile: 4 pixels of four channels. The row's
// six columns make room for the constants.
func (f *file) outRowI8NEON(y int) {
	in := [6]int{y, 4 + y, 8 + y, 12 + y, 16 + y, 20 + y}
	sums := []int{26, 27, 28, 29}
	f.transformOutI8NEON(in, [4]int(sums), 24, 25)
	left, multiplier, right, zero, lo, hi := in[0], in[1], in[2], in[3], in[4], in[5]
	f.op("FMOVQ (R3), F%d", left)
	f.op("FMOVQ 16(R3), F%d", multiplier)
	f.op("FMOVQ 64(R3), F%d", right)
	f.v(neg4s, right, right)
	f.dup4s(offIZero, zero, "R13")
	f.dup4s(offILo, lo, "R13")
	f.dup4s(offIHi, hi, "R13")
	f.eachSum(mul4s, sums, 30)
	shifts := [4]int{3, 2, 1, 1}
	for x, s := range sums {
		n := shifts[y] + shifts[x]
		f.word(uint32(0x4F400400-n<<16|s<<5|s), fmt.Sprintf("sshr v%d.4s, v%d.4s, #%d", s, s, n))
	}
	for _, step := range []struct {
		i       instruction
		operand int
	}{{add4s, 31}, {sshl4s, left}, {sqrdmulh4s, multiplier}, {srshl4s, right}, {add4s, zero}, {smax4s, lo}, {smin4s, hi}} {
		f.eachSum(step.i, sums, step.operand)
	}
	f.packBytesNEON(sums[0], 4)
	f.storeRowI8NEON(y, sums[0])
}

// storeRowI8NEON stores 4 pixels of four channels, or of those that exist.
func (f *file) storeRowI8NEON(y, s int) {
	part, stored := fmt.Sprint("part", y), fmt.Sprint("stored", y)
	f.op("MOVD R12, R13")
	f.op("CMP $4, R7")
	f.jump("BLT", part)
	for x := range 4 {
		f.op("VST1 V%d.S[%d], (R13)", s, x)
		f.op("ADD R4, R13, R13")
	}
	f.jump("B", stored)
	f.label(part)
	for x := range 4 {
		one, none := fmt.Sprintf("one%d_%d", y, x), fmt.Sprintf("none%d_%d", y, x)
		f.op("VMOV V%d.S[%d], R14", s, x)
		f.op("MOVD R13, R15")
		f.jump("TBZ $1, R7,", one)
		f.op("MOVH.P R14, 2(R15)")
		f.op("LSR $16, R14, R14")
		f.label(one)
		f.jump("TBZ $0, R7,", none)
		f.op("MOVB R14, (R15)")
		f.label(none)
		f.op("ADD R4, R13, R13")
	}
	f.label(stored)
	f.op("ADD R6, R12, R12")
}

// transformOutI8NEON is transformOutI8: it leaves the results in out and
// overwrites m, s and t, of which s may be none of out but the first.
func (f *file) transformOutI8NEON(m [6]int, out [4]int, t, s int) {
	sub := func(a, b, to int) { f.op("VSUB V%d.S4, V%d.S4, V%d.S4", b, a, to) }
	add := func(a, b, to int) { f.op("VADD V%d.S4, V%d.S4, V%d.S4", b, a, to) }
	double := func(a, to int) { f.op("VSHL $1, V%d.S4, V%d.S4", a, to) }
	add(m[1], m[2], s)
	sub(m[1], m[2], m[1])
	add(m[3], m[4], t)
	sub(m[3], m[4], m[3])
	double(m[1], m[2])
	add(m[2], m[3], out[1]) // 2d + e
	add(s, t, out[2])
	add(m[3], m[5], m[5])
	double(m[5], m[5])
	add(m[5], m[1], out[3]) // d + 2(e+m5)
	double(s, s)
	add(s, m[0], m[0])
	double(m[0], m[0])
	add(m[0], t, out[0]) // 2(m0+2s) + t
}
