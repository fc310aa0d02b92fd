//go:build amd64 && !purego

#include "textflag.h"

#define WIDEN(extend) \
	MOVQ dst+0(FP), DI;              \
	MOVQ src+8(FP), SI;              \
	MOVQ blocks+16(FP), CX;          \
	VPBROADCASTW zero+24(FP), Y1;    \
loop: \
	extend (SI), Y0;                 \
	VPSUBW Y1, Y0, Y0;               \
	VMOVDQU Y0, (DI);                \
	ADDQ $16, SI;                    \
	ADDQ $32, DI;                    \
	DECQ CX;                         \
	JNZ  loop;                       \
	VZEROUPPER;                      \
	RET

// func widenI8AVX2(dst *int16, src *byte, blocks int, zero int16)
TEXT ·widenI8AVX2(SB), NOSPLIT, $0-26
	WIDEN(VPMOVSXBW)

// func widenU8AVX2(dst *int16, src *byte, blocks int, zero int16)
TEXT ·widenU8AVX2(SB), NOSPLIT, $0-26
	WIDEN(VPMOVZXBW)
