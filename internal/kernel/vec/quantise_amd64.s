//go:build amd64 && !purego

#include "textflag.h"

// ROUND divides four float64 by the scale and rounds half away from zero: it adds
// the number just below a half, with the sign, and drops the fraction.
#define ROUND(y, x) \
	VDIVPD   Y15, y, y;    \
	VANDPD   Y14, y, Y2;   \
	VORPD    Y13, Y2, Y2;  \
	VADDPD   Y2, y, y;     \
	VROUNDPD $3, y, y;     \
	VCVTPD2PSY y, x

// func quantiseAVX2(dst *byte, src *float32, blocks int, scale float64, zero, lo, hi float32)
TEXT ·quantiseAVX2(SB), NOSPLIT, $0-44
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ blocks+16(FP), CX
	VBROADCASTSD scale+24(FP), Y15
	VBROADCASTSS zero+32(FP), Y12
	VBROADCASTSS lo+36(FP), Y11
	VBROADCASTSS hi+40(FP), Y10
	VPCMPEQD Y14, Y14, Y14
	VPSLLQ   $63, Y14, Y14
	MOVQ     $0x3FDFFFFFFFFFFFFF, AX
	VMOVQ    AX, X13
	VBROADCASTSD X13, Y13
loop:
	VCVTPS2PD (SI), Y0
	VCVTPS2PD 16(SI), Y1
	ROUND(Y0, X0)
	ROUND(Y1, X1)
	VINSERTF128 $1, X1, Y0, Y0
	VADDPS  Y12, Y0, Y0
	VMAXPS  Y11, Y0, Y0 // lo where Y0 is NaN
	VMINPS  Y10, Y0, Y0
	VCVTTPS2DQ Y0, Y0
	// Clamped values fit in 9 bits: words, then the low byte of each.
	VEXTRACTI128 $1, Y0, X1
	VPACKSSDW X1, X0, X0
	VPSLLW  $8, X0, X0
	VPSRLW  $8, X0, X0
	VPACKUSWB X0, X0, X0
	VMOVQ   X0, (DI)
	ADDQ $32, SI
	ADDQ $8, DI
	DECQ CX
	JNZ  loop
	VZEROUPPER
	RET
