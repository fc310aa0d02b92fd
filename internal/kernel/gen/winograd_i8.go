package main

import "fmt"

// Fields of conv.winogradCallI8, and what it promises.
const (
	offISrc, offIPlanes, offIProduct, offIW    = "winogradCallI8_src", "winogradCallI8_planes", "winogradCallI8_product", "winogradCallI8_w"
	offIDst, offIBias, offIRequant, offISpare  = "winogradCallI8_dst", "winogradCallI8_bias", "winogradCallI8_requant", "winogradCallI8_spare"
	offITileAt, offIOutAt, offICount, offIVecs = "winogradCallI8_tileAt", "winogradCallI8_outAt", "winogradCallI8_count", "winogradCallI8_vectors"
	offIRow, offIPix, offIDstRow, offIDstPix   = "winogradCallI8_row", "winogradCallI8_pix", "winogradCallI8_dstRow", "winogradCallI8_dstPix"
	offIPlane, offISlot, offISteps, offILive   = "winogradCallI8_plane", "winogradCallI8_slot", "winogradCallI8_steps", "winogradCallI8_live"
	offILo, offIHi, offINinth                  = "winogradCallI8_lo", "winogradCallI8_hi", "winogradCallI8_ninth"
	offIMask, offIBack                         = "winogradCallI8_mask", "winogradCallI8_back"
	winogradTilesI8                            = 24
)

// productPlane is the size in bytes of one plane of products of nv vectors: not
// a multiple of what caches count modulo.
func (v simd) productPlane(nv int) int { return winogradTilesI8*v.bytes*nv + 64 }

func winogradI8AVX2() []byte {
	f := newFile("amd64")
	f.WriteString(requantI16Macro)
	winogradInI8(f, "winogradInI8AVX2", avx2, "VPMOVZXBW (AX), Y%d")
	winogradInI8(f, "winogradInI8AVX2Signed", avx2, "VPMOVSXBW (AX), Y%d")
	for nv := 1; nv <= 2; nv++ {
		winogradMulI8(f, fmt.Sprintf("winogradMulI8x%dAVX2", 8*nv), nv)
		winogradOutI8(f, fmt.Sprintf("winogradOutI8x%dAVX2", 8*nv), nv)
	}
	return f.Bytes()
}

// winogradInI8 transforms the 6x6 pixels of each tile, a vector of channels at
// a time: columns into the spare memory, its rows into the 36 planes of int16.
// With AVX-512 the mask tells the last vector's channels.
func winogradInI8(f *file, name string, v simd, load string) {
	n := v.bytes
	f.fn(name, 8)
	f.op("MOVQ c+0(FP), R8; MOVQ %s(R8), BX; MOVQ %s(R8), R11; MOVQ %s(R8), R12; MOVQ %s(R8), R13", offIRow, offIPix, offIPlane, offITileAt)
	f.op("MOVQ %s(R8), R10; MOVQ %s(R8), R9", offIPlanes, offICount)
	f.label("tile")
	f.op("MOVQ (R13), SI; ADDQ %s(R8), SI; ADDQ $8, R13; MOVQ R10, DI; ADDQ %s(R8), R10; MOVQ %s(R8), R14", offISrc, offISlot, offIVecs)
	if v.reg == "Z" {
		f.op("KXNORD K1, K1, K1")
	}
	f.label("vector")
	if v.reg == "Z" {
		f.op("CMPQ R14, $1; JNE %s_whole; KMOVD %s(R8), K1", name, offIMask)
		f.label("whole")
	}
	f.op("MOVQ SI, DX; MOVQ %s(R8), R15; MOVQ $6, CX", offISpare)
	f.label("column")
	f.op("MOVQ DX, AX")
	for i := range 6 {
		f.op("%s; ADDQ BX, AX", fmt.Sprintf(load, i))
	}
	transformInI8(f, v.reg)
	for i, r := range transformedInI8 {
		f.op("%s %s%d, %d(R15)", v.move, v.reg, r, 6*n*i)
	}
	f.op("ADDQ R11, DX; ADDQ $%d, R15; DECQ CX; JNZ %s_column", n, name)
	f.op("MOVQ DI, DX; MOVQ %s(R8), R15; MOVQ $6, CX", offISpare)
	f.label("row")
	for i := range 6 {
		f.op("%s %d(R15), %s%d", v.move, n*i, v.reg, i)
	}
	transformInI8(f, v.reg)
	for _, r := range transformedInI8 {
		f.op("%s %s%d, (DX); ADDQ R12, DX", v.move, v.reg, r)
	}
	f.op("ADDQ $%d, R15; DECQ CX; JNZ %s_row", 6*n, name)
	f.op("ADDQ $%d, SI; ADDQ $%d, DI; DECQ R14; JNZ %s_vector", n/2, n, name)
	f.op("DECQ R9; JNZ %s_tile", name)
	f.op("VZEROUPPER; RET")
}

// transformInI8 is transformIn on words in registers 0 to 5.
func transformInI8(f *file, reg string) {
	f.vec(reg, "VPSUBW Y2, Y4, Y6; VPSUBW Y1, Y3, Y7")                                       // d4-d2, d3-d1
	f.vec(reg, "VPSUBW Y2, Y0, Y8; VPSLLW $2, Y8, Y8; VPADDW Y6, Y8, Y8")                    // 4(d0-d2) + d4-d2
	f.vec(reg, "VPSUBW Y3, Y5, Y9; VPSLLW $2, Y7, Y10; VPSUBW Y10, Y9, Y9")                  // d5-d3 - 4(d3-d1)
	f.vec(reg, "VPSLLW $2, Y2, Y2; VPSUBW Y2, Y4, Y2; VPSLLW $2, Y1, Y1; VPSUBW Y1, Y3, Y1") // d4-4d2, d3-4d1
	f.vec(reg, "VPADDW Y1, Y2, Y11; VPSUBW Y1, Y2, Y2; VPADDW Y7, Y7, Y7; VPADDW Y7, Y6, Y3; VPSUBW Y7, Y6, Y4")
}

var transformedInI8 = [6]int{8, 11, 2, 3, 4, 9}

// winogradMulI8 multiplies the tiles of each plane with its weights: as
// convI16's inner loop, 6 or 12 tiles by one block of channels.
func winogradMulI8(f *file, name string, nv int) {
	m := 12 / nv
	f.fn(name, 8)
	f.op("MOVQ c+0(FP), R8; MOVQ %s(R8), SI; MOVQ %s(R8), R15; MOVQ %s(R8), R9; MOVQ %s(R8), BX; LEAQ (BX)(BX*2), DI", offIPlanes, offIProduct, offIW, offISlot)
	f.op("MOVQ $36, R10")
	f.label("plane")
	f.op("MOVQ SI, AX; MOVQ R15, R14; MOVQ $0, R13")
	f.label("tiles")
	f.op("MOVQ R9, DX; LEAQ (AX)(BX*4), R11; LEAQ (R11)(BX*4), R12; MOVQ %s(R8), CX", offISteps)
	for i := range m * nv {
		f.op("VPXOR Y%d, Y%d, Y%d", i, i, i)
	}
	f.op("SHRQ $1, CX; JZ %s_odd", name)
	f.label("k")
	i16Pair(f, m, nv, 0)
	i16Pair(f, m, nv, 1)
	f.op("ADDQ $%d, DX; ADDQ $8, AX; ADDQ $8, R11; ADDQ $8, R12; DECQ CX; JNZ %s_k", 64*nv, name)
	f.label("odd")
	f.op("MOVQ %s(R8), CX; TESTQ $1, CX; JZ %s_store", offISteps, name)
	i16Pair(f, m, nv, 0)
	f.op("ADDQ $%d, DX", 32*nv)
	f.label("store")
	for i := range m * nv {
		f.op("VMOVDQU Y%d, %d(R14)", i, 32*i)
	}
	f.op("ADDQ $%d, R14; ADDQ $%d, R13", 32*m*nv, m)
	f.op("MOVQ R13, AX; IMULQ BX, AX; ADDQ SI, AX; CMPQ R13, %s(R8); JLT %s_tiles", offICount, name)
	f.op("MOVQ DX, R9; ADDQ %s(R8), SI; ADDQ $%d, R15; DECQ R10; JNZ %s_plane", offIPlane, avx2.productPlane(nv), name)
	f.op("VZEROUPPER; RET")
}

// winogradOutI8 transforms the products of each tile back to 4x4 pixels of one
// block of channels, requantises and stores.
func winogradOutI8(f *file, name string, nv int) {
	f.fn(name, 8)
	f.op("MOVQ c+0(FP), R8; MOVQ %s(R8), SI; MOVQ %s(R8), R13; MOVQ %s(R8), R9; MOVQ %s(R8), BX", offIProduct, offIOutAt, offICount, offIDstPix)
	f.op("MOVQ %s(R8), R15; MOVQ %s(R8), R11; MOVQ %s(R8), R10", offIRequant, offIBias, offILive)
	f.op("VPBROADCASTB %s(R8), Y12; VPBROADCASTB %s(R8), Y13; VPBROADCASTD %s(R8), Y11", offILo, offIHi, offINinth)
	f.label("tile")
	f.op("MOVQ (R13), DI; ADDQ %s(R8), DI; ADDQ $8, R13", offIDst)
	f.op("MOVQ %s(R8), R12; MOVQ SI, DX; MOVQ $6, CX", offISpare)
	f.label("column")
	for j := range nv {
		at := func(y int) string { return fmt.Sprintf("%d(DX)", 6*avx2.productPlane(nv)*y+32*j) }
		transformOutI8(f, avx2, at, [4]int{0, 1, 2, 3})
		for y := range 4 {
			f.op("VMOVDQU Y%d, %d(R12)", y, (y*nv+j)*192)
		}
	}
	f.op("ADDQ $%d, DX; ADDQ $32, R12; DECQ CX; JNZ %s_column", avx2.productPlane(nv), name)
	f.op("SUBQ $192, R12")
	for y := range 4 {
		outRowI8(f, nv, y)
	}
	f.op("ADDQ $%d, SI; DECQ R9; JNZ %s_tile", 32*nv, name)
	f.op("VZEROUPPER; RET")
}

// outRowI8 finishes row y of a tile: 4 pixels.
func outRowI8(f *file, nv, y int) {
	for j := range nv {
		at := func(x int) string { return fmt.Sprintf("%d(R12)", (y*nv+j)*192+32*x) }
		transformOutI8(f, avx2, at, [4]int{j, nv + j, 2*nv + j, 3*nv + j})
	}
	for i := range 4 * nv {
		shift := []int{3, 2, 1, 1}
		f.op("VPMULLD Y11, Y%d, Y%d; VPSRAD $%d, Y%d, Y%d; VPADDD %d(R11), Y%d, Y%d; REQUANT(Y%d, %d)",
			i, i, shift[y]+shift[i/nv], i, i, 32*(i%nv), i, i, i, 256*(i%nv))
	}
	wordsI16(f, 4, nv, offIBack)
	tag := f.tag
	f.op("MOVQ DI, AX; CMPQ R10, $%d; JNE %s_part%d", 8*nv, tag, y)
	for _, part := range []bool{false, true} {
		if part {
			f.op("JMP %s_stored%d", tag, y)
			f.label(fmt.Sprint("part", y))
		}
		f.tag = fmt.Sprint(tag, "_", y)
		if nv == 2 {
			storePairs(f, 4, part)
		} else {
			storeFours(f, 4, part)
		}
		f.tag = tag
	}
	f.label(fmt.Sprint("stored", y))
	f.op("ADDQ %s(R8), DI", offIDstRow)
}

// transformOutI8 computes, of A^T m of F(4, 3) in integers, the rows times 24,
// 12, 6 and 6. at gives the places of m; dst gets the results.
func transformOutI8(f *file, v simd, at func(i int) string, dst [4]int) {
	f.vec(v.reg, v.move+" %s, Y8; VPADDD %s, Y8, Y9; VPSUBD %s, Y8, Y8", at(1), at(2), at(2))
	f.vec(v.reg, v.move+" %s, Y14; VPADDD %s, Y14, Y15; VPSUBD %s, Y14, Y14", at(3), at(4), at(4))
	f.vec(v.reg, "VPADDD Y15, Y9, Y%d; VPADDD Y8, Y8, Y%d; VPADDD Y14, Y%d, Y%d", dst[2], dst[1], dst[1], dst[1])
	f.vec(v.reg, "VPADDD %s, Y14, Y%d; VPADDD Y%d, Y%d, Y%d; VPADDD Y8, Y%d, Y%d", at(5), dst[3], dst[3], dst[3], dst[3], dst[3], dst[3])
	f.vec(v.reg, "VPADDD Y9, Y9, Y9; VPADDD %s, Y9, Y9; VPADDD Y9, Y9, Y9; VPADDD Y15, Y9, Y%d", at(0), dst[0])
}
