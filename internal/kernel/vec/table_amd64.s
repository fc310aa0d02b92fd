//go:build amd64 && !purego

#include "textflag.h"

// LOOK adds to Y2 and Y3 what a piece of the table has for the values in Y0 and
// Y1, and goes on to the next piece: those that are below it are negative from
// then on, and a shuffle gives zero for them.
#define LOOK(piece) \
	VPSHUFB Y0, piece, Y4; \
	VPSHUFB Y1, piece, Y5; \
	VPXOR   Y4, Y2, Y2;    \
	VPXOR   Y5, Y3, Y3;    \
	VPSUBSB Y7, Y0, Y0;    \
	VPSUBSB Y7, Y1, Y1

#define LOOKAT(off) \
	VBROADCASTI128 off(R8), Y6; \
	LOOK(Y6)

// func tableAVX2(dst, src *byte, blocks int, steps *[256]byte)
//
// Values below 128 first, which are not negative; then the others, of which 128
// is taken off.
TEXT ·tableAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ blocks+16(FP), CX
	MOVQ steps+24(FP), R8
	MOVL $0x10101010, AX
	VMOVD AX, X7
	VPBROADCASTD X7, Y7
	VBROADCASTI128 (R8), Y8
	VBROADCASTI128 16(R8), Y9
	VBROADCASTI128 32(R8), Y10
	VBROADCASTI128 48(R8), Y11
	VBROADCASTI128 64(R8), Y12
	VBROADCASTI128 80(R8), Y13
	VBROADCASTI128 96(R8), Y14
	VBROADCASTI128 112(R8), Y15
loop:
	VMOVDQU (SI), Y0
	VMOVDQU 32(SI), Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	LOOK(Y8)
	LOOK(Y9)
	LOOK(Y10)
	LOOK(Y11)
	LOOK(Y12)
	LOOK(Y13)
	LOOK(Y14)
	LOOK(Y15)
	VPSLLW $3, Y7, Y6 // 128
	VPXOR (SI), Y6, Y0
	VPXOR 32(SI), Y6, Y1
	LOOKAT(128)
	LOOKAT(144)
	LOOKAT(160)
	LOOKAT(176)
	LOOKAT(192)
	LOOKAT(208)
	LOOKAT(224)
	LOOKAT(240)
	VMOVDQU Y2, (DI)
	VMOVDQU Y3, 32(DI)
	ADDQ $64, SI
	ADDQ $64, DI
	DECQ CX
	JNZ  loop
	VZEROUPPER
	RET
