package main

import "fmt"

// The Winograd transforms keep the constants 4, 5, 2 and 8 in one vector, lo
// and hi in two, and a pixel's bias in one.
const (
	neonConsts, neonLo, neonHi, neonBias = 31, 28, 29, 30
	byFour, byFive, byTwo, byEight       = 0, 1, 2, 3 // elements of neonConsts
)

func winogradNEON() []byte {
	f := newFile("arm64")
	winogradRowsNEON(f)
	winogradColsNEON(f)
	winogradOutNEON(f)
	return f.Bytes()
}

// transformInNEON computes B^T d of F(4, 3) for d in V0..V5; the result stands
// in neonTransformedIn.
func transformInNEON(f *file) {
	f.op("VMOV V4.B16, V6.B16")
	f.op("VMOV V3.B16, V7.B16")
	f.op("VMOV V4.B16, V10.B16")
	f.v(fsub4s, 11, 4, 2)
	f.v(fsub4s, 12, 3, 1)
	f.vx(fmls4sx, 6, 2, neonConsts, byFour)
	f.vx(fmls4sx, 7, 1, neonConsts, byFour)
	f.vx(fmla4sx, 10, 0, neonConsts, byFour)
	f.vx(fmla4sx, 5, 1, neonConsts, byFour)
	f.op("VMOV V11.B16, V13.B16")
	f.vx(fmls4sx, 10, 2, neonConsts, byFive)
	f.vx(fmls4sx, 5, 3, neonConsts, byFive)
	f.vx(fmla4sx, 13, 12, neonConsts, byTwo)
	f.vx(fmls4sx, 11, 12, neonConsts, byTwo)
	f.v(fadd4s, 8, 6, 7)
	f.v(fsub4s, 9, 6, 7)
}

var neonTransformedIn = [6]int{10, 8, 9, 13, 11, 5}

// transformOutNEON computes A^T m of F(4, 3) for m in V0..V5; the result stands
// in neonTransformedOut, and V1..V4 are free.
func transformOutNEON(f *file) {
	f.v(fadd4s, 6, 1, 2)
	f.v(fsub4s, 7, 1, 2)
	f.v(fadd4s, 8, 3, 4)
	f.v(fsub4s, 9, 3, 4)
	f.v(fadd4s, 0, 0, 6)
	f.v(fadd4s, 5, 5, 7)
	f.vx(fmla4sx, 6, 8, neonConsts, byFour)
	f.vx(fmla4sx, 7, 9, neonConsts, byTwo)
	f.v(fadd4s, 0, 0, 8)
	f.vx(fmla4sx, 5, 9, neonConsts, byEight)
}

var neonTransformedOut = [4]int{0, 7, 6, 5}

// openWinogradNEON opens a transform; the offset is that of the constants.
func openWinogradNEON(f *file, name, consts string) {
	f.fn(name, 8)
	f.op("MOVD c+0(FP), R0")
	f.field(consts, "R4")
	f.op("VLD1 (R4), %s", vectors(neonConsts, 1, "S4"))
}

// winogradRowsNEON transforms six rows of a picture, R16 to R22, to six rows of
// the scratch, whole vectors, then the part of one.
func winogradRowsNEON(f *file) {
	openWinogradNEON(f, "winogradRowsNEON", offRConsts)
	for i := range 6 {
		f.field(fmt.Sprintf("(winogradRows_rows+%d)", 8*i), neonRow(i))
	}
	f.field(offRDst, "R11")
	f.field(offRStride, "R12")
	f.field(offRBlocks, "R13")
	f.jump("CBZ R13,", "tail")
	f.label("block")
	for i := range 6 {
		f.op("VLD1.P 16(%s), %s", neonRow(i), vectors(i, 1, "S4"))
	}
	transformInNEON(f)
	f.storeSix("R11", "R12")
	f.op("ADD $16, R11, R11")
	f.loop("R13", "block")
	f.label("tail")
	f.field(offRTail, "R13")
	f.jump("CBZ R13,", "end")
	maskNEON(f, offRMask)
	for i := range 6 {
		f.op("MOVD %s, R7", neonRow(i))
		f.loadLanesNEON(i, fmt.Sprintf("part%d", i))
	}
	transformInNEON(f)
	f.storeSix("R11", "R12")
	f.label("end")
	f.op("RET")
}

// neonRow is the register of row i.
func neonRow(i int) string { return [...]string{"R16", "R17", "R19", "R20", "R21", "R22"}[i] }

// storeSix stores what transformInNEON leaves from register to on, stride
// apart; it spoils R5.
func (f *file) storeSix(to, stride string) {
	f.op("MOVD %s, R5", to)
	for _, r := range neonTransformedIn {
		f.op("VST1.P %s, (R5)(%s)", vectors(r, 1, "S4"), stride)
	}
}

// winogradColsNEON transforms columns of the scratch, for each of its six rows
// and each run of vectors, to six of the 36 planes. R1 and R2 are the row's
// source and destination, R16 and R17 the run's, R21 and R22 the vector's.
func winogradColsNEON(f *file) {
	openWinogradNEON(f, "winogradColsNEON", offCConsts)
	for _, r := range []struct {
		offset, reg string
	}{{offCSrc, "R1"}, {offCDst, "R2"}, {offCPix, "R13"}, {offCPlane, "R15"}, {offCSrcStep, "R23"}, {offCDstRun, "R24"}, {offCSrcRow, "R25"}} {
		f.field(r.offset, r.reg)
	}
	f.op("ADD R15<<1, R15, R26")
	f.op("LSL $1, R26, R26") // six planes
	f.op("MOVD $6, R19")
	f.label("row")
	f.op("MOVD R1, R16")
	f.op("MOVD R2, R17")
	f.field(offCRuns, "R20")
	f.label("run")
	f.op("MOVD R16, R21")
	f.op("MOVD R17, R22")
	f.field(offCBlocks, "R3")
	f.label("block")
	f.op("MOVD R21, R5")
	f.loadColumn()
	transformInNEON(f)
	f.storeSix("R22", "R15")
	f.op("ADD $16, R21, R21")
	f.op("ADD $16, R22, R22")
	f.loop("R3", "block")
	f.op("ADD R23, R16, R16")
	f.op("ADD R24, R17, R17")
	f.loop("R20", "run")
	f.op("ADD R25, R1, R1")
	f.op("ADD R26, R2, R2")
	f.loop("R19", "row")
	f.op("RET")
}

// loadColumn loads six vectors that are R13 apart from R5 on.
func (f *file) loadColumn() {
	for i := range 6 {
		f.op("VLD1.P (R5)(R13), %s", vectors(i, 1, "S4"))
	}
}

// winogradOutNEON transforms the 36 products of runs of tiles back to up to
// four rows of four pixels, adds bias and residual, clamps and stores. R1 is the
// block's first pixel, R2 its products, R20 its bias, R21 its residual or zero.
func winogradOutNEON(f *file) {
	openWinogradNEON(f, "winogradOutNEON", offOConsts)
	maskNEON(f, offOMask)
	for _, r := range []struct {
		offset, reg string
	}{{offOPix, "R14"}, {offOPlane, "R15"}, {offOResPix, "R23"}, {offOResRow, "R24"}, {offORow, "R25"}} {
		f.field(r.offset, r.reg)
	}
	f.op("ADD R15<<1, R15, R13")
	f.op("LSL $1, R13, R13") // six planes
	f.dup4s(offOLo, neonLo, "R4")
	f.dup4s(offOHi, neonHi, "R4")
	f.label("run")
	f.fieldSum(offOPlanes, offOPlanesAt, "R2", "R4")
	f.fieldSum(offODst, offODstAt, "R1", "R4")
	f.field(offOBias, "R20")
	f.field(offOBlocks, "R3")
	f.field(offORes, "R21")
	f.jump("CBZ R21,", "block")
	f.fieldSum(offORes, offOResAt, "R21", "R4")
	f.label("block")
	f.outColumnsNEON()
	f.outRowsNEON()
	f.op("ADD $16, R1, R1")
	f.op("ADD $16, R2, R2")
	f.jump("CBZ R21,", "next")
	f.op("ADD $16, R21, R21")
	f.label("next")
	f.loop("R3", "block")
	f.advance(offOPlanesAt, offOPlanesStep)
	f.advance(offODstAt, offODstStep)
	f.advance(offOResAt, offOResStep)
	f.fieldLoop(offORuns, "run")
	f.op("RET")
}

// outColumnsNEON transforms the six columns of products to four rows of six
// vectors in the scratch.
func (f *file) outColumnsNEON() {
	f.op("MOVD R2, R16")
	f.field(offOScratch, "R17")
	f.op("MOVD $6, R19")
	f.label("column")
	f.op("MOVD R16, R5")
	f.loadColumn()
	transformOutNEON(f)
	for i, r := range neonTransformedOut {
		f.op("FMOVQ F%d, %d(R17)", r, 6*16*i)
	}
	f.op("ADD $16, R17, R17")
	f.op("ADD R15, R16, R16")
	f.loop("R19", "column")
}

// outRowsNEON computes the rows of a tile from the scratch.
func (f *file) outRowsNEON() {
	f.op("MOVD R1, R16")
	f.op("MOVD R21, R22")
	f.field(offOScratch, "R17")
	f.field(offORows, "R19")
	f.op("VLD1.P 16(R20), %s", vectors(neonBias, 1, "S4"))
	f.label("row")
	f.op("VLD1.P 64(R17), %s", vectors(0, 4, "S4"))
	f.op("VLD1.P 32(R17), %s", vectors(4, 2, "S4"))
	transformOutNEON(f)
	for _, r := range neonTransformedOut {
		f.v(fadd4s, r, r, neonBias)
	}
	f.jump("CBZ R22,", "clamp")
	f.outResidualNEON()
	f.label("clamp")
	for _, r := range neonTransformedOut {
		f.v(fmax4s, r, r, neonLo)
		f.v(fmin4s, r, r, neonHi)
	}
	f.outStoreNEON()
	f.op("ADD R25, R16, R16")
	f.loop("R19", "row")
}

// outStoreNEON stores a row of four pixels at R16, whole vectors or not.
func (f *file) outStoreNEON() {
	f.op("MOVD R16, R5")
	f.jump("CBZ R10,", "store")
	for _, r := range neonTransformedOut {
		f.op("VST1.P %s, (R5)(R14)", vectors(r, 1, "S4"))
	}
	f.jump("B", "stored")
	f.label("store")
	for i, r := range neonTransformedOut {
		f.op("MOVD R5, R7")
		f.storeLanesNEON(r, fmt.Sprintf("store%d", i))
		f.op("ADD R14, R5, R5")
	}
	f.label("stored")
}

// outResidualNEON adds a row of the residual at R22 and moves on.
func (f *file) outResidualNEON() {
	f.op("MOVD R22, R5")
	f.jump("CBZ R10,", "residual")
	for i := range neonTransformedOut {
		f.op("VLD1.P (R5)(R23), %s", vectors(1+i, 1, "S4"))
	}
	f.jump("B", "add")
	f.label("residual")
	for i := range neonTransformedOut {
		f.op("MOVD R5, R7")
		f.loadLanesNEON(1+i, fmt.Sprintf("residual%d", i))
		f.op("ADD R23, R5, R5")
	}
	f.label("add")
	for i, r := range neonTransformedOut {
		f.v(fadd4s, r, r, 1+i)
	}
	f.op("ADD R24, R22, R22")
}
