//go:build amd64 && !purego

#include "textflag.h"

// CLAMP: a maximum and a minimum return their last operand, here Y0, where it is
// no number.
#define CLAMP \
	VMAXPS Y0, Y15, Y0; \
	VMINPS Y0, Y14, Y0

// PAIR is dst = op(Y0, Y1) on whole blocks, clamped. Y13 is zero.
#define PAIR(op) \
	MOVQ dst+0(FP), DI;          \
	MOVQ x+8(FP), SI;            \
	MOVQ y+16(FP), DX;           \
	MOVQ blocks+24(FP), CX;      \
	VBROADCASTSS lo+32(FP), Y15; \
	VBROADCASTSS hi+36(FP), Y14; \
	VXORPS Y13, Y13, Y13;        \
	XORQ AX, AX;                 \
loop: \
	VMOVUPS (SI)(AX*1), Y0;      \
	VMOVUPS (DX)(AX*1), Y1;      \
	op;                          \
	CLAMP;                       \
	VMOVUPS Y0, (DI)(AX*1);      \
	ADDQ $32, AX;                \
	DECQ CX;                     \
	JNZ  loop;                   \
	VZEROUPPER;                  \
	RET

#define ADD VADDPS Y1, Y0, Y0
#define SUB VSUBPS Y1, Y0, Y0
#define MUL VMULPS Y1, Y0, Y0
#define DIV VDIVPS Y1, Y0, Y0
#define MAX VMAXPS Y1, Y0, Y0
#define MIN VMINPS Y1, Y0, Y0
#define SQUARED \
	VSUBPS Y1, Y0, Y0; \
	VMULPS Y0, Y0, Y0
#define PRELU \
	VMULPS Y1, Y0, Y1;       \
	VCMPPS $13, Y13, Y0, Y2; \
	VBLENDVPS Y2, Y0, Y1, Y0

// func addPairAVX2(dst, x, y *float32, blocks int, lo, hi float32)
TEXT ·addPairAVX2(SB), NOSPLIT, $0-40
	PAIR(ADD)

// func subPairAVX2(dst, x, y *float32, blocks int, lo, hi float32)
TEXT ·subPairAVX2(SB), NOSPLIT, $0-40
	PAIR(SUB)

// func mulPairAVX2(dst, x, y *float32, blocks int, lo, hi float32)
TEXT ·mulPairAVX2(SB), NOSPLIT, $0-40
	PAIR(MUL)

// func divPairAVX2(dst, x, y *float32, blocks int, lo, hi float32)
TEXT ·divPairAVX2(SB), NOSPLIT, $0-40
	PAIR(DIV)

// func maxPairAVX2(dst, x, y *float32, blocks int, lo, hi float32)
TEXT ·maxPairAVX2(SB), NOSPLIT, $0-40
	PAIR(MAX)

// func minPairAVX2(dst, x, y *float32, blocks int, lo, hi float32)
TEXT ·minPairAVX2(SB), NOSPLIT, $0-40
	PAIR(MIN)

// func preluPairAVX2(dst, x, y *float32, blocks int, lo, hi float32)
TEXT ·preluPairAVX2(SB), NOSPLIT, $0-40
	PAIR(PRELU)

// func squaredDiffersAVX2(dst, x, y *float32, blocks int, lo, hi float32)
TEXT ·squaredDiffersAVX2(SB), NOSPLIT, $0-40
	PAIR(SQUARED)
