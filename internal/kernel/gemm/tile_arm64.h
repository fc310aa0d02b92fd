// What the tile routines of arm64 share.
//
// Registers of both tiles:
//   R0 tile   R1 weights   R2 tap   R3 taps left   R4 k left   R5 K   R6, R7 scratch
//   R8..R13 the six positions at the current tap
//   V0..V23 sums, four a position   V24..V27 weights   V28, V29 activations
// Instructions that the assembler lacks are words; d, n, m number registers.

#define FMAX(m, n, d) WORD $(0x4E20F400 | m<<16 | n<<5 | d)
#define FMIN(m, n, d) WORD $(0x4EA0F400 | m<<16 | n<<5 | d)
#define SMLAL(m, n, d) WORD $(0x0E608000 | m<<16 | n<<5 | d)
#define SMLAL2(m, n, d) WORD $(0x4E608000 | m<<16 | n<<5 | d)

// POSITIONS wants the offsets of a tile's A and Off: the two kinds differ.
#define POSITIONS(a, off, shift) \
	MOVD a(R0), R7;               \
	ADD  R6<<shift, R7, R7;       \
	LDP  off(R0), (R8, R9);        \
	LDP  (off+16)(R0), (R10, R11);      \
	LDP  (off+32)(R0), (R12, R13);      \
	ADD  R8<<shift, R7, R8;       \
	ADD  R9<<shift, R7, R9;       \
	ADD  R10<<shift, R7, R10;     \
	ADD  R11<<shift, R7, R11;     \
	ADD  R12<<shift, R7, R12;     \
	ADD  R13<<shift, R7, R13

#define COPY(c0, c1, c2, c3) \
	VMOV V0.B16, c0.B16; \
	VMOV V1.B16, c1.B16; \
	VMOV V2.B16, c2.B16; \
	VMOV V3.B16, c3.B16

#define BIAS(p) \
	VLD1 (p), [V0.S4, V1.S4, V2.S4, V3.S4]; \
	COPY(V4, V5, V6, V7);     \
	COPY(V8, V9, V10, V11);   \
	COPY(V12, V13, V14, V15); \
	COPY(V16, V17, V18, V19); \
	COPY(V20, V21, V22, V23)

#define CLAMP(c0, c1, c2, c3) \
	FMAX(24, c0, c0); \
	FMAX(24, c1, c1); \
	FMAX(24, c2, c2); \
	FMAX(24, c3, c3); \
	FMIN(25, c0, c0); \
	FMIN(25, c1, c1); \
	FMIN(25, c2, c2); \
	FMIN(25, c3, c3)

// STORE writes one position and leaves when it was the last.
#define STORE(c0, c1, c2, c3) \
	VST1 [c0.S4, c1.S4, c2.S4, c3.S4], (R6); \
	SUBS $1, R3;     \
	BEQ  done;       \
	ADD  R7, R6, R6

