//go:build amd64 && !purego

#include "textflag.h"

// AVERAGE takes each pixel in pieces of eight elements: the sum of the taps in
// Y0, which finish turns into results and stores at R12, moving on.
#define AVERAGE(add, finish) \
	MOVQ dst+0(FP), DI;   \
	MOVQ acc+8(FP), SI;   \
	MOVQ n+16(FP), CX;    \
	MOVQ c+24(FP), R8;    \
	MOVQ step+32(FP), R9; \
	MOVQ tap+40(FP), R10; \
	MOVQ k+48(FP), R11;   \
pixel: \
	MOVQ DI, R12;         \
	MOVQ SI, R13;         \
	MOVQ R8, BX;          \
piece: \
	VMOVDQU (R13), Y0;    \
	MOVQ R13, AX;         \
	MOVQ R11, DX;         \
	JMP  next;            \
more: \
	ADDQ R10, AX;         \
	add  (AX), Y0, Y0;    \
next: \
	DECQ DX;              \
	JNZ  more;            \
	finish;               \
	ADDQ $32, R13;        \
	SUBQ $8, BX;          \
	JGT  piece;           \
	LEAQ (DI)(R8*SIZE), DI; \
	ADDQ R9, SI;          \
	DECQ CX;              \
	JNZ  pixel;           \
	VZEROUPPER;           \
	RET

// BYTES: half away from zero is to add the half with the sum's sign and to drop
// the fraction. Clamped values fit in 9 bits: words, then the low byte of each.
#define BYTES \
	VCVTDQ2PS Y0, Y0;         \
	VANDPS  Y14, Y0, Y1;      \
	VORPS   Y13, Y1, Y1;      \
	VADDPS  Y1, Y0, Y0;       \
	VMULPS  Y15, Y0, Y0;      \
	VCVTTPS2DQ Y0, Y0;        \
	VPMAXSD Y11, Y0, Y0;      \
	VPMINSD Y10, Y0, Y0;      \
	VEXTRACTI128 $1, Y0, X1;  \
	VPACKSSDW X1, X0, X0;     \
	VPAND   X12, X0, X0;      \
	VPACKUSWB X0, X0, X0;     \
	VMOVQ   X0, (R12);        \
	ADDQ $8, R12

// func averageBytesAVX2(dst *byte, acc *int32, n, c, step, tap, k int, inverse, half float32, lo, hi int32)
TEXT ·averageBytesAVX2(SB), NOSPLIT, $0-72
	VBROADCASTSS inverse+56(FP), Y15
	VBROADCASTSS half+60(FP), Y13
	VBROADCASTSS lo+64(FP), Y11
	VBROADCASTSS hi+68(FP), Y10
	VPCMPEQD Y14, Y14, Y14
	VPSRLW   $8, Y14, Y12
	VPSLLD   $31, Y14, Y14
#define SIZE 1
	AVERAGE(VPADDD, BYTES)
#undef SIZE

// FLOATS: a NaN stays, as the last operand.
#define FLOATS \
	VDIVPS  Y15, Y0, Y0;      \
	VMAXPS  Y0, Y11, Y0;      \
	VMINPS  Y0, Y10, Y0;      \
	VMOVUPS Y0, (R12);        \
	ADDQ $32, R12

// func averageF32AVX2(dst, acc *float32, n, c, step, tap, k int, count, lo, hi float32)
TEXT ·averageF32AVX2(SB), NOSPLIT, $0-68
	VBROADCASTSS count+56(FP), Y15
	VBROADCASTSS lo+60(FP), Y11
	VBROADCASTSS hi+64(FP), Y10
#define SIZE 4
	AVERAGE(VADDPS, FLOATS)
#undef SIZE
