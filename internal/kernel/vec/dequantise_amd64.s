//go:build amd64 && !purego

#include "textflag.h"

#define DEQUANTISE(extend) \
	MOVQ dst+0(FP), DI;             \
	MOVQ src+8(FP), SI;             \
	MOVQ blocks+16(FP), CX;         \
	VBROADCASTSS scale+24(FP), Y15; \
	VBROADCASTSS zero+28(FP), Y14;  \
loop: \
	extend (SI), Y0;                \
	VPSUBD Y14, Y0, Y0;             \
	VCVTDQ2PS Y0, Y0;               \
	VMULPS Y15, Y0, Y0;             \
	VMOVUPS Y0, (DI);               \
	ADDQ $8, SI;                    \
	ADDQ $32, DI;                   \
	DECQ CX;                        \
	JNZ  loop;                      \
	VZEROUPPER;                     \
	RET

// func dequantiseI8AVX2(dst *float32, src *byte, blocks int, scale float32, zero int32)
TEXT ·dequantiseI8AVX2(SB), NOSPLIT, $0-32
	DEQUANTISE(VPMOVSXBD)

// func dequantiseU8AVX2(dst *float32, src *byte, blocks int, scale float32, zero int32)
TEXT ·dequantiseU8AVX2(SB), NOSPLIT, $0-32
	DEQUANTISE(VPMOVZXBD)
