//go:build amd64 && !purego

#include "go_asm.h"
#include "textflag.h"

// HALF requantises the eight sums in s, in place.
//   m, l, r: multiplier, left shift, right shift; Y13: 2^30 in 64-bit lanes
//   Y12: all ones where the second rounding is half up
// The first rounding: the even and the odd products as 64 bits, plus 2^30,
// shifted so that the wanted half lands where it is blended from.
// The second: remainder > (mask>>1) + (negative and not half up) adds one;
// half up is the same with remainder > (mask>>1), but for exact halves:
// remainder > threshold where threshold = mask>>1 in both, plus one for
// negative values alone when halves go away from zero.
#define HALF(s, m, l, r) \
	VPSLLVD  l, s, s;        \
	VPMULDQ  m, s, Y8;       \
	VPSRLQ   $32, s, Y9;     \
	VPSRLQ   $32, m, Y10;    \
	VPMULDQ  Y10, Y9, Y9;    \
	VPADDQ   Y13, Y8, Y8;    \
	VPADDQ   Y13, Y9, Y9;    \
	VPSRLQ   $31, Y8, Y8;    \
	VPSLLQ   $1, Y9, Y9;     \
	VPBLENDD $0xAA, Y9, Y8, s; \
	VPCMPEQD Y10, Y10, Y10;  \
	VPSLLVD  r, Y10, Y8;     \
	VPANDN   s, Y8, Y9;      \
	VPANDN   Y10, Y8, Y8;    \
	VPSRLD   $1, Y8, Y8;     \
	VPSRLD   $31, s, Y10;    \
	VPANDN   Y10, Y12, Y10;  \
	VPADDD   Y10, Y8, Y8;    \
	VPCMPGTD Y8, Y9, Y9;     \
	VPSRAVD  r, s, s;        \
	VPSUBD   Y9, s, s

#define FINISH(s) \
	VPADDD  Y11, s, s; \
	VPMAXSD Y14, s, s; \
	VPMINSD Y15, s, s

// func requantSIMD(r *Requant)
TEXT ·requantSIMD(SB), NOSPLIT, $0-8
	MOVQ r+0(FP), DI
	MOVQ Requant_Acc(DI), SI
	MOVQ Requant_Mult(DI), AX
	MOVQ Requant_Shift(DI), BX
	MOVQ Requant_Dst(DI), DX
	MOVQ Requant_Ldc(DI), R8
	MOVQ Requant_Rows(DI), CX
	VMOVDQU (AX), Y2
	VMOVDQU 32(AX), Y3
	VPXOR   Y8, Y8, Y8
	VMOVDQU (BX), Y4
	VMOVDQU 32(BX), Y5
	VPSUBD  Y4, Y8, Y6
	VPSUBD  Y5, Y8, Y7
	VPMAXSD Y8, Y4, Y4
	VPMAXSD Y8, Y5, Y5
	VPMAXSD Y8, Y6, Y6
	VPMAXSD Y8, Y7, Y7
	VPBROADCASTD Requant_Zero(DI), Y11
	VPBROADCASTD Requant_Lo(DI), Y14
	VPBROADCASTD Requant_Hi(DI), Y15
	MOVBLZX Requant_HalfUp(DI), AX
	NEGL    AX
	MOVL    AX, X12
	VPBROADCASTD X12, Y12
	VPCMPEQD Y13, Y13, Y13
	VPSRLQ  $63, Y13, Y13
	VPSLLQ  $30, Y13, Y13
row:
	VMOVDQU (SI), Y0
	VMOVDQU 32(SI), Y1
	HALF(Y0, Y2, Y4, Y6)
	HALF(Y1, Y3, Y5, Y7)
	FINISH(Y0)
	FINISH(Y1)
	// Clamped values fit in 9 bits: words by signed saturation, then the low
	// byte of each word, which is right for int8 and uint8 alike.
	VPACKSSDW Y1, Y0, Y0
	VPERMQ  $0xD8, Y0, Y0
	VPSLLW  $8, Y0, Y0
	VPSRLW  $8, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPACKUSWB X1, X0, X0
	VMOVDQU X0, (DX)
	ADDQ $64, SI
	ADDQ R8, DX
	DECQ CX
	JNZ  row
	VZEROUPPER
	RET
