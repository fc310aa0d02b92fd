// What the tile routines of amd64 share.
//
// Registers of both tiles:
//   DI tile   SI weights   BX tap   CX taps left   DX k   AX K
//   R8..R13 the six positions at the current tap
//   Y0..Y11 sums, two a position   Y12, Y13 weights   Y14, Y15 activations

// POSITIONS wants the offsets of a tile's A and Off: the two kinds differ.
#define POSITIONS(a, off, scale) \
	LEAQ (DX*scale), DX;      \
	ADDQ a(DI), DX;           \
	MOVQ off(DI), R8;          \
	MOVQ (off+8)(DI), R9;          \
	MOVQ (off+16)(DI), R10;         \
	MOVQ (off+24)(DI), R11;         \
	MOVQ (off+32)(DI), R12;         \
	MOVQ (off+40)(DI), R13;         \
	LEAQ (DX)(R8*scale), R8;   \
	LEAQ (DX)(R9*scale), R9;   \
	LEAQ (DX)(R10*scale), R10; \
	LEAQ (DX)(R11*scale), R11; \
	LEAQ (DX)(R12*scale), R12; \
	LEAQ (DX)(R13*scale), R13

#define BIAS(p) \
	VMOVUPS (p), Y0;   \
	VMOVUPS 32(p), Y1; \
	VMOVAPS Y0, Y2;    \
	VMOVAPS Y1, Y3;    \
	VMOVAPS Y0, Y4;    \
	VMOVAPS Y1, Y5;    \
	VMOVAPS Y0, Y6;    \
	VMOVAPS Y1, Y7;    \
	VMOVAPS Y0, Y8;    \
	VMOVAPS Y1, Y9;    \
	VMOVAPS Y0, Y10;   \
	VMOVAPS Y1, Y11

#define CLAMP(c0, c1) \
	VMAXPS c0, Y12, c0; \
	VMAXPS c1, Y12, c1; \
	VMINPS c0, Y13, c0; \
	VMINPS c1, Y13, c1

// STORE writes one position and leaves when it was the last.
#define STORE(c0, c1) \
	VMOVUPS c0, (AX);   \
	VMOVUPS c1, 32(AX); \
	DECQ    CX;         \
	JZ      done;       \
	ADDQ    DX, AX

