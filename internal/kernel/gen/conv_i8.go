package main

import "fmt"

// Offsets of the fields of kernel.convCallI8 that convCall does not share.
const (
	offRequant = 32
	offMaskI8  = 96
)

// vnniMaxM is the widest tile: two sums a pixel, two registers of weights, two
// of activations.
const vnniMaxM = 14

func convI8VNNI() []byte {
	f := newFile("amd64")
	f.WriteString(requantMacro)
	for _, nv := range []int{2, 1} {
		for m := 1; m <= vnniMaxM; m++ {
			convI8(f, fmt.Sprintf("convI8x%dx%dVNNI", m, nv*16), m, nv)
		}
	}
	return f.Bytes()
}

// convI8 writes one direct convolution of unsigned 8-bit activations and signed
// weights: four input channels a step, 32-bit sums, TFLite's requantisation.
func convI8(f *file, name string, m, nv int) {
	v := avx512
	f.fn(name, 8)
	f.op("MOVQ c+0(FP), R8")
	f.label("tile")
	f.op("MOVQ %d(R8), SI; MOVQ %d(R8), DX; MOVQ %d(R8), R9; MOVQ %d(R8), R10", offSrc, offW, offTaps, offNTaps)
	f.op("ADDQ %d(R8), SI; MOVQ %d(R8), BX; LEAQ (BX)(BX*2), DI; MOVQ %d(R8), R15", offSrcAt, offSrcStride, offBias)
	for j := range nv {
		f.op("VMOVDQU32 %d(R15), Z%d", 64*j, j)
	}
	for i := nv; i < m*nv; i++ {
		f.op("VMOVDQA32 Z%d, Z%d", i%nv, i)
	}
	f.label("tap")
	f.op("MOVQ (R9), AX; ADDQ $8, R9; ADDQ SI, AX; MOVQ %d(R8), CX", offKC)
	nb := (m + 3) / 4
	for i := 1; i < nb; i++ {
		f.op("LEAQ (%s)(BX*4), %s", bases[i-1], bases[i])
	}
	f.label("k")
	for j := range nv {
		f.op("VMOVDQU32 %d(DX), Z%d", 64*j, v.w[j])
	}
	for p := range m {
		a := v.a[p%2]
		s := fmt.Sprintf("VPBROADCASTD %s, Z%d", pixel(p), a)
		for j := range nv {
			s += fmt.Sprintf("; VPDPBUSD Z%d, Z%d, Z%d", v.w[j], a, p*nv+j)
		}
		f.op("%s", s)
	}
	f.op("ADDQ $%d, DX", 64*nv)
	for i := range nb {
		f.op("ADDQ $4, %s", bases[i])
	}
	f.op("DECQ CX; JNZ %s_k", name)
	f.op("DECQ R10; JNZ %s_tap", name)
	finishI8(f, m, nv)
}

// finishI8 requantises and stores. With x the sum, the rows of requant are
// left shift, multiplier (twice), rounding term and right shift:
//
//	y = (x<<left * multiplier + 2^30) >> 31
//	q = (y + rounding) >> right
//	out = min(max(q + zero, lo), hi)
//
// The sums leave Z28 to Z31 free alone, so each constant is read from memory
// where it is used.
func finishI8(f *file, m, nv int) {
	f.op("MOVQ %d(R8), AX; ADDQ %d(R8), AX; MOVQ %d(R8), BX; MOVQ %d(R8), DX; MOVQ %d(R8), R15", offDst, offDstAt, offDstStride, offMaskI8, offRequant)
	f.op("VMOVDQU32 (DX), Z28; VPTESTMD Z28, Z28, K1; MOVW $0xAAAA, CX; KMOVW CX, K2")
	f.op("MOVQ $0x40000000, CX; VPBROADCASTQ CX, Z31")
	row := 64 * nv // bytes of one row of requant
	for j := range nv {
		for p := range m {
			f.op("REQUANT(Z%d, %d, %d, %d, %d, %d)", p*nv+j, 64*j, 64*j+row, 64*j+2*row, 64*j+3*row, 64*j+4*row)
		}
	}
	for p := range m {
		store := fmt.Sprintf("VPMOVDB Z%d, K1, %d(AX)", p*nv+nv-1, 16*(nv-1))
		if nv == 2 {
			store = fmt.Sprintf("VPMOVDB Z%d, (AX); ", p*nv) + store
		}
		f.op("%s; ADDQ BX, AX", store)
	}
	endTile(f)
}

// requantMacro scales the sums in Z register A of one vector of channels, whose
// constants lie at the offsets L, M, H, R and S of requant: left shift,
// multiplier, multiplier moved to the even lanes, rounding term, right shift.
// Halves of the second rounding go up. Z29 and Z30 are scratch.
const requantMacro = `
#define REQUANT(A, L, M, H, R, S) \
	VPSLLVD L(R15), A, A; VPMULDQ M(R15), A, Z29; VPSRLQ $32, A, A; VPMULDQ H(R15), A, Z30 \
	VPADDQ Z31, Z29, Z29; VPSRLQ $31, Z29, Z29; VPADDQ Z31, Z30, Z30; VPADDQ Z30, Z30, Z30 \
	VPBLENDMD Z30, Z29, K2, A; VPADDD R(R15), A, A; VPSRAVD S(R15), A, A \
	VPADDD.BCST 80(R8), A, A; VPMAXSD.BCST 84(R8), A, A; VPMINSD.BCST 88(R8), A, A
`

// requantAwayMacro is requantMacro with halves away from zero: one is taken off
// where the value is negative and there is a right shift. Z28 is scratch too.
const requantAwayMacro = `
#define REQUANT(A, L, M, H, R, S) \
	VPSLLVD L(R15), A, A; VPMULDQ M(R15), A, Z29; VPSRLQ $32, A, A; VPMULDQ H(R15), A, Z30 \
	VPADDQ Z31, Z29, Z29; VPSRLQ $31, Z29, Z29; VPADDQ Z31, Z30, Z30; VPADDQ Z30, Z30, Z30 \
	VPBLENDMD Z30, Z29, K2, A \
	VPMOVD2M A, K5; VMOVDQU32 R(R15), Z28; VPTESTMD Z28, Z28, K5, K5 \
	VPADDD Z28, A, A; VPTERNLOGD $0xFF, Z28, Z28, Z28; VPADDD Z28, A, K5, A; VPSRAVD S(R15), A, A \
	VPADDD.BCST 80(R8), A, A; VPMAXSD.BCST 84(R8), A, A; VPMINSD.BCST 88(R8), A, A
`
