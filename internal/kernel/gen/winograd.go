package main

// Fields of conv.winogradRows, winogradCols and winogradOut.
const (
	offRDst, offRMask, offRConsts     = "winogradRows_dst", "winogradRows_mask", "winogradRows_consts" // behind six rows
	offRStride, offRBlocks, offRTail  = "winogradRows_stride", "winogradRows_blocks", "winogradRows_tail"
	offCSrc, offCDst, offCConsts      = "winogradCols_src", "winogradCols_dst", "winogradCols_consts"
	offCPix, offCPlane, offCBlocks    = "winogradCols_pix", "winogradCols_plane", "winogradCols_blocks"
	offCRuns, offCSrcStep, offCDstRun = "winogradCols_runs", "winogradCols_srcStep", "winogradCols_dstStep"
	offCSrcRow                        = "winogradCols_srcRow"

	offOPlanes, offODst, offORes, offOBias = "winogradOut_planes", "winogradOut_dst", "winogradOut_res", "winogradOut_bias"
	offOMask, offOScratch, offOConsts      = "winogradOut_mask", "winogradOut_scratch", "winogradOut_consts"
	offOPlane, offORow, offOPix            = "winogradOut_plane", "winogradOut_row", "winogradOut_pix"
	offOResRow, offOResPix                 = "winogradOut_resRow", "winogradOut_resPix"
	offOLo, offOHi, offORows               = "winogradOut_lo", "winogradOut_hi", "winogradOut_rows"
	offOBlocks, offORuns                   = "winogradOut_blocks", "winogradOut_runs"
	offOPlanesStep, offODstStep            = "winogradOut_planesStep", "winogradOut_dstStep"
	offOResStep                            = "winogradOut_resStep"
	offOPlanesAt, offODstAt, offOResAt     = "winogradOut_planesAt", "winogradOut_dstAt", "winogradOut_resAt"
)

func winograd(v simd, suffix string) []byte {
	f := newFile("amd64")
	winogradRows(f, "winogradRows"+suffix, v)
	winogradCols(f, "winogradCols"+suffix, v)
	winogradOut(f, "winogradOut"+suffix, v)
	return f.Bytes()
}

// constants loads 4, 5, 2 and 8 into the four registers from first on.
func constants(f *file, v simd, off string, first int) {
	f.op("MOVQ %s(R8), AX", off)
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

// multiples are the addresses 0 to 5 strides from base on; one, three and five
// are registers that hold as many strides.
func multiples(base, one, three, five string) [6]string {
	return [6]string{"(" + base + ")", "(" + base + ")(" + one + "*1)", "(" + base + ")(" + one + "*2)",
		"(" + base + ")(" + three + "*1)", "(" + base + ")(" + one + "*4)", "(" + base + ")(" + five + "*1)"}
}

// stride readies three and five times the stride in one.
func stride(f *file, one, three, five string) {
	f.op("LEAQ (%s)(%s*2), %s; LEAQ (%s)(%s*4), %s", one, one, three, one, one, five)
}

// readMask readies a mask in K1 or register 10 and gives the formats to load
// and to store by it.
func readMask(f *file, v simd, off string) masked {
	f.op("MOVQ %s(R8), R15; VMOVUPS (R15), %s10", off, v.reg)
	if v.reg == "Z" {
		f.op("VPTESTMD Z10, Z10, K1")
		return masked{"VMOVUPS.Z %s, K1, Z%d", "VMOVUPS Z%d, K1, %s"}
	}
	return masked{"VMASKMOVPS %s, Y10, Y%d", "VMASKMOVPS Y%d, Y10, %s"}
}

// winogradRows transforms six rows of a picture to six rows of the scratch,
// whole vectors, then the part of one.
func winogradRows(f *file, name string, v simd) {
	c := v.w[0] // 28..31 or 12..15
	rows := [6]string{"BX", "CX", "DX", "SI", "DI", "R9"}
	f.fn(name, 8)
	f.op("MOVQ c+0(FP), R8")
	constants(f, v, offRConsts, c)
	for i, r := range rows {
		f.op("MOVQ (winogradRows_rows+%d)(R8), %s", 8*i, r)
	}
	f.op("MOVQ %s(R8), R10; MOVQ %s(R8), R11; MOVQ %s(R8), AX", offRDst, offRStride, offRBlocks)
	stride(f, "R11", "R12", "R13")
	f.op("TESTQ AX, AX; JZ %s_tail", name)
	f.label("block")
	step := func(load string) {
		for i, r := range rows {
			f.op(load, "("+r+")", i)
		}
		transformIn(f, v, c)
		for i, to := range multiples("R10", "R11", "R12", "R13") {
			f.op("VMOVUPS %s%d, %s", v.reg, transformedIn[i], to)
		}
	}
	step("VMOVUPS %s, " + v.reg + "%d")
	for _, r := range append(rows[:], "R10") {
		f.op("ADDQ $%d, %s", v.bytes, r)
	}
	f.op("DECQ AX; JNZ %s_block", name)
	f.label("tail")
	f.op("CMPQ %s(R8), $0; JEQ %s_end", offRTail, name)
	step(readMask(f, v, offRMask).load)
	f.label("end")
	f.op("VZEROUPPER; RET")
}

// winogradCols transforms columns of the scratch, for each of its six rows and
// each run of vectors, to six of the 36 planes.
func winogradCols(f *file, name string, v simd) {
	c := v.w[0]
	f.fn(name, 8)
	f.op("MOVQ c+0(FP), R8")
	constants(f, v, offCConsts, c)
	f.op("MOVQ %s(R8), BX; MOVQ %s(R8), DX; MOVQ $0, R9", offCPix, offCPlane)
	stride(f, "BX", "R11", "R12")
	stride(f, "DX", "R13", "R15")
	f.label("row")
	f.op("MOVQ R9, SI; IMULQ %s(R8), SI; ADDQ %s(R8), SI", offCSrcRow, offCSrc)
	f.op("LEAQ (R9)(R9*2), DI; ADDQ DI, DI; IMULQ DX, DI; ADDQ %s(R8), DI; MOVQ %s(R8), R10", offCDst, offCRuns)
	f.label("run")
	f.op("MOVQ %s(R8), CX", offCBlocks)
	f.label("block")
	for i, from := range multiples("SI", "BX", "R11", "R12") {
		f.op("VMOVUPS %s, %s%d", from, v.reg, i)
	}
	transformIn(f, v, c)
	for i, to := range multiples("DI", "DX", "R13", "R15") {
		f.op("VMOVUPS %s%d, %s", v.reg, transformedIn[i], to)
	}
	f.op("ADDQ $%d, SI; ADDQ $%d, DI; DECQ CX; JNZ %s_block", v.bytes, v.bytes, name)
	f.op("IMUL3Q $%d, %s(R8), AX; SUBQ AX, SI; SUBQ AX, DI; ADDQ %s(R8), SI; ADDQ %s(R8), DI", v.bytes, offCBlocks, offCSrcStep, offCDstRun)
	f.op("DECQ R10; JNZ %s_run", name)
	f.op("INCQ R9; CMPQ R9, $6; JNE %s_row", name)
	f.op("VZEROUPPER; RET")
}

// winogradOut transforms the 36 products of runs of tiles back to up to four
// rows of four pixels, adds bias and residual, clamps and stores.
func winogradOut(f *file, name string, v simd) {
	c, r := v.w[0], v.reg
	f.fn(name, 8)
	f.op("MOVQ c+0(FP), R8")
	constants(f, v, offOConsts, c)
	f.op("VBROADCASTSS %s(R8), %s11; VBROADCASTSS %s(R8), %s%d", offOLo, r, offOHi, r, c+1)
	part := readMask(f, v, offOMask)
	f.op("MOVQ %s(R8), R11; MOVQ %s(R8), R12", offOPix, offOPlane)
	f.label("run")
	f.op("MOVQ %s(R8), SI; ADDQ %s(R8), SI; MOVQ %s(R8), DI; ADDQ %s(R8), DI", offOPlanes, offOPlanesAt, offODst, offODstAt)
	f.op("MOVQ %s(R8), R10; ADDQ %s(R8), R10; MOVQ %s(R8), BX; MOVQ %s(R8), R9", offORes, offOResAt, offOBias, offOBlocks)
	f.label("block")
	f.op("MOVQ SI, DX; LEAQ (R12)(R12*2), R13; ADDQ R13, R13; MOVQ %s(R8), R15; MOVQ $6, CX", offOScratch)
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
	f.op("MOVQ DI, DX; MOVQ R10, R13; MOVQ %s(R8), R15; MOVQ %s(R8), CX", offOScratch, offORows)
	if r == "Y" {
		// Masked stores take a dozen cycles on some CPUs: whole vectors go without.
		f.op("MOVQ %s(R8), AX; CMPL %d(AX), $0; JEQ %s_row", offOMask, v.bytes-4, name)
		outRows(f, v, "wholerow", masked{"VMOVUPS %s, Y%d", "VMOVUPS Y%d, %s"})
		f.op("JMP %s_next", name)
	}
	outRows(f, v, "row", part)
	f.label("next")
	f.op("ADDQ $%d, SI; ADDQ $%d, DI; ADDQ $%d, R10; ADDQ $%d, BX; DECQ R9; JNZ %s_block", v.bytes, v.bytes, v.bytes, v.bytes, name)
	for _, s := range [][2]string{{offOPlanesStep, offOPlanesAt}, {offODstStep, offODstAt}, {offOResStep, offOResAt}} {
		f.op("MOVQ %s(R8), AX; ADDQ AX, %s(R8)", s[0], s[1])
	}
	f.op("DECQ %s(R8); JNZ %s_run", offORuns, name)
	f.op("VZEROUPPER; RET")
}

// outRows transforms the rows of the scratch and stores them as pixels.
func outRows(f *file, v simd, label string, access masked) {
	c, r := v.w[0], v.reg
	f.label(label)
	for i := range 6 {
		f.op("VMOVUPS %d(R15), %s%d", v.bytes*i, r, i)
	}
	transformOut(f, v, c)
	for _, t := range transformedOut {
		f.op("VADDPS (BX), %s%d, %s%d", r, t, r, t)
	}
	f.op("CMPQ %s(R8), $0; JEQ %s_clamp%s; MOVQ R13, AX", offORes, f.tag, label)
	for _, t := range transformedOut {
		f.op(access.load, "(AX)", 2)
		f.op("VADDPS %s2, %s%d, %s%d; ADDQ %s(R8), AX", r, r, t, r, t, offOResPix)
	}
	f.op("ADDQ %s(R8), R13", offOResRow)
	f.label("clamp" + label)
	f.op("MOVQ DX, AX")
	for _, t := range transformedOut {
		f.op("VMAXPS %s11, %s%d, %s%d; VMINPS %s%d, %s%d, %s%d", r, r, t, r, t, r, c+1, r, t, r, t)
		f.op(access.store, t, "(AX)")
		f.op("ADDQ R11, AX")
	}
	f.op("ADDQ $%d, R15; ADDQ %s(R8), DX; DECQ CX; JNZ %s_%s", 6*v.bytes, offORow, f.tag, label)
}
