package main

import "fmt"

// offBack is a field of conv.convCallI8.
const offBack = "@back"

// requantVNNIMacro scales the sums in A of one vector of channels, by constants
// that are registers or lie in memory: multipliers of the even and of the odd
// lanes, the terms to add to these products, right shift less one. Floors nest,
// so both roundings are one, and where there is a right shift, half of it is the
// product's high half:
//
//	floor((floor((x*m + 2^30) / 2^31) + 2^(s-1)) / 2^s) = floor(floor((x*m + 2^30 + 2^(30+s)) / 2^32) / 2^(s-1))
//
// K2 has the even lanes. T is scratch.
const requantVNNIMacro = `
#define REQUANT(A, M, H, E, O, S, T) \
	VPMULDQ M, A, T; VPSRLQ $32, A, A; VPMULDQ H, A, A \
	VPADDQ E, T, T; VPADDQ O, A, A; VMOVSHDUP T, K2, A; VPSRAVD S, A, A
`

// requantAwayVNNIMacro is requantVNNIMacro with halves of the second rounding
// away from zero: one is taken off where the first one's result is negative.
// That is where x is, but for results of zero, which one less does not change.
// C holds the signs of the even lanes; U is scratch too.
const requantAwayVNNIMacro = `
#define REQUANTAWAY(A, M, H, E, O, S, T, C, U) \
	VPANDQ C, A, U; VPMULDQ M, A, T; VPSUBQ U, T, T; VPSRLQ $32, A, A \
	VPANDQ C, A, U; VPMULDQ H, A, A; VPSUBQ U, A, A \
	VPADDQ E, T, T; VPADDQ O, A, A; VMOVSHDUP T, K2, A; VPSRAVD S, A, A
`

// orderVNNI are the indices of the shuffles that part packed pixels: two of 32
// channels in quadwords, four of 16 in doublewords.
const orderVNNI = `
DATA pairs<>+0(SB)/8, $0x0705030106040200
GLOBL pairs<>(SB), RODATA|NOPTR, $8
DATA fours<>+0(SB)/8, $0x0D0905010C080400
DATA fours<>+8(SB)/8, $0x0F0B07030E0A0602
GLOBL fours<>(SB), RODATA|NOPTR, $16
`

// scaling is what the macros get beside the sums: constants and scratch.
type scaling struct {
	constants, scratch string
	away               bool
}

func (s scaling) of(f *file, sums int) {
	name := "REQUANT"
	if s.away {
		name = "REQUANTAWAY"
	}
	f.op("%s(Z%d, %s, %s)", name, sums, s.constants, s.scratch)
}

// requantVNNI scales the sums of m pixels of nv vectors, pixel by pixel from Z0
// on, by the constants that R15 points to: see conv's Factor.layHigh.
func requantVNNI(f *file, m, nv int, away bool) {
	row := 64 * nv
	s := scaling{scratch: "Z29", away: away}
	f.op("MOVW $0x5555, CX; KMOVW CX, K2")
	if away {
		s.scratch = "Z29, Z26, Z27"
		f.op("MOVL $0x80000000, CX; VPBROADCASTQ CX, Z26")
	}
	for j := range nv {
		f.op("VMOVDQU32 %d(R15), Z28; VMOVDQU32 %d(R15), Z30; VMOVDQU32 %d(R15), Z31", 64*j, 64*j+row, 64*j+4*row)
		s.constants = fmt.Sprintf("Z28, Z30, %d(R15), %d(R15), Z31", 64*j+2*row, 64*j+3*row)
		for p := range m {
			s.of(f, p*nv+j)
		}
	}
}

// resultFields are the offsets of zero point, clamp and back in a call.
type resultFields struct{ zero, lo, hi, back string }

// storeVNNI packs, clamps and stores the scaled sums at AX, pixels BX bytes apart.
// Bytes are clamped as signed ones and become what they are at the end. R10 is
// the number of channels that exist; all of them or the first ones.
func storeVNNI(f *file, m, nv int) {
	packWordsVNNI(f, m, nv)
	resultVNNI(f, nv, resultFields{offZero, offLo8, offHi8, offBack})
	storePackedVNNI(f, m, nv)
}

// packWordsVNNI packs the two vectors of each pixel, which frees every other register.
func packWordsVNNI(f *file, m, nv int) {
	for p := 0; nv == 2 && p < m; p++ {
		f.op("VPACKSSDW Z%d, Z%d, Z%d", 2*p+1, 2*p, 2*p)
	}
}

// resultVNNI loads what storePackedVNNI wants in Z19 to Z27.
func resultVNNI(f *file, nv int, at resultFields) {
	f.op("VPBROADCASTW %s(R8), Z27; VPBROADCASTB %s(R8), Z25; VPBROADCASTB %s(R8), Z23; VPBROADCASTB %s(R8), Z21", at.zero, at.lo, at.hi, at.back)
	if nv == 2 {
		f.op("VPMOVZXBQ pairs<>(SB), Z19")
	} else {
		f.op("VPMOVZXBD fours<>(SB), Z19")
	}
}

// storePackedVNNI makes bytes of packed words and stores them.
func storePackedVNNI(f *file, m, nv int) {
	for i := 0; i < m; i += 4 / nv {
		packVNNI(f, i, m, nv)
	}
	f.op("CMPQ R10, $%d; JNE %s_part", 16*nv, f.tag)
	storesVNNI(f, m, nv, "")
	f.op("JMP %s_stored", f.tag)
	f.label("part")
	f.op("MOVQ $-1, CX; BZHIQ R10, CX, CX; KMOVQ CX, K1")
	storesVNNI(f, m, nv, ", K1")
	f.label("stored")
}

// packVNNI makes the bytes of the pixels from the i-th on, that is two of two
// vectors or four of one.
func packVNNI(f *file, i, m, nv int) {
	at := func(k int) int { return min(i+k, m-1) }
	first, second := 2*i, 2*at(1)
	if nv == 1 {
		first, second = i, 29
		f.op("VPACKSSDW Z%d, Z%d, Z29; VPACKSSDW Z%d, Z%d, Z%d", at(3), at(2), at(1), i, i)
	}
	f.op("VPADDSW Z27, Z%d, Z%d", first, first)
	if second != first {
		f.op("VPADDSW Z27, Z%d, Z%d", second, second)
	}
	f.op("VPACKSSWB Z%d, Z%d, Z%d; VPMAXSB Z25, Z%d, Z%d; VPMINSB Z23, Z%d, Z%d; VPXORD Z21, Z%d, Z%d",
		second, first, first, first, first, first, first, first, first)
	if nv == 2 {
		f.op("VPERMQ Z%d, Z19, Z%d", first, first)
	} else {
		f.op("VPERMD Z%d, Z19, Z%d", first, first)
	}
}

// storesVNNI stores what packVNNI made, through mask where there is one.
func storesVNNI(f *file, m, nv int, mask string) {
	reg, extract, per := "Y", "VEXTRACTI64X4", 2
	if nv == 1 {
		reg, extract, per = "X", "VEXTRACTI32X4", 4
		f.op("LEAQ (BX)(BX*2), DI")
	}
	for p := range m {
		z, to := nv*(p-p%per), "(AX)"+[...]string{"", "(BX*1)", "(BX*2)", "(DI*1)"}[p%per]
		switch {
		case p%per == 0:
			f.op("VMOVDQU8 %s%d%s, %s", reg, z, mask, to)
		case mask == "":
			f.op("%s $%d, Z%d, %s", extract, p%per, z, to)
		default:
			f.op("%s $%d, Z%d, %s29; VMOVDQU8 %s29%s, %s", extract, p%per, z, reg, reg, mask, to)
		}
		if p%per == per-1 {
			f.op("LEAQ (AX)(BX*%d), AX", per)
		}
	}
}
