package main

// Offsets of the fields of kernel.winogradCall.
const (
	offTile, offPlanes, offScratch, offTileMask = 0, 8, 16, 24
	offRow, offPix, offPlane, offBlocks         = 32, 40, 48, 56
	offWBias, offConsts, offWRes, offResRow     = 64, 72, 80, 88
	offWResPix, offWLo, offWHi                  = 96, 104, 108
	offTileAt, offResTileAt, offCount           = 112, 120, 128 // two arrays of offsets, their length
	offIndex, offSlot, offSlotAt, offBiasAt     = 136, 144, 152, 160
)

func winograd(v simd, suffix string) []byte {
	f := newFile("amd64")
	winogradIn(f, "winogradIn"+suffix, v)
	winogradOut(f, "winogradOut"+suffix, v)
	return f.Bytes()
}

// constants loads 4, 5, 2 and 8 into the four registers from first on.
func constants(f *file, v simd, first int) {
	f.op("MOVQ %d(R8), AX", offConsts)
	for i := range 4 {
		f.op("VBROADCASTSS %d(AX), %s%d", 4*i, v.reg, first+i)
	}
}

// transformIn computes B^T d of F(4, 3) for d in registers 0..5; the result
// stands in registers 0, 8, 9, 1, 4, 5. c holds the constants 4, 5 and 2.
func transformIn(f *file, v simd, c int) {
	r := v.reg
	f.op("VMOVAPS %s4, %s6; VFNMADD231PS %s%d, %s2, %s6", r, r, r, c, r, r)
	f.op("VMOVAPS %s3, %s7; VFNMADD231PS %s%d, %s1, %s7", r, r, r, c, r, r)
	f.op("VADDPS %s7, %s6, %s8; VSUBPS %s7, %s6, %s9", r, r, r, r, r, r)
	f.op("VFMADD213PS %s4, %s%d, %s0; VFNMADD231PS %s%d, %s2, %s0", r, r, c, r, r, c+1, r, r)
	f.op("VFMADD231PS %s%d, %s1, %s5; VFNMADD231PS %s%d, %s3, %s5", r, c, r, r, r, c+1, r, r)
	f.op("VSUBPS %s2, %s4, %s4; VSUBPS %s1, %s3, %s3", r, r, r, r, r, r)
	f.op("VMOVAPS %s4, %s1; VFMADD231PS %s%d, %s3, %s1; VFNMADD231PS %s%d, %s3, %s4", r, r, r, c+2, r, r, r, c+2, r, r)
}

var transformedIn = [6]int{0, 8, 9, 1, 4, 5}

// transformOut computes A^T m of F(4, 3) for m in registers 0..5; the result
// stands in registers 0, 6, 7, 5. c holds the constants 4, 5, 2 and 8.
func transformOut(f *file, v simd, c int) {
	r := v.reg
	f.op("VADDPS %s2, %s1, %s7; VSUBPS %s2, %s1, %s6", r, r, r, r, r, r) // m1+m2, m1-m2
	f.op("VADDPS %s4, %s3, %s8; VSUBPS %s4, %s3, %s9", r, r, r, r, r, r) // m3+m4, m3-m4
	f.op("VADDPS %s7, %s0, %s0; VADDPS %s8, %s0, %s0", r, r, r, r, r, r)
	f.op("VADDPS %s6, %s5, %s5; VFMADD231PS %s%d, %s9, %s5", r, r, r, r, c+3, r, r)
	f.op("VFMADD231PS %s%d, %s9, %s6; VFMADD231PS %s%d, %s8, %s7", r, c+2, r, r, r, c, r, r)
}

var transformedOut = [4]int{0, 6, 7, 5}

// tileMask readies the mask of the block's channels in K1 or in register 10.
func tileMask(f *file, v simd) (load, store string) {
	f.op("MOVQ %d(R8), AX; VMOVUPS (AX), %s10", offTileMask, v.reg)
	if v.reg == "Z" {
		f.op("VPTESTMD Z10, Z10, K1")
		return "VMOVUPS.Z (%s), K1, Z%d", "VMOVUPS Z%d, K1, (%s)"
	}
	return "VMASKMOVPS (%s), Y10, Y%d", "VMASKMOVPS Y%d, Y10, (%s)"
}

// winogradIn transforms the 6x6 pixels of one tile, block after block of
// channels: columns into the scratch, then its rows into the 36 planes.
func winogradIn(f *file, name string, v simd) {
	c := v.w[0] // 28..31 or 12..15
	f.fn(name, 8)
	f.op("MOVQ c+0(FP), R8")
	constants(f, v, c)
	load, _ := tileMask(f, v)
	f.op("MOVQ %d(R8), BX; MOVQ %d(R8), R11; MOVQ %d(R8), R12", offRow, offPix, offPlane)
	nextWinogradTile(f, "SI", "DI")
	f.op("MOVQ %d(R8), R9", offBlocks)
	f.label("block")
	f.op("MOVQ SI, DX; MOVQ %d(R8), R15; MOVQ $6, CX", offScratch)
	f.label("column")
	f.op("MOVQ DX, AX")
	for i := range 6 {
		f.op(load, "AX", i)
		f.op("ADDQ BX, AX")
	}
	transformIn(f, v, c)
	for i, r := range transformedIn {
		f.op("VMOVUPS %s%d, %d(R15)", v.reg, r, 6*v.bytes*i)
	}
	f.op("ADDQ R11, DX; ADDQ $%d, R15; DECQ CX; JNZ %s_column", v.bytes, name)
	f.op("MOVQ DI, DX; MOVQ %d(R8), R15; MOVQ $6, CX", offScratch)
	f.label("row")
	for i := range 6 {
		f.op("VMOVUPS %d(R15), %s%d", v.bytes*i, v.reg, i)
	}
	transformIn(f, v, c)
	for _, r := range transformedIn {
		f.op("VMOVUPS %s%d, (DX); ADDQ R12, DX", v.reg, r)
	}
	f.op("ADDQ $%d, R15; DECQ CX; JNZ %s_row", 6*v.bytes, name)
	f.op("ADDQ $%d, SI; ADDQ $%d, DI; DECQ R9; JNZ %s_block", v.bytes, v.bytes, name)
	f.op("DECQ %d(R8); JNZ %s_tile", offCount, name)
	f.op("VZEROUPPER; RET")
}

// nextWinogradTile opens the loop over tiles: register tile gets the tile's
// place in the picture, planes its place in the planes; AX keeps its index.
func nextWinogradTile(f *file, tile, planes string) {
	f.label("tile")
	f.op("MOVQ %d(R8), AX; MOVQ %d(R8), DX; MOVQ (DX)(AX*8), %s; ADDQ %d(R8), %s", offIndex, offTileAt, tile, offTile, tile)
	f.op("MOVQ %d(R8), %s; ADDQ %d(R8), %s; MOVQ %d(R8), DX; ADDQ DX, %d(R8); INCQ %d(R8)", offPlanes, planes, offSlotAt, planes, offSlot, offSlotAt, offIndex)
}

// winogradOut transforms the 36 products of one tile back to 4x4 pixels, block
// after block of channels, adds bias and residual, clamps and stores.
func winogradOut(f *file, name string, v simd) {
	c := v.w[0]
	r := v.reg
	f.fn(name, 8)
	f.op("MOVQ c+0(FP), R8")
	constants(f, v, c)
	load, store := tileMask(f, v)
	f.op("MOVQ %d(R8), R11; MOVQ %d(R8), R12; LEAQ (R12)(R12*2), R13; ADDQ R13, R13", offPix, offPlane)
	nextWinogradTile(f, "DI", "SI")
	f.op("MOVQ %d(R8), R9; MOVQ $0, %d(R8); MOVQ %d(R8), R10; TESTQ R10, R10; JZ %s_block", offBlocks, offBiasAt, offWRes, name)
	f.op("MOVQ %d(R8), DX; ADDQ (DX)(AX*8), R10", offResTileAt)
	f.label("block")
	f.op("MOVQ SI, DX; MOVQ %d(R8), R15; MOVQ $6, CX", offScratch)
	f.label("column")
	f.op("MOVQ DX, AX")
	for i := range 6 {
		f.op("VMOVUPS (AX), %s%d; ADDQ R13, AX", r, i)
	}
	transformOut(f, v, c)
	for i, t := range transformedOut {
		f.op("VMOVUPS %s%d, %d(R15)", r, t, 6*v.bytes*i)
	}
	f.op("ADDQ R12, DX; ADDQ $%d, R15; DECQ CX; JNZ %s_column", v.bytes, name)
	f.op("MOVQ DI, DX; MOVQ R10, BX; MOVQ %d(R8), R15; MOVQ $4, CX", offScratch)
	f.label("row")
	for i := range 6 {
		f.op("VMOVUPS %d(R15), %s%d", v.bytes*i, r, i)
	}
	transformOut(f, v, c)
	f.op("MOVQ %d(R8), AX; ADDQ %d(R8), AX; VMOVUPS (AX), %s1", offWBias, offBiasAt, r)
	for _, t := range transformedOut {
		f.op("VADDPS %s1, %s%d, %s%d", r, r, t, r, t)
	}
	f.op("TESTQ BX, BX; JZ %s_clamp; MOVQ BX, AX", name)
	for _, t := range transformedOut {
		f.op(load, "AX", 2)
		f.op("VADDPS %s2, %s%d, %s%d; ADDQ %d(R8), AX", r, r, t, r, t, offWResPix)
	}
	f.op("ADDQ %d(R8), BX", offResRow)
	f.label("clamp")
	f.op("VBROADCASTSS %d(R8), %s2; VBROADCASTSS %d(R8), %s3; MOVQ DX, AX", offWLo, r, offWHi, r)
	for _, t := range transformedOut {
		f.op("VMAXPS %s2, %s%d, %s%d; VMINPS %s3, %s%d, %s%d", r, r, t, r, t, r, r, t, r, t)
		f.op(store, t, "AX")
		f.op("ADDQ R11, AX")
	}
	f.op("ADDQ $%d, R15; ADDQ %d(R8), DX; DECQ CX; JNZ %s_row", 6*v.bytes, offRow, name)
	f.op("TESTQ R10, R10; JZ %s_next; ADDQ $%d, R10", name, v.bytes)
	f.label("next")
	f.op("ADDQ $%d, %d(R8); ADDQ $%d, SI; ADDQ $%d, DI; DECQ R9; JNZ %s_block", v.bytes, offBiasAt, v.bytes, v.bytes, name)
	f.op("DECQ %d(R8); JNZ %s_tile", offCount, name)
	f.op("VZEROUPPER; RET")
}
