//go:build amd64 && !purego

#include "textflag.h"

// PUT adds the 16 sums of 16 bits in y to those of 32 bits at off(DI).
#define PUT(y, x, off) \
	VPMOVSXWD x, Y8;             \
	VPADDD    off(DI), Y8, Y8;   \
	VMOVDQU   Y8, off(DI);       \
	VEXTRACTI128 $1, y, X8;      \
	VPMOVSXWD X8, Y8;            \
	VPADDD    off+32(DI), Y8, Y8; \
	VMOVDQU   Y8, off+32(DI)

// SUM sums columns in 16 bits, 64 at once and then 16: the rows are few enough.
#define SUM(extend) \
	MOVQ acc+0(FP), DI;     \
	MOVQ src+8(FP), SI;     \
	MOVQ blocks+16(FP), BX; \
	MOVQ rows+24(FP), R8;   \
	MOVQ stride+32(FP), R9; \
	SUBQ $4, BX;            \
	JLT  rest;              \
wide: \
	VPXOR Y0, Y0, Y0;       \
	VPXOR Y1, Y1, Y1;       \
	VPXOR Y2, Y2, Y2;       \
	VPXOR Y3, Y3, Y3;       \
	MOVQ SI, AX;            \
	MOVQ R8, CX;            \
widerow: \
	extend (AX), Y4;        \
	extend 16(AX), Y5;      \
	extend 32(AX), Y6;      \
	extend 48(AX), Y7;      \
	VPADDW Y4, Y0, Y0;      \
	VPADDW Y5, Y1, Y1;      \
	VPADDW Y6, Y2, Y2;      \
	VPADDW Y7, Y3, Y3;      \
	ADDQ R9, AX;            \
	DECQ CX;                \
	JNZ  widerow;           \
	PUT(Y0, X0, 0);         \
	PUT(Y1, X1, 64);        \
	PUT(Y2, X2, 128);       \
	PUT(Y3, X3, 192);       \
	ADDQ $64, SI;           \
	ADDQ $256, DI;          \
	SUBQ $4, BX;            \
	JGE  wide;              \
rest: \
	ADDQ $4, BX;            \
	JZ   done;              \
narrow: \
	VPXOR Y0, Y0, Y0;       \
	MOVQ SI, AX;            \
	MOVQ R8, CX;            \
narrowrow: \
	extend (AX), Y4;        \
	VPADDW Y4, Y0, Y0;      \
	ADDQ R9, AX;            \
	DECQ CX;                \
	JNZ  narrowrow;         \
	PUT(Y0, X0, 0);         \
	ADDQ $16, SI;           \
	ADDQ $64, DI;           \
	DECQ BX;                \
	JNZ  narrow;            \
done: \
	VZEROUPPER;             \
	RET

// func sumRowsI8AVX2(acc *int32, src *byte, blocks, rows, stride int)
TEXT ·sumRowsI8AVX2(SB), NOSPLIT, $0-40
	SUM(VPMOVSXBW)

// func sumRowsU8AVX2(acc *int32, src *byte, blocks, rows, stride int)
TEXT ·sumRowsU8AVX2(SB), NOSPLIT, $0-40
	SUM(VPMOVZXBW)
