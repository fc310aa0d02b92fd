//go:build arm64 && !purego

#include "textflag.h"

// func flipSIMD(dst, src *uint8, n int)
TEXT ·flipSIMD(SB), NOSPLIT, $0-24
	MOVD dst+0(FP), R0
	MOVD src+8(FP), R1
	MOVD n+16(FP), R2
	VMOVI $128, V4.B16
	SUBS $64, R2
	BLT  short

long:
	VLD1.P 64(R1), [V0.B16, V1.B16, V2.B16, V3.B16]
	VEOR V4.B16, V0.B16, V0.B16
	VEOR V4.B16, V1.B16, V1.B16
	VEOR V4.B16, V2.B16, V2.B16
	VEOR V4.B16, V3.B16, V3.B16
	VST1.P [V0.B16, V1.B16, V2.B16, V3.B16], 64(R0)
	SUBS $64, R2
	BGE  long

short:
	ADDS $48, R2
	BLT  tail

vector:
	VLD1.P 16(R1), [V0.B16]
	VEOR V4.B16, V0.B16, V0.B16
	VST1.P [V0.B16], 16(R0)
	SUBS $16, R2
	BGE  vector

tail:
	ADDS $16, R2
	BEQ  done

byte:
	MOVBU.P 1(R1), R3
	EOR  $128, R3
	MOVB.P R3, 1(R0)
	SUBS $1, R2
	BNE  byte

done:
	RET
