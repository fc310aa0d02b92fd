//go:build amd64 && !purego

#include "go_asm.h"
#include "textflag.h"
#include "tile_amd64.h"

#define DEPTHF(a, c0, c1) \
	VFMADD231PS (a), Y12, c0;   \
	VFMADD231PS 32(a), Y13, c1

// func depthF32AVX2(t *TileF32)
TEXT ·depthF32AVX2(SB), NOSPLIT, $0-8
	MOVQ t+0(FP), DI
	MOVQ TileF32_Bias(DI), AX
	BIAS(AX)
	MOVQ TileF32_W(DI), SI
	MOVQ TileF32_Taps(DI), BX
	MOVQ (TileF32_Taps+8)(DI), CX
	TESTQ CX, CX
	JZ   clamp
tap:
	MOVQ (BX), DX
	POSITIONS(TileF32_A, TileF32_Off, 4)
	VMOVUPS (SI), Y12
	VMOVUPS 32(SI), Y13
	DEPTHF(R8, Y0, Y1)
	DEPTHF(R9, Y2, Y3)
	DEPTHF(R10, Y4, Y5)
	DEPTHF(R11, Y6, Y7)
	DEPTHF(R12, Y8, Y9)
	DEPTHF(R13, Y10, Y11)
	ADDQ $64, SI
	ADDQ $8, BX
	DECQ CX
	JNZ  tap
clamp:
	VBROADCASTSS TileF32_Lo(DI), Y12
	VBROADCASTSS TileF32_Hi(DI), Y13
	CLAMP(Y0, Y1)
	CLAMP(Y2, Y3)
	CLAMP(Y4, Y5)
	CLAMP(Y6, Y7)
	CLAMP(Y8, Y9)
	CLAMP(Y10, Y11)
	MOVQ TileF32_Dst(DI), AX
	MOVQ TileF32_Ldc(DI), DX
	SHLQ $2, DX
	MOVQ TileF32_Rows(DI), CX
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

// DEPTHI multiplies words widened with zeros: the upper product of every pair
// is then 0*0, and VPMADDWD gives the signed product of the lower.
#define DEPTHI(a, c0, c1) \
	VPMOVZXWD (a), Y14;        \
	VPMOVZXWD 16(a), Y15;      \
	VPMADDWD  Y12, Y14, Y14;   \
	VPMADDWD  Y13, Y15, Y15;   \
	VPADDD    Y14, c0, c0;     \
	VPADDD    Y15, c1, c1

// func depthI16AVX2(t *TileI16)
TEXT ·depthI16AVX2(SB), NOSPLIT, $0-8
	MOVQ t+0(FP), DI
	MOVQ TileI16_Bias(DI), AX
	BIAS(AX)
	MOVQ TileI16_W(DI), SI
	MOVQ TileI16_Taps(DI), BX
	MOVQ (TileI16_Taps+8)(DI), CX
	TESTQ CX, CX
	JZ   store
tap:
	MOVQ (BX), DX
	POSITIONS(TileI16_A, TileI16_Off, 2)
	VPMOVZXWD (SI), Y12
	VPMOVZXWD 16(SI), Y13
	DEPTHI(R8, Y0, Y1)
	DEPTHI(R9, Y2, Y3)
	DEPTHI(R10, Y4, Y5)
	DEPTHI(R11, Y6, Y7)
	DEPTHI(R12, Y8, Y9)
	DEPTHI(R13, Y10, Y11)
	ADDQ $32, SI
	ADDQ $8, BX
	DECQ CX
	JNZ  tap
store:
	MOVQ TileI16_Dst(DI), AX
	MOVQ $64, DX
	MOVQ TileI16_Rows(DI), CX
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
