package main

// Fields of gemm.Requant.
const (
	offTileAcc, offTileMult, offTileShift, offTileDst = "Requant_Acc", "Requant_Mult", "Requant_Shift", "Requant_Dst"
	offTileLdc, offTileRows, offTileZero              = "Requant_Ldc", "Requant_Rows", "Requant_Zero"
	offTileLo, offTileHi, offTileHalfUp               = "Requant_Lo", "Requant_Hi", "Requant_HalfUp"
)

// requantSIMD writes the requantisation of gemm: rows of 16 sums.
//
//	V0..V3   sums          V4..V7    multipliers    V8..V11  left shifts
//	V12..V15 right shifts, negative                 V16..V19 the same, zero where halves go up
//	V20, V21, V22 zero, lo, hi                      V23      scratch
func requantSIMD() []byte {
	f := newFile("arm64")
	f.fn("requantSIMD", 8)
	f.op("MOVD r+0(FP), R0")
	f.field(offTileMult, "R1")
	f.op("VLD1 (R1), %s", vectors(4, 4, "S4"))
	f.field(offTileShift, "R1")
	f.op("VLD1 (R1), %s", vectors(12, 4, "S4"))
	f.dup4s(offTileZero, 20, "R1")
	f.dup4s(offTileLo, 21, "R1")
	f.dup4s(offTileHi, 22, "R1")
	f.op("MOVBU %s(R0), R1", offTileHalfUp)
	f.op("SUB $1, R1")
	f.op("VDUP R1, V24.S4")
	f.op("VEOR V23.B16, V23.B16, V23.B16")
	for j := range 4 {
		f.v(smax4s, 8+j, 12+j, 23)
		f.v(smin4s, 12+j, 12+j, 23)
		f.op("VAND V24.B16, V%d.B16, V%d.B16", 12+j, 16+j)
	}
	f.field(offTileAcc, "R1")
	f.field(offTileDst, "R2")
	f.field(offTileLdc, "R3")
	f.field(offTileRows, "R4")
	f.label("row")
	f.op("VLD1.P 64(R1), %s", vectors(0, 4, "S4"))
	f.requantRow()
	f.packBytesNEON(0, 4)
	f.op("VST1 [V0.B16], (R2)")
	f.op("ADD R3, R2")
	f.loop("R4", "row")
	f.op("RET")
	return f.Bytes()
}

// requantRow is requantNEON with other constants for each of four vectors.
func (f *file) requantRow() {
	each := func(i instruction, operand, step int) {
		for j := range 4 {
			f.v(i, j, j, operand+step*j)
		}
	}
	each(sshl4s, 8, 1)
	each(sqrdmulh4s, 4, 1)
	for j := range 4 {
		f.op("VAND V%d.B16, V%d.B16, V%d.B16", 16+j, j, 24+j)
		f.v(sshr31, 24+j, 24+j)
	}
	each(sqadd4s, 24, 1)
	each(srshl4s, 12, 1)
	each(add4s, 20, 0)
	each(smax4s, 21, 0)
	each(smin4s, 22, 0)
}
