//go:build arm64 && !purego

#include "textflag.h"

// func tableNEON(dst, src *byte, blocks int, values *[256]byte)
//
// The table fills V16 to V31. A look-up in a quarter of it leaves the values of
// the others alone.
TEXT ·tableNEON(SB), NOSPLIT, $0-32
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD blocks+16(FP), R2
	MOVD values+24(FP), R3
	VLD1.P 64(R3), [V16.B16, V17.B16, V18.B16, V19.B16]
	VLD1.P 64(R3), [V20.B16, V21.B16, V22.B16, V23.B16]
	VLD1.P 64(R3), [V24.B16, V25.B16, V26.B16, V27.B16]
	VLD1 (R3), [V28.B16, V29.B16, V30.B16, V31.B16]
	VMOVI $64, V3.B16
loop:
	VLD1.P 16(R1), [V0.B16]
	VTBL V0.B16, [V16.B16, V17.B16, V18.B16, V19.B16], V1.B16
	VSUB V3.B16, V0.B16, V0.B16
	VTBX V0.B16, [V20.B16, V21.B16, V22.B16, V23.B16], V1.B16
	VSUB V3.B16, V0.B16, V0.B16
	VTBX V0.B16, [V24.B16, V25.B16, V26.B16, V27.B16], V1.B16
	VSUB V3.B16, V0.B16, V0.B16
	VTBX V0.B16, [V28.B16, V29.B16, V30.B16, V31.B16], V1.B16
	VST1.P [V1.B16], 16(R0)
	SUB $1, R2
	CBNZ R2, loop
	RET
