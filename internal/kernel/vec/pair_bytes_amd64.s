//go:build amd64 && !purego

#include "textflag.h"

// K is constant number i of the table.
#define K(i) (32*i)(R8)

// FINISH applies the result's factor to half of s: the products of the even and
// the odd lanes as 64 bits, of which the upper halves, rounded up at half a unit,
// are wanted. Before these are shifted to the right, halves away from zero, negative
// values lose one; the half has come with the other rounding.
#define FINISH(s) \
	VPMULDQ  Y10, s, Y8;       \
	VPSRLQ   $32, s, Y9;       \
	VPMULDQ  Y10, Y9, Y9;      \
	VPSRAD   $31, s, Y4;       \
	VPADDQ   Y11, Y8, Y8;      \
	VPADDQ   Y11, Y9, Y9;      \
	VPSRLQ   $32, Y8, Y8;      \
	VPBLENDD $0xAA, Y9, Y8, s; \
	VPADDD   Y4, s, s;         \
	VPSRAVD  Y12, s, s

// RESCALE applies the other operand's factor to s << 20 and doubles the result.
// That is (s*m + 2^10) >> 11, of which the upper bits of m give a whole number,
// shifted to the right as in FINISH.
#define RESCALE(s) \
	VPMULLD  K(2), s, Y8;  \
	VPMADDWD K(3), s, Y9;  \
	VPSRAD   $31, s, Y4;   \
	VPADDD   Y13, Y9, Y9;  \
	VPSRAD   $11, Y9, Y9;  \
	VPADDD   Y4, Y8, Y8;   \
	VPADDD   Y8, Y9, s;    \
	VPSRAVD  Y14, s, s;    \
	VPADDD   s, s, s

// STORE clamps the 16 words in Y0 and stores the low byte of each.
#define STORE \
	VPADDSW K(9), Y0, Y0;     \
	VPMAXSW K(10), Y0, Y0;    \
	VPMINSW K(11), Y0, Y0;    \
	VPAND   Y15, Y0, Y0;      \
	VEXTRACTI128 $1, Y0, X1;  \
	VPACKUSWB X1, X0, X0;     \
	VMOVDQU X0, (DI);         \
	ADDQ $16, SI;             \
	ADDQ $16, DX;             \
	ADDQ $16, DI;             \
	DECQ CX;                  \
	JNZ  loop;                \
	VZEROUPPER;               \
	RET

#define ARGUMENTS(x, y) \
	MOVQ dst+0(FP), DI;      \
	MOVQ x+8(FP), SI;        \
	MOVQ y+16(FP), DX;       \
	MOVQ blocks+24(FP), CX;  \
	MOVQ table+32(FP), R8;   \
	VMOVDQU K(6), Y10;       \
	VMOVDQU K(7), Y11;       \
	VMOVDQU K(8), Y12;       \
	VMOVDQU K(4), Y13;       \
	VMOVDQU K(5), Y14;       \
	VPCMPEQD Y15, Y15, Y15;  \
	VPSRLW  $8, Y15, Y15

// SUM: the sums are doubled, so that half the factor of 2^20 is a shift by 20. The
// pack leaves the middle
// quarters in each other's place.
#define SUM(extend, combine) \
	ARGUMENTS(half, other);   \
loop: \
	extend (SI), Y0;          \
	extend 8(SI), Y1;         \
	extend (DX), Y2;          \
	extend 8(DX), Y3;         \
	VPSUBD K(0), Y0, Y0;      \
	VPSUBD K(0), Y1, Y1;      \
	VPSUBD K(1), Y2, Y2;      \
	VPSUBD K(1), Y3, Y3;      \
	VPSLLD $20, Y0, Y0;       \
	VPSLLD $20, Y1, Y1;       \
	RESCALE(Y2);              \
	RESCALE(Y3);              \
	combine(Y2, Y0);          \
	combine(Y3, Y1);          \
	FINISH(Y0);               \
	FINISH(Y1);               \
	VPACKSSDW Y1, Y0, Y0;     \
	VPERMQ $0xD8, Y0, Y0;     \
	STORE

#define PLUS(other, half) VPADDD other, half, half
#define MINUS(other, half) VPSUBD other, half, half
#define FROM(other, half) VPSUBD half, other, half

// PRODUCT: of doubled values. The words' products come apart into those of neighbouring quarters,
// which the pack brings together again.
#define PRODUCT(extend) \
	ARGUMENTS(x, y);          \
loop: \
	extend (SI), Y0;          \
	extend (DX), Y2;          \
	VPSUBW K(0), Y0, Y0;      \
	VPSUBW K(1), Y2, Y2;      \
	VPADDW Y0, Y0, Y0;        \
	VPMULLW Y2, Y0, Y1;       \
	VPMULHW Y2, Y0, Y3;       \
	VPUNPCKLWD Y3, Y1, Y0;    \
	VPUNPCKHWD Y3, Y1, Y1;    \
	FINISH(Y0);               \
	FINISH(Y1);               \
	VPACKSSDW Y1, Y0, Y0;     \
	STORE

// func addBytesI8AVX2(dst, half, other *byte, blocks int, table *[12][8]int32)
TEXT ·addBytesI8AVX2(SB), NOSPLIT, $0-40
	SUM(VPMOVSXBD, PLUS)

// func addBytesU8AVX2(dst, half, other *byte, blocks int, table *[12][8]int32)
TEXT ·addBytesU8AVX2(SB), NOSPLIT, $0-40
	SUM(VPMOVZXBD, PLUS)

// func subBytesI8AVX2(dst, half, other *byte, blocks int, table *[12][8]int32)
TEXT ·subBytesI8AVX2(SB), NOSPLIT, $0-40
	SUM(VPMOVSXBD, MINUS)

// func subBytesU8AVX2(dst, half, other *byte, blocks int, table *[12][8]int32)
TEXT ·subBytesU8AVX2(SB), NOSPLIT, $0-40
	SUM(VPMOVZXBD, MINUS)

// func subFromBytesI8AVX2(dst, half, other *byte, blocks int, table *[12][8]int32)
TEXT ·subFromBytesI8AVX2(SB), NOSPLIT, $0-40
	SUM(VPMOVSXBD, FROM)

// func subFromBytesU8AVX2(dst, half, other *byte, blocks int, table *[12][8]int32)
TEXT ·subFromBytesU8AVX2(SB), NOSPLIT, $0-40
	SUM(VPMOVZXBD, FROM)

// func mulBytesI8AVX2(dst, x, y *byte, blocks int, table *[12][8]int32)
TEXT ·mulBytesI8AVX2(SB), NOSPLIT, $0-40
	PRODUCT(VPMOVSXBW)

// func mulBytesU8AVX2(dst, x, y *byte, blocks int, table *[12][8]int32)
TEXT ·mulBytesU8AVX2(SB), NOSPLIT, $0-40
	PRODUCT(VPMOVZXBW)
