//go:build amd64 && !purego

#include "textflag.h"

// Takes the lowest byte of each of four 32-bit lanes.
DATA lowBytes<>+0(SB)/8, $0x808080800c080400
DATA lowBytes<>+8(SB)/8, $0x8080808080808080
GLOBL lowBytes<>(SB), RODATA|NOPTR, $16

DATA oneDword<>+0(SB)/4, $1
GLOBL oneDword<>(SB), RODATA|NOPTR, $4

// func argmaxF32AVX2(dst *uint8, src *float32, groups, classes int, offsets *[8]int32)
//
// Eight positions at a time: class k of all eight is gathered, compared with
// the best so far (ordered, greater: a NaN never wins) and blended in.
TEXT ·argmaxF32AVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ groups+16(FP), CX
	MOVQ classes+24(FP), DX
	MOVQ offsets+32(FP), BX
	VMOVDQU (BX), Y7
	VPBROADCASTD oneDword<>(SB), Y6
	VMOVDQU lowBytes<>(SB), X5
	MOVQ DX, R9
	SHLQ $5, R9          // bytes of eight positions

group:
	VPCMPEQD Y4, Y4, Y4
	VGATHERDPS Y4, (SI)(Y7*4), Y0 // best value
	VPXOR Y1, Y1, Y1     // best class
	VMOVDQA Y6, Y2       // the class at hand
	LEAQ 4(SI), R8
	MOVQ DX, AX
	DECQ AX
	JZ   store

class:
	VPCMPEQD Y4, Y4, Y4
	VGATHERDPS Y4, (R8)(Y7*4), Y3
	VCMPPS $0x1e, Y0, Y3, Y4 // GT_OQ: Y3 > Y0
	VBLENDVPS Y4, Y3, Y0, Y0
	VBLENDVPS Y4, Y2, Y1, Y1
	VPADDD Y6, Y2, Y2
	ADDQ $4, R8
	DECQ AX
	JNZ  class

store:
	VEXTRACTI128 $1, Y1, X2
	VPSHUFB X5, X1, X1
	VPSHUFB X5, X2, X2
	VPUNPCKLDQ X2, X1, X1
	VMOVQ X1, (DI)
	ADDQ $8, DI
	ADDQ R9, SI
	DECQ CX
	JNZ  group
	VZEROUPPER
	RET
