//go:build amd64 && !purego

#include "textflag.h"

// ELEM is dst = op(dst, src) on whole blocks. op's last source operand is dst:
// VMAXPS returns it where either is NaN.
#define ELEM(move, op) \
	MOVQ dst+0(FP), DI;     \
	MOVQ src+8(FP), SI;     \
	MOVQ blocks+16(FP), CX; \
loop: \
	move (SI), Y0;          \
	op   (DI), Y0, Y0;      \
	move Y0, (DI);          \
	ADDQ $32, SI;           \
	ADDQ $32, DI;           \
	DECQ CX;                \
	JNZ  loop;              \
	VZEROUPPER;             \
	RET

// func maxF32AVX2(dst, src *float32, blocks int)
TEXT ·maxF32AVX2(SB), NOSPLIT, $0-24
	ELEM(VMOVUPS, VMAXPS)

// func addF32AVX2(dst, src *float32, blocks int)
TEXT ·addF32AVX2(SB), NOSPLIT, $0-24
	ELEM(VMOVUPS, VADDPS)

// func maxI8AVX2(dst, src *int8, blocks int)
TEXT ·maxI8AVX2(SB), NOSPLIT, $0-24
	ELEM(VMOVDQU, VPMAXSB)

// func maxU8AVX2(dst, src *uint8, blocks int)
TEXT ·maxU8AVX2(SB), NOSPLIT, $0-24
	ELEM(VMOVDQU, VPMAXUB)
