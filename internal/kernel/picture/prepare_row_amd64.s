//go:build amd64 && !purego

#include "textflag.h"

// func prepareF32AVX2(dst *float32, src *byte, periods int, n *Norm, shuffles *[3][16]byte)
//
// One period is 24 bytes in, 24 floats out. The three loads of 16 bytes lie
// within the period, so nothing is read past it.
TEXT ·prepareF32AVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ periods+16(FP), CX
	MOVQ n+24(FP), DX
	MOVQ shuffles+32(FP), BX
	VMOVUPS 0(DX), Y8    // means
	VMOVUPS 32(DX), Y9
	VMOVUPS 64(DX), Y10
	VMOVUPS 96(DX), Y11  // scales
	VMOVUPS 128(DX), Y12
	VMOVUPS 160(DX), Y13
	VMOVDQU 0(BX), X5
	VMOVDQU 16(BX), X6
	VMOVDQU 32(BX), X7

period:
	VMOVDQU 0(SI), X0
	VMOVDQU 4(SI), X1
	VMOVDQU 8(SI), X2
	VPSHUFB X5, X0, X0
	VPSHUFB X6, X1, X1
	VPSHUFB X7, X2, X2
	VPMOVZXBD X0, Y0
	VPMOVZXBD X1, Y1
	VPMOVZXBD X2, Y2
	VCVTDQ2PS Y0, Y0
	VCVTDQ2PS Y1, Y1
	VCVTDQ2PS Y2, Y2
	VSUBPS Y8, Y0, Y0
	VSUBPS Y9, Y1, Y1
	VSUBPS Y10, Y2, Y2
	VMULPS Y11, Y0, Y0
	VMULPS Y12, Y1, Y1
	VMULPS Y13, Y2, Y2
	VMOVUPS Y0, 0(DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, 64(DI)
	ADDQ $24, SI
	ADDQ $96, DI
	DECQ CX
	JNZ  period
	VZEROUPPER
	RET
