//go:build arm64 && !purego

#include "go_asm.h"
#include "textflag.h"
#include "tile_arm64.h"

#define DEPTHF(a, c0, c1, c2, c3) \
	VLD1 (a), [V28.S4, V29.S4, V30.S4, V31.S4]; \
	VFMLA V24.S4, V28.S4, c0.S4; \
	VFMLA V25.S4, V29.S4, c1.S4; \
	VFMLA V26.S4, V30.S4, c2.S4; \
	VFMLA V27.S4, V31.S4, c3.S4

// func depthF32NEON(t *TileF32)
TEXT ·depthF32NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	MOVD TileF32_Bias(R0), R6
	BIAS(R6)
	MOVD TileF32_W(R0), R1
	MOVD TileF32_Taps(R0), R2
	MOVD (TileF32_Taps+8)(R0), R3
	CBZ  R3, clamp
tap:
	MOVD.P 8(R2), R6
	POSITIONS(TileF32_A, TileF32_Off, 2)
	VLD1.P 64(R1), [V24.S4, V25.S4, V26.S4, V27.S4]
	DEPTHF(R8, V0, V1, V2, V3)
	DEPTHF(R9, V4, V5, V6, V7)
	DEPTHF(R10, V8, V9, V10, V11)
	DEPTHF(R11, V12, V13, V14, V15)
	DEPTHF(R12, V16, V17, V18, V19)
	DEPTHF(R13, V20, V21, V22, V23)
	SUBS $1, R3
	BNE  tap
clamp:
	ADD  $TileF32_Lo, R0, R6
	VLD1R (R6), [V24.S4]
	ADD  $TileF32_Hi, R0, R6
	VLD1R (R6), [V25.S4]
	CLAMP(0, 1, 2, 3)
	CLAMP(4, 5, 6, 7)
	CLAMP(8, 9, 10, 11)
	CLAMP(12, 13, 14, 15)
	CLAMP(16, 17, 18, 19)
	CLAMP(20, 21, 22, 23)
	MOVD TileF32_Dst(R0), R6
	MOVD TileF32_Ldc(R0), R7
	LSL  $2, R7, R7
	MOVD TileF32_Rows(R0), R3
	STORE(V0, V1, V2, V3)
	STORE(V4, V5, V6, V7)
	STORE(V8, V9, V10, V11)
	STORE(V12, V13, V14, V15)
	STORE(V16, V17, V18, V19)
	VST1 [V20.S4, V21.S4, V22.S4, V23.S4], (R6)
done:
	RET

#define DEPTHI(a, c0, c1, c2, c3) \
	VLD1 (a), [V28.H8, V29.H8]; \
	SMLAL(28, 24, c0);  \
	SMLAL2(28, 24, c1); \
	SMLAL(29, 25, c2);  \
	SMLAL2(29, 25, c3)

// func depthI16NEON(t *TileI16)
TEXT ·depthI16NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	MOVD TileI16_Bias(R0), R6
	BIAS(R6)
	MOVD TileI16_W(R0), R1
	MOVD TileI16_Taps(R0), R2
	MOVD (TileI16_Taps+8)(R0), R3
	CBZ  R3, store
tap:
	MOVD.P 8(R2), R6
	POSITIONS(TileI16_A, TileI16_Off, 1)
	VLD1.P 32(R1), [V24.H8, V25.H8]
	DEPTHI(R8, 0, 1, 2, 3)
	DEPTHI(R9, 4, 5, 6, 7)
	DEPTHI(R10, 8, 9, 10, 11)
	DEPTHI(R11, 12, 13, 14, 15)
	DEPTHI(R12, 16, 17, 18, 19)
	DEPTHI(R13, 20, 21, 22, 23)
	SUBS $1, R3
	BNE  tap
store:
	MOVD TileI16_Dst(R0), R6
	MOVD $64, R7
	MOVD TileI16_Rows(R0), R3
	STORE(V0, V1, V2, V3)
	STORE(V4, V5, V6, V7)
	STORE(V8, V9, V10, V11)
	STORE(V12, V13, V14, V15)
	STORE(V16, V17, V18, V19)
	VST1 [V20.S4, V21.S4, V22.S4, V23.S4], (R6)
done:
	RET
