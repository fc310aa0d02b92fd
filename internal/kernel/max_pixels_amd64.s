//go:build amd64 && !purego

#include "textflag.h"

// PIXELS takes each pixel in pieces of 16 bytes: the first tap is loaded, the
// others raise it.
#define PIXELS(raise) \
	MOVQ dst+0(FP), DI;   \
	MOVQ src+8(FP), SI;   \
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
	VMOVDQU (R13), X0;    \
	MOVQ R13, AX;         \
	MOVQ R11, DX;         \
	JMP  next;            \
more: \
	ADDQ  R10, AX;        \
	raise (AX), X0, X0;   \
next: \
	DECQ DX;              \
	JNZ  more;            \
	VMOVDQU X0, (R12);    \
	ADDQ $16, R12;        \
	ADDQ $16, R13;        \
	SUBQ $16, BX;         \
	JGT  piece;           \
	ADDQ R8, DI;          \
	ADDQ R9, SI;          \
	DECQ CX;              \
	JNZ  pixel;           \
	RET

// func maxPixelsI8AVX2(dst, src *byte, n, c, step, tap, k int)
TEXT ·maxPixelsI8AVX2(SB), NOSPLIT, $0-56
	PIXELS(VPMAXSB)

// func maxPixelsU8AVX2(dst, src *byte, n, c, step, tap, k int)
TEXT ·maxPixelsU8AVX2(SB), NOSPLIT, $0-56
	PIXELS(VPMAXUB)
