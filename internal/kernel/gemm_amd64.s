//go:build amd64 && !purego

#include "textflag.h"

// Registers of both tiles:
//   DI tile   SI weights   BX tap   CX taps left   DX k   AX K
//   R8..R13 the six positions at the current tap
//   Y0..Y11 sums, two a position   Y12, Y13 weights   Y14, Y15 activations

#define POSITIONS(scale) \
	LEAQ (DX*scale), DX;      \
	ADDQ 0(DI), DX;           \
	MOVQ 24(DI), R8;          \
	MOVQ 32(DI), R9;          \
	MOVQ 40(DI), R10;         \
	MOVQ 48(DI), R11;         \
	MOVQ 56(DI), R12;         \
	MOVQ 64(DI), R13;         \
	LEAQ (DX)(R8*scale), R8;   \
	LEAQ (DX)(R9*scale), R9;   \
	LEAQ (DX)(R10*scale), R10; \
	LEAQ (DX)(R11*scale), R11; \
	LEAQ (DX)(R12*scale), R12; \
	LEAQ (DX)(R13*scale), R13

#define BIAS(p) \
	VMOVUPS (p), Y0;   \
	VMOVUPS 32(p), Y1; \
	VMOVAPS Y0, Y2;    \
	VMOVAPS Y1, Y3;    \
	VMOVAPS Y0, Y4;    \
	VMOVAPS Y1, Y5;    \
	VMOVAPS Y0, Y6;    \
	VMOVAPS Y1, Y7;    \
	VMOVAPS Y0, Y8;    \
	VMOVAPS Y1, Y9;    \
	VMOVAPS Y0, Y10;   \
	VMOVAPS Y1, Y11

#define STEPF(a, x, c0, c1) \
	VBROADCASTSS (a)(DX*4), x; \
	VFMADD231PS  Y12, x, c0;   \
	VFMADD231PS  Y13, x, c1

#define CLAMP(c0, c1) \
	VMAXPS c0, Y12, c0; \
	VMAXPS c1, Y12, c1; \
	VMINPS c0, Y13, c0; \
	VMINPS c1, Y13, c1

// STORE writes one position and leaves when it was the last.
#define STORE(c0, c1) \
	VMOVUPS c0, (AX);   \
	VMOVUPS c1, 32(AX); \
	DECQ    CX;         \
	JZ      done;       \
	ADDQ    DX, AX

// func mulF32AVX2(t *TileF32)
TEXT ·mulF32AVX2(SB), NOSPLIT, $0-8
	MOVQ t+0(FP), DI
	MOVQ 128(DI), AX
	BIAS(AX)
	MOVQ 104(DI), SI
	MOVQ 72(DI), BX
	MOVQ 80(DI), CX
	MOVQ 96(DI), AX
	TESTQ CX, CX
	JZ   clamp
	TESTQ AX, AX
	JZ   clamp
tap:
	MOVQ (BX), DX
	POSITIONS(4)
	XORQ DX, DX
k:
	VMOVUPS (SI), Y12
	VMOVUPS 32(SI), Y13
	STEPF(R8, Y14, Y0, Y1)
	STEPF(R9, Y15, Y2, Y3)
	STEPF(R10, Y14, Y4, Y5)
	STEPF(R11, Y15, Y6, Y7)
	STEPF(R12, Y14, Y8, Y9)
	STEPF(R13, Y15, Y10, Y11)
	ADDQ $64, SI
	INCQ DX
	CMPQ DX, AX
	JLT  k
	ADDQ $8, BX
	DECQ CX
	JNZ  tap
clamp:
	VBROADCASTSS 192(DI), Y12
	VBROADCASTSS 196(DI), Y13
	CLAMP(Y0, Y1)
	CLAMP(Y2, Y3)
	CLAMP(Y4, Y5)
	CLAMP(Y6, Y7)
	CLAMP(Y8, Y9)
	CLAMP(Y10, Y11)
	MOVQ 152(DI), AX
	MOVQ 176(DI), DX
	SHLQ $2, DX
	MOVQ 184(DI), CX
	STORE(Y0, Y1)
	STORE(Y2, Y3)
	STORE(Y4, Y5)
	STORE(Y6, Y7)
	STORE(Y8, Y9)
	VMOVUPS Y10, (AX)
	VMOVUPS Y11, 32(AX)
done:
	VZEROUPPER
	RET

#define STEPI(a, c0, c1) \
	VPBROADCASTD (a)(DX*4), Y14; \
	VPMADDWD     Y12, Y14, Y15;  \
	VPMADDWD     Y13, Y14, Y14;  \
	VPADDD       Y15, c0, c0;    \
	VPADDD       Y14, c1, c1

// func mulI16AVX2(t *TileI16)
TEXT ·mulI16AVX2(SB), NOSPLIT, $0-8
	MOVQ t+0(FP), DI
	MOVQ 128(DI), AX
	BIAS(AX)
	MOVQ 104(DI), SI
	MOVQ 72(DI), BX
	MOVQ 80(DI), CX
	MOVQ 96(DI), AX
	SHRQ $1, AX
	JZ   store
	TESTQ CX, CX
	JZ   store
tap:
	MOVQ (BX), DX
	POSITIONS(2)
	XORQ DX, DX
k:
	VMOVDQU (SI), Y12
	VMOVDQU 32(SI), Y13
	STEPI(R8, Y0, Y1)
	STEPI(R9, Y2, Y3)
	STEPI(R10, Y4, Y5)
	STEPI(R11, Y6, Y7)
	STEPI(R12, Y8, Y9)
	STEPI(R13, Y10, Y11)
	ADDQ $64, SI
	INCQ DX
	CMPQ DX, AX
	JLT  k
	ADDQ $8, BX
	DECQ CX
	JNZ  tap
store:
	MOVQ 152(DI), AX
	MOVQ $64, DX
	MOVQ 176(DI), CX
	STORE(Y0, Y1)
	STORE(Y2, Y3)
	STORE(Y4, Y5)
	STORE(Y6, Y7)
	STORE(Y8, Y9)
	VMOVUPS Y10, (AX)
	VMOVUPS Y11, 32(AX)
done:
	VZEROUPPER
	RET
