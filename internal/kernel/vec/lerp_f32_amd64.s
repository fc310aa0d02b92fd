//go:build amd64 && !purego

#include "go_asm.h"
#include "textflag.h"

// MIX adds one source's share to Y6.
#define MIX(base, weight) \
	VMASKMOVPS (base)(DX*1), Y10, Y7; \
	VFMADD231PS Y7, weight, Y6

// func lerpF32AVX2(c *lerpCall)
//
// For every position the four weights stand in Y0 to Y3 and the four source
// pixels in R10 to R13; then one vector of channels after the other.
TEXT ·lerpF32AVX2(SB), NOSPLIT, $0-8
	MOVQ c+0(FP), R8
	MOVQ lerpCall_dst(R8), DI
	MOVQ lerpCall_top(R8), SI
	MOVQ lerpCall_bottom(R8), R15
	MOVQ lerpCall_xs(R8), R9
	MOVQ lerpCall_mask(R8), AX
	VMOVUPS (AX), Y10
	VBROADCASTSS lerpCall_from(R8), Y8
	VBROADCASTSS lerpCall_to(R8), Y9

pixel:
	MOVQ lerpX_lo(R9), AX
	MOVQ lerpX_hi(R9), BX
	VBROADCASTSS lerpX_from(R9), Y4
	VBROADCASTSS lerpX_to(R9), Y5
	VMULPS Y4, Y8, Y0
	VMULPS Y5, Y8, Y1
	VMULPS Y4, Y9, Y2
	VMULPS Y5, Y9, Y3
	LEAQ (SI)(AX*4), R10
	LEAQ (SI)(BX*4), R11
	LEAQ (R15)(AX*4), R12
	LEAQ (R15)(BX*4), R13
	XORQ DX, DX
	MOVQ lerpCall_vectors(R8), CX
	TESTQ CX, CX
	JZ   rest

vector:
	VMULPS (R10)(DX*1), Y0, Y6
	VFMADD231PS (R11)(DX*1), Y1, Y6
	VFMADD231PS (R12)(DX*1), Y2, Y6
	VFMADD231PS (R13)(DX*1), Y3, Y6
	VMOVUPS Y6, (DI)
	ADDQ $32, DI
	ADDQ $32, DX
	DECQ CX
	JNZ  vector

rest:
	MOVQ lerpCall_rest(R8), CX
	TESTQ CX, CX
	JZ   next
	VXORPS Y6, Y6, Y6
	MIX(R10, Y0)
	MIX(R11, Y1)
	MIX(R12, Y2)
	MIX(R13, Y3)
	VMASKMOVPS Y6, Y10, (DI)
	LEAQ (DI)(CX*4), DI

next:
	ADDQ $lerpX__size, R9
	DECQ lerpCall_n(R8)
	JNZ  pixel
	VZEROUPPER
	RET
