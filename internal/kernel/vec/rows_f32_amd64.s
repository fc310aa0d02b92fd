//go:build amd64 && !purego

#include "textflag.h"

// CLAMP: a maximum and a minimum return their last operand, here Y0, where it is
// no number.
#define CLAMP \
	VMAXPS Y0, Y15, Y0; \
	VMINPS Y0, Y14, Y0

// EACH is dst = op(Y0) on whole blocks.
#define EACH(op) \
	MOVQ dst+0(FP), DI;     \
	MOVQ src+8(FP), SI;     \
	MOVQ blocks+16(FP), CX; \
	XORQ AX, AX;            \
loop: \
	VMOVUPS (SI)(AX*1), Y0; \
	op;                     \
	VMOVUPS Y0, (DI)(AX*1); \
	ADDQ $32, AX;           \
	DECQ CX;                \
	JNZ  loop;              \
	VZEROUPPER;             \
	RET

// func clampF32AVX2(dst, src *float32, blocks int, lo, hi float32)
TEXT ·clampF32AVX2(SB), NOSPLIT, $0-32
	VBROADCASTSS lo+24(FP), Y15
	VBROADCASTSS hi+28(FP), Y14
	EACH(CLAMP)

#define SWISH \
	VADDPS Y13, Y0, Y1;  \
	VMAXPS Y1, Y15, Y1;  \
	VMINPS Y1, Y14, Y1;  \
	VMULPS Y1, Y0, Y0;   \
	VDIVPS Y14, Y0, Y0

// func hardSwishF32AVX2(dst, src *float32, blocks int)
TEXT ·hardSwishF32AVX2(SB), NOSPLIT, $0-24
	MOVL $0x40400000, AX // 3
	VMOVD AX, X13
	VBROADCASTSS X13, Y13
	MOVL $0x40C00000, AX // 6
	VMOVD AX, X14
	VBROADCASTSS X14, Y14
	VXORPS Y15, Y15, Y15
	EACH(SWISH)

#define LEAKY \
	VMULPS Y14, Y0, Y1;      \
	VCMPPS $14, Y15, Y0, Y2; \
	VBLENDVPS Y2, Y0, Y1, Y0

// func leakyReluF32AVX2(dst, src *float32, blocks int, alpha float32)
TEXT ·leakyReluF32AVX2(SB), NOSPLIT, $0-28
	VBROADCASTSS alpha+24(FP), Y14
	VXORPS Y15, Y15, Y15
	EACH(LEAKY)

#define SCALE VMULPS Y15, Y0, Y0

// func scaleF32AVX2(dst, src *float32, blocks int, factor float32)
TEXT ·scaleF32AVX2(SB), NOSPLIT, $0-28
	VBROADCASTSS factor+24(FP), Y15
	EACH(SCALE)
