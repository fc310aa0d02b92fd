//go:build amd64 && !purego

#include "go_asm.h"
#include "textflag.h"

// BETWEEN leaves in lo and hi the mixtures of the 16 pixels at from and to in one
// row, those of the outer and those of the inner quarters; Y9 holds the shares.
#define BETWEEN(from, to, lo, hi) \
	VPMOVSXBW from, Y4;     \
	VPMOVSXBW to, Y5;       \
	VPUNPCKLWD Y5, Y4, lo;  \
	VPUNPCKHWD Y5, Y4, hi;  \
	VPMADDWD Y9, lo, lo;    \
	VPMADDWD Y9, hi, hi

// DOWN mixes v of the upper row with w of the lower one: 1024 v + t (w-v), and
// rounds half away from zero, where a negative value loses one beside the half.
#define DOWN(v, w) \
	VPSUBD  v, w, w;        \
	VPMULLD Y8, w, w;       \
	VPSLLD  $10, v, v;      \
	VPADDD  w, v, v;        \
	VPSRAD  $31, v, w;      \
	VPADDD  Y7, v, v;       \
	VPADDD  w, v, v;        \
	VPSRAD  $20, v, v

// func lerpI8AVX2(dst, top, bottom *byte, xs *lerpI8X, n, c int, t int32)
TEXT ·lerpI8AVX2(SB), NOSPLIT, $0-52
	MOVQ dst+0(FP), DI
	MOVQ top+8(FP), SI
	MOVQ bottom+16(FP), DX
	MOVQ xs+24(FP), R8
	MOVQ n+32(FP), CX
	MOVQ c+40(FP), R9
	VBROADCASTSS t+48(FP), Y8
	MOVL $0x80000, AX // a half
	VMOVD AX, X7
	VPBROADCASTD X7, Y7
pixel:
	MOVQ lerpI8X_lo(R8), AX
	MOVQ lerpI8X_hi(R8), BX
	VPBROADCASTD lerpI8X_shares(R8), Y9
	MOVQ DI, R10
	MOVQ R9, R11
piece:
	BETWEEN((SI)(AX*1), (SI)(BX*1), Y0, Y1)
	BETWEEN((DX)(AX*1), (DX)(BX*1), Y2, Y3)
	DOWN(Y0, Y2)
	DOWN(Y1, Y3)
	VPACKSSDW Y1, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPACKSSWB X1, X0, X0
	VMOVDQU X0, (R10)
	ADDQ $16, R10
	ADDQ $16, AX
	ADDQ $16, BX
	SUBQ $16, R11
	JGT  piece
	ADDQ R9, DI
	ADDQ $lerpI8X__size, R8
	DECQ CX
	JNZ  pixel
	VZEROUPPER
	RET
