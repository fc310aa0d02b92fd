//go:build amd64 && !purego

#include "textflag.h"

// func flipAVX512(dst, src *uint8, n int)
TEXT ·flipAVX512(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVL $0x80808080, AX
	VPBROADCASTD AX, Z4
	SUBQ $256, CX
	JLT  short

long:
	VPXORD 0(SI), Z4, Z0
	VPXORD 64(SI), Z4, Z1
	VPXORD 128(SI), Z4, Z2
	VPXORD 192(SI), Z4, Z3
	VMOVDQU32 Z0, 0(DI)
	VMOVDQU32 Z1, 64(DI)
	VMOVDQU32 Z2, 128(DI)
	VMOVDQU32 Z3, 192(DI)
	ADDQ $256, SI
	ADDQ $256, DI
	SUBQ $256, CX
	JGE  long

short:
	ADDQ $192, CX
	JLT  tail

vector:
	VPXORD (SI), Z4, Z0
	VMOVDQU32 Z0, (DI)
	ADDQ $64, SI
	ADDQ $64, DI
	SUBQ $64, CX
	JGE  vector

tail:
	ADDQ $64, CX
	JZ   done
	MOVQ $-1, AX
	BZHIQ CX, AX, AX
	KMOVQ AX, K1
	VMOVDQU8.Z (SI), K1, Z0
	VPXORD Z4, Z0, Z0
	VMOVDQU8 Z0, K1, (DI)

done:
	VZEROUPPER
	RET
