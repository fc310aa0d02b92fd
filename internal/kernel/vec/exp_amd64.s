//go:build amd64 && !purego

#include "textflag.h"

// K is constant number i of the table.
#define K(i) (32*i)(R8)

// CONSTANTS: Y4 log2(e), Y5 the rounding constant, Y6 and Y7 ln(2), Y8 and Y9
// the range, Y10 one, Y11 the first coefficient.
#define CONSTANTS \
	VMOVUPS K(0), Y4;  \
	VMOVUPS K(1), Y5;  \
	VMOVUPS K(2), Y6;  \
	VMOVUPS K(3), Y7;  \
	VMOVUPS K(4), Y8;  \
	VMOVUPS K(5), Y9;  \
	VMOVUPS K(6), Y10; \
	VMOVUPS K(7), Y11

// REDUCED leaves n in Y1 and e^r-1 in Y0, from x in Y0; it uses Y2 and Y3. What
// is no number stays, as the last operand of maximum and minimum.
#define REDUCED \
	VMAXPS Y0, Y8, Y0;    \
	VMINPS Y0, Y9, Y0;    \
	VMULPS Y4, Y0, Y1;    \
	VADDPS Y5, Y1, Y1;    \
	VSUBPS Y5, Y1, Y2;    \
	VPSUBD Y5, Y1, Y1;    \
	VMULPS Y6, Y2, Y3;    \
	VSUBPS Y3, Y0, Y0;    \
	VMULPS Y7, Y2, Y3;    \
	VSUBPS Y3, Y0, Y0;    \
	VMULPS Y11, Y0, Y2;   \
	VADDPS K(8), Y2, Y2;  \
	VMULPS Y0, Y2, Y2;    \
	VADDPS K(9), Y2, Y2;  \
	VMULPS Y0, Y2, Y2;    \
	VADDPS K(10), Y2, Y2; \
	VMULPS Y0, Y2, Y2;    \
	VADDPS K(11), Y2, Y2; \
	VMULPS Y0, Y0, Y3;    \
	VMULPS Y3, Y2, Y2;    \
	VADDPS Y0, Y2, Y0

#define EXP \
	REDUCED;             \
	VADDPS Y10, Y0, Y0;  \
	VPSRAD $1, Y1, Y2;   \
	VPSUBD Y2, Y1, Y1;   \
	VPSLLD $23, Y1, Y1;  \
	VPSLLD $23, Y2, Y2;  \
	VPADDD Y10, Y1, Y1;  \
	VPADDD Y10, Y2, Y2;  \
	VMULPS Y1, Y0, Y0;   \
	VMULPS Y2, Y0, Y0

#define ARGUMENTS \
	MOVQ dst+0(FP), DI;     \
	MOVQ src+8(FP), SI;     \
	MOVQ blocks+16(FP), CX; \
	MOVQ table+24(FP), R8;  \
	CONSTANTS;              \
	XORQ AX, AX

#define NEXT \
	VMOVUPS Y0, (DI)(AX*1); \
	ADDQ $32, AX;           \
	DECQ CX;                \
	JNZ  loop;              \
	VZEROUPPER;             \
	RET

// func expF32AVX2(dst, src *float32, blocks int, table *[20][lanesF32]float32, minus, times float32, sums *[8]float32)
TEXT ·expF32AVX2(SB), NOSPLIT, $0-48
	VBROADCASTSS minus+32(FP), Y14
	VBROADCASTSS times+36(FP), Y15
	MOVQ sums+40(FP), DX
	VMOVUPS (DX), Y13
	ARGUMENTS
loop:
	VMOVUPS (SI)(AX*1), Y0
	VSUBPS Y14, Y0, Y0
	VMULPS Y15, Y0, Y0
	EXP
	VADDPS Y0, Y13, Y13
	VMOVUPS Y0, (DI)(AX*1)
	ADDQ $32, AX
	DECQ CX
	JNZ  loop
	VMOVUPS Y13, (DX)
	VZEROUPPER
	RET

// func topF32AVX2(src *float32, blocks int, tops *[lanesF32]float32)
//
// The maximum returns its last operand, the best so far, where the other is no
// number.
TEXT ·topF32AVX2(SB), NOSPLIT, $0-24
	MOVQ src+0(FP), SI
	MOVQ blocks+8(FP), CX
	MOVQ tops+16(FP), DI
	MOVL $0xFF800000, AX // -Inf
	VMOVD AX, X0
	VBROADCASTSS X0, Y0
loop:
	VMOVUPS (SI), Y1
	VMAXPS Y0, Y1, Y0
	ADDQ $32, SI
	DECQ CX
	JNZ  loop
	VMOVUPS Y0, (DI)
	VZEROUPPER
	RET

// func logisticF32AVX2(dst, src *float32, blocks int, table *[20][lanesF32]float32)
TEXT ·logisticF32AVX2(SB), NOSPLIT, $0-32
	ARGUMENTS
	VMOVUPS K(12), Y12
loop:
	VXORPS (SI)(AX*1), Y12, Y0
	EXP
	VADDPS Y10, Y0, Y0
	VDIVPS Y0, Y10, Y0
	NEXT

// func tanhF32AVX2(dst, src *float32, blocks int, table *[20][lanesF32]float32)
TEXT ·tanhF32AVX2(SB), NOSPLIT, $0-32
	ARGUMENTS
	VADDPS Y10, Y10, Y14
	VMOVUPS K(12), Y15
loop:
	VMOVUPS (SI)(AX*1), Y12
	VANDNPS Y12, Y15, Y13 // |x|
	VADDPS Y13, Y13, Y0
	EXP
	VADDPS Y10, Y0, Y0
	VDIVPS Y0, Y14, Y0
	VSUBPS Y0, Y10, Y0
	VMULPS Y13, Y13, Y1 // |x|^2
	VMULPS K(14), Y1, Y2
	VADDPS K(15), Y2, Y2
	VMULPS Y1, Y2, Y2
	VADDPS K(16), Y2, Y2
	VMULPS Y1, Y2, Y2
	VADDPS K(17), Y2, Y2
	VMULPS Y1, Y2, Y2
	VADDPS K(18), Y2, Y2
	VMULPS Y1, Y13, Y1
	VMULPS Y2, Y1, Y1
	VADDPS Y13, Y1, Y1
	VCMPPS $1, K(13), Y13, Y2
	VBLENDVPS Y2, Y1, Y0, Y0
	VANDPS Y15, Y12, Y12
	VORPS  Y12, Y0, Y0
	NEXT

// func eluF32AVX2(dst, src *float32, blocks int, table *[20][lanesF32]float32)
TEXT ·eluF32AVX2(SB), NOSPLIT, $0-32
	ARGUMENTS
	VMOVUPS K(19), Y8
	VXORPS Y14, Y14, Y14
loop:
	VMOVUPS (SI)(AX*1), Y12
	VMOVAPS Y12, Y0
	REDUCED
	VPSLLD $23, Y1, Y1
	VPADDD Y10, Y1, Y1 // 2^n
	VMULPS Y1, Y0, Y0
	VSUBPS Y10, Y1, Y1
	VADDPS Y1, Y0, Y0
	VCMPPS $1, Y14, Y12, Y2
	VBLENDVPS Y2, Y0, Y12, Y0
	NEXT
