//go:build amd64 && !purego

#include "textflag.h"

// PIXELS takes each pixel in pieces of one register r: the first tap is loaded, the
// others raise it.
#define PIXELS(raise, r, bytes) \
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
	VMOVDQU (R13), r;     \
	MOVQ R13, AX;         \
	MOVQ R11, DX;         \
	JMP  next;            \
more: \
	ADDQ  R10, AX;        \
	raise (AX), r, r;     \
next: \
	DECQ DX;              \
	JNZ  more;            \
	VMOVDQU r, (R12);     \
	ADDQ $bytes, R12;     \
	ADDQ $bytes, R13;     \
	SUBQ $bytes, BX;      \
	JGT  piece;           \
	ADDQ R8, DI;          \
	ADDQ R9, SI;          \
	DECQ CX;              \
	JNZ  pixel;           \
	VZEROUPPER;           \
	RET

// func maxPixelsI8AVX2(dst, src *byte, n, c, step, tap, k int)
TEXT ·maxPixelsI8AVX2(SB), NOSPLIT, $0-56
	PIXELS(VPMAXSB, X0, 16)

// func maxPixelsU8AVX2(dst, src *byte, n, c, step, tap, k int)
TEXT ·maxPixelsU8AVX2(SB), NOSPLIT, $0-56
	PIXELS(VPMAXUB, X0, 16)

// func maxPixelsF32AVX2(dst, src *float32, n, c, step, tap, k int)
TEXT ·maxPixelsF32AVX2(SB), NOSPLIT, $0-56
	PIXELS(VMAXPS, Y0, 32)
