package main

// offBack is the offset of a field of kernel.convCallI8 that only VNNI's
// routines use.
const offBack = 161

// requantVNNIMacro scales the sums in A of one vector of channels. Z28, Z30 and
// Z31 hold the multipliers of the even and of the odd lanes and the right shift
// less one; the terms to add to these products lie at E and O of requant. Floors
// nest, so both roundings are one, and where there is a right shift, half of it
// is the product's high half:
//
//	floor((floor((x*m + 2^30) / 2^31) + 2^(s-1)) / 2^s) = floor(floor((x*m + 2^30 + 2^(30+s)) / 2^32) / 2^(s-1))
//
// K2 has the even lanes. Z29 is scratch.
const requantVNNIMacro = `
#define REQUANT(A, E, O) \
	VPMULDQ Z28, A, Z29; VPSRLQ $32, A, A; VPMULDQ Z30, A, A \
	VPADDQ E(R15), Z29, Z29; VPADDQ O(R15), A, A; VMOVSHDUP Z29, K2, A; VPSRAVD Z31, A, A
`

// requantAwayVNNIMacro is requantVNNIMacro with halves of the second rounding
// away from zero: one is taken off where the first one's result is negative.
// That is where x is, but for results of zero, which one less does not change.
// Z26 holds the signs of the even lanes; Z27 is scratch too.
const requantAwayVNNIMacro = `
#define REQUANT(A, E, O) \
	VPANDQ Z26, A, Z27; VPMULDQ Z28, A, Z29; VPSUBQ Z27, Z29, Z29; VPSRLQ $32, A, A \
	VPANDQ Z26, A, Z27; VPMULDQ Z30, A, A; VPSUBQ Z27, A, A \
	VPADDQ E(R15), Z29, Z29; VPADDQ O(R15), A, A; VMOVSHDUP Z29, K2, A; VPSRAVD Z31, A, A
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

// requantVNNI scales the sums of m pixels of nv vectors, pixel by pixel from Z0
// on, by the constants that R15 points to: see kernel's Factor.layHigh.
func requantVNNI(f *file, m, nv int) {
	row := 64 * nv
	f.op("MOVW $0x5555, CX; KMOVW CX, K2")
	for j := range nv {
		f.op("VMOVDQU32 %d(R15), Z28; VMOVDQU32 %d(R15), Z30; VMOVDQU32 %d(R15), Z31", 64*j, 64*j+row, 64*j+4*row)
		for p := range m {
			f.op("REQUANT(Z%d, %d, %d)", p*nv+j, 64*j+2*row, 64*j+3*row)
		}
	}
}

// storeVNNI packs, clamps and stores the scaled sums at AX, pixels BX bytes apart.
// Bytes are clamped as signed ones and become what they are at the end. R10 is
// the number of channels that exist; all of them or the first ones.
func storeVNNI(f *file, m, nv int) {
	for p := 0; nv == 2 && p < m; p++ {
		f.op("VPACKSSDW Z%d, Z%d, Z%d", 2*p+1, 2*p, 2*p)
	}
	f.op("VPBROADCASTW %d(R8), Z27; VPBROADCASTB %d(R8), Z25; VPBROADCASTB %d(R8), Z23; VPBROADCASTB %d(R8), Z21", offZero, offLo8, offHi8, offBack)
	if nv == 2 {
		f.op("VPMOVZXBQ pairs<>(SB), Z19")
	} else {
		f.op("VPMOVZXBD fours<>(SB), Z19")
	}
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
