package main

import (
	"fmt"
	"strings"
)

// depthwiseAVX2MaxM is the widest tile: two sums a pixel, two registers of
// weights, three of activations and products, one of the flip.
const depthwiseAVX2MaxM = 5

func depthwiseI8AVX2() []byte {
	f := newFile("amd64").of("convCallI8")
	f.WriteString(requantAwayAVX2Macro)
	for m := 1; m <= depthwiseAVX2MaxM; m++ {
		depthwiseAVX2(f, fmt.Sprintf("depthwiseI8x%dx16AVX2", m), m)
	}
	return f.Bytes()
}

// depthwiseAVX2 is depthwiseI8 with 16 channels a block and without masks: it
// reads whole vectors.
func depthwiseAVX2(f *file, name string, m int) {
	f.fn(name, 8)
	f.op("MOVQ c+0(FP), R8; MOVQ %s(R8), DX; VPBROADCASTB %s(R8), Y10; VPSRLW $8, Y10, Y10", offW, offFlip)
	f.label("tile")
	f.op("MOVQ %s(R8), SI; ADDQ %s(R8), SI; MOVQ %s(R8), R9; MOVQ %s(R8), R10", offSrc, offSrcAt, offTaps, offNTaps)
	f.op("MOVQ %s(R8), BX; VMOVDQU (DX), Y0; VMOVDQU 32(DX), Y1; ADDQ $64, DX", offSrcStride)
	for i := 2; i < 2*m; i++ {
		f.op("VMOVDQA Y%d, Y%d", i%2, i)
	}
	f.label("pair")
	f.op("MOVQ (R9), AX; MOVQ 8(R9), R11; ADDQ $16, R9; ADDQ SI, AX; ADDQ SI, R11")
	f.op("VMOVDQU (DX), Y11; VMOVDQU 32(DX), Y12; ADDQ $64, DX")
	for i := range m {
		f.op("VPMOVZXBW (AX), Y13; VPMOVZXBW (R11), Y14; VPXOR Y10, Y13, Y13; VPXOR Y10, Y14, Y14; ADDQ BX, AX; ADDQ BX, R11")
		f.op("VPUNPCKLWD Y14, Y13, Y15; VPUNPCKHWD Y14, Y13, Y13")
		f.op("VPMADDWD Y11, Y15, Y15; VPMADDWD Y12, Y13, Y13; VPADDD Y15, Y%d, Y%d; VPADDD Y13, Y%d, Y%d", 2*i, 2*i, 2*i+1, 2*i+1)
	}
	f.op("DECQ R10; JNZ %s_pair", name)
	finishDepthwiseAVX2(f, m)
}

// finishDepthwiseAVX2 requantises and stores one tile, and goes on with the next;
// it clamps as wordsI16 says.
func finishDepthwiseAVX2(f *file, m int) {
	f.op("MOVQ DX, R15; MOVQ $0x40000000, CX; VMOVQ CX, X11; VPBROADCASTQ X11, Y11; VPBROADCASTD %s(R8), Y12", offZero)
	for i := range 2 * m {
		off := 32 * (i % 2)
		f.op("REQUANT(Y%d, %d, %d, %d, %d, %d)", i, off, off+64, off+128, off+192, off+256)
	}
	f.op("ADDQ $320, DX; MOVQ %s(R8), AX; ADDQ %s(R8), AX; MOVQ %s(R8), BX; MOVQ %s(R8), R10", offDst, offDstAt, offDstStride, offLive)
	f.op("VPBROADCASTB %s(R8), X11; VPBROADCASTB %s(R8), X12; VPBROADCASTB %s(R8), Y15; VPSRLW $8, Y15, Y14", offLo8, offHi8, offBack)
	for i := range m {
		x := fmt.Sprint("X", 2*i)
		f.op("VPACKSSDW Y%d, Y%d, Y%d; VPSUBSW Y14, Y%d, Y%d; VEXTRACTI128 $1, Y%d, X13", 2*i+1, 2*i, 2*i, 2*i, 2*i, 2*i)
		f.op("%s", strings.ReplaceAll("VPACKSSWB X13, A, A; VPMAXSB X11, A, A; VPMINSB X12, A, A; VPXOR X15, A, A", " A", " "+x))
	}
	f.op("CMPQ R10, $16; JNE %s_part", f.tag)
	for i := range m {
		store16(f, fmt.Sprint("X", 2*i), "", false)
	}
	endTile(f)
	f.label("part")
	f.op("MOVQ DX, R12")
	for i := range m {
		store16(f, fmt.Sprint("X", 2*i), fmt.Sprint("part", i), true)
	}
	f.op("MOVQ R12, DX")
	endTile(f)
}

// requantAwayAVX2Macro is requantAwayMacro for AVX2: where the value is negative
// and there is a right shift, the least of sign and rounding term is the one to
// take off. Y11 holds 2^30, Y12 the zero point; Y13 and Y14 are scratch.
const requantAwayAVX2Macro = `
#define REQUANT(A, L, M, H, R, S) \
	VPSLLVD L(R15), A, A; VPMULDQ M(R15), A, Y13; VPSRLQ $32, A, A; VPMULDQ H(R15), A, Y14 \
	VPADDQ Y11, Y13, Y13; VPSRLQ $31, Y13, Y13; VPADDQ Y11, Y14, Y14; VPADDQ Y14, Y14, Y14 \
	VPBLENDD $0xAA, Y14, Y13, A; VPSRLD $31, A, Y13; VPMINUD R(R15), Y13, Y13 \
	VPADDD R(R15), A, A; VPSUBD Y13, A, A; VPSRAVD S(R15), A, A; VPADDD Y12, A, A
`
