//go:build amd64 && !purego

#include "textflag.h"

#define SUM(extend) \
	MOVQ acc+0(FP), DI;     \
	MOVQ src+8(FP), SI;     \
	MOVQ blocks+16(FP), CX; \
loop: \
	extend (SI), Y0;        \
	VPADDD (DI), Y0, Y0;    \
	VMOVDQU Y0, (DI);       \
	ADDQ $8, SI;            \
	ADDQ $32, DI;           \
	DECQ CX;                \
	JNZ  loop;              \
	VZEROUPPER;             \
	RET

// func sumI8AVX2(acc *int32, src *byte, blocks int)
TEXT ·sumI8AVX2(SB), NOSPLIT, $0-24
	SUM(VPMOVSXBD)

// func sumU8AVX2(acc *int32, src *byte, blocks int)
TEXT ·sumU8AVX2(SB), NOSPLIT, $0-24
	SUM(VPMOVZXBD)
