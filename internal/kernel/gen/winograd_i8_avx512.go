package main

import "fmt"

func winogradI8AVX512() []byte {
	f := newFile("amd64")
	f.WriteString(requantVNNIMacro + orderVNNI)
	winogradInI8(f, "winogradInI8AVX512", avx512, "VPMOVZXBW.Z (AX), K1, Z%d")
	winogradInI8(f, "winogradInI8AVX512Signed", avx512, "VPMOVSXBW.Z (AX), K1, Z%d")
	for nv := 1; nv <= 2; nv++ {
		winogradDotI8(f, fmt.Sprintf("winogradMulI8x%dAVX512", 16*nv), nv)
		winogradOutVNNI(f, fmt.Sprintf("winogradOutI8x%dAVX512", 16*nv), nv)
	}
	return f.Bytes()
}

// dotTiles is the number of tiles that winogradDotI8 multiplies at a time.
const dotTiles = 12

// winogradDotI8 is winogradMulI8 with VPDPWSSD: 12 tiles by one block of channels.
func winogradDotI8(f *file, name string, nv int) {
	f.fn(name, 8)
	f.op("MOVQ c+0(FP), R8; MOVQ %s(R8), SI; MOVQ %s(R8), R15; MOVQ %s(R8), R9; MOVQ %s(R8), BX; LEAQ (BX)(BX*2), DI", offIPlanes, offIProduct, offIW, offISlot)
	f.op("MOVQ $36, R10")
	f.label("plane")
	f.op("MOVQ SI, AX; MOVQ R15, R14; MOVQ $0, R13")
	f.label("tiles")
	f.op("MOVQ R9, DX; LEAQ (AX)(BX*4), R11; LEAQ (R11)(BX*4), R12; MOVQ %s(R8), CX", offISteps)
	for i := range dotTiles * nv {
		f.op("VPXORD Z%d, Z%d, Z%d", i, i, i)
	}
	f.op("SHRQ $1, CX; JZ %s_odd", name)
	f.label("k")
	dotPair(f, nv, 0)
	dotPair(f, nv, 1)
	f.op("ADDQ $%d, DX; ADDQ $8, AX; ADDQ $8, R11; ADDQ $8, R12; DECQ CX; JNZ %s_k", 128*nv, name)
	f.label("odd")
	f.op("MOVQ %s(R8), CX; TESTQ $1, CX; JZ %s_store", offISteps, name)
	dotPair(f, nv, 0)
	f.op("ADDQ $%d, DX", 64*nv)
	f.label("store")
	for i := range dotTiles * nv {
		f.op("VMOVDQU32 Z%d, %d(R14)", i, 64*i)
	}
	f.op("ADDQ $%d, R14; ADDQ $%d, R13", 64*dotTiles*nv, dotTiles)
	f.op("MOVQ R13, AX; IMULQ BX, AX; ADDQ SI, AX; CMPQ R13, %s(R8); JLT %s_tiles", offICount, name)
	f.op("MOVQ DX, R9; ADDQ %s(R8), SI; ADDQ $%d, R15; DECQ R10; JNZ %s_plane", offIPlane, avx512.productPlane(nv), name)
	f.op("VZEROUPPER; RET")
}

// dotPair adds the products of the pair of input channels that lies step pairs ahead.
func dotPair(f *file, nv, step int) {
	for j := range nv {
		f.op("VMOVDQU32 %d(DX), Z%d", 64*(step*nv+j), 28+j)
	}
	for p := range dotTiles {
		x := 30 + p%2
		s := fmt.Sprintf("VPBROADCASTD %d%s, Z%d", 4*step, pixel(p), x)
		for j := range nv {
			s += fmt.Sprintf("; VPDPWSSD Z%d, Z%d, Z%d", 28+j, x, p*nv+j)
		}
		f.op("%s", s)
	}
}

// winogradOutVNNI is winogradOutI8 with the stores of the VNNI convolution.
func winogradOutVNNI(f *file, name string, nv int) {
	f.fn(name, 8)
	f.op("MOVQ c+0(FP), R8; MOVQ %s(R8), SI; MOVQ %s(R8), R13; MOVQ %s(R8), R9; MOVQ %s(R8), BX", offIProduct, offIOutAt, offICount, offIDstPix)
	f.op("MOVQ %s(R8), R15; MOVQ %s(R8), R11; MOVQ %s(R8), R10", offIRequant, offIBias, offILive)
	f.op("MOVW $0x5555, CX; KMOVW CX, K2; VPBROADCASTD %s(R8), Z16", offINinth)
	resultVNNI(f, nv, resultFields{offIZero, offILo, offIHi, offIBack})
	f.label("tile")
	f.op("MOVQ (R13), R14; ADDQ %s(R8), R14; ADDQ $8, R13", offIDst)
	f.op("MOVQ %s(R8), R12; MOVQ SI, DX; MOVQ $6, CX", offISpare)
	f.label("column")
	for j := range nv {
		at := func(y int) string { return fmt.Sprintf("%d(DX)", 6*avx512.productPlane(nv)*y+64*j) }
		transformOutI8(f, avx512, at, [4]int{0, 1, 2, 3})
		for y := range 4 {
			f.op("VMOVDQU32 Z%d, %d(R12)", y, (y*nv+j)*384)
		}
	}
	f.op("ADDQ $%d, DX; ADDQ $64, R12; DECQ CX; JNZ %s_column", avx512.productPlane(nv), name)
	f.op("SUBQ $384, R12")
	for y := range 4 {
		outRowVNNI(f, nv, y)
	}
	f.op("ADDQ $%d, SI; DECQ R9; JNZ %s_tile", 64*nv, name)
	f.op("VZEROUPPER; RET")
}

// outRowVNNI finishes row y of a tile: 4 pixels.
func outRowVNNI(f *file, nv, y int) {
	for j := range nv {
		at := func(x int) string { return fmt.Sprintf("%d(R12)", (y*nv+j)*384+64*x) }
		transformOutI8(f, avx512, at, [4]int{j, nv + j, 2*nv + j, 3*nv + j})
	}
	for i := range 4 * nv {
		shift := []int{3, 2, 1, 1}
		f.op("VPMULLD Z16, Z%d, Z%d; VPSRAD $%d, Z%d, Z%d; VPADDD %d(R11), Z%d, Z%d", i, i, shift[y]+shift[i/nv], i, i, 64*(i%nv), i, i)
	}
	requantVNNI(f, 4, nv, false)
	packWordsVNNI(f, 4, nv)
	tag := f.tag
	f.tag = fmt.Sprint(tag, "_", y)
	f.op("MOVQ R14, AX")
	storePackedVNNI(f, 4, nv)
	f.tag = tag
	f.op("ADDQ %s(R8), R14", offIDstRow)
}
