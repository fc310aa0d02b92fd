package main

import "fmt"

// More fields of conv.convCallI8: the clamp, and how many channels a block has.
const offZero, offLo8, offHi8, offLive = "@zero", "@lo", "@hi", "@live"

// The widest tiles of one and of two vectors of channels: 12 sums, weights,
// activations and products fill the 16 registers.
const i16MostX1, i16MostX2 = 12, 6

func convI16AVX2() []byte {
	f := newFile("amd64").of("convCallI8")
	f.WriteString(requantI16Macro)
	for m := 1; m <= i16MostX2; m++ {
		convI16(f, fmt.Sprintf("convI16x%dx16AVX2", m), m, 2)
	}
	for m := 1; m <= i16MostX1; m++ {
		convI16(f, fmt.Sprintf("convI16x%dx8AVX2", m), m, 1)
	}
	return f.Bytes()
}

// convI16 writes one direct convolution of activations widened to int16: two
// input channels a step, two steps a turn, 32-bit sums, TFLite's requantisation.
func convI16(f *file, name string, m, nv int) {
	f.fn(name, 8)
	f.op("MOVQ c+0(FP), R8")
	f.label("tile")
	f.op("MOVQ %s(R8), SI; MOVQ %s(R8), DX; MOVQ %s(R8), R9; MOVQ %s(R8), R10", offSrc, offW, offTaps, offNTaps)
	f.op("ADDQ %s(R8), SI; MOVQ %s(R8), BX; LEAQ (BX)(BX*2), DI; MOVQ %s(R8), R15", offSrcAt, offSrcStride, offBias)
	for j := range nv {
		f.op("VMOVDQU %d(R15), Y%d", 32*j, j)
	}
	for i := nv; i < m*nv; i++ {
		f.op("VMOVDQA Y%d, Y%d", i%nv, i)
	}
	f.label("tap")
	f.op("MOVQ (R9), AX; ADDQ $8, R9; ADDQ SI, AX; MOVQ %s(R8), CX", offKC)
	nb := (m + 3) / 4
	for i := 1; i < nb; i++ {
		f.op("LEAQ (%s)(BX*4), %s", bases[i-1], bases[i])
	}
	f.op("SHRQ $1, CX; JZ %s_odd", name)
	f.label("k")
	i16Pair(f, m, nv, 0)
	i16Pair(f, m, nv, 1)
	f.op("ADDQ $%d, DX", 64*nv)
	for i := range nb {
		f.op("ADDQ $8, %s", bases[i])
	}
	f.op("DECQ CX; JNZ %s_k", name)
	f.label("odd")
	f.op("MOVQ %s(R8), CX; TESTQ $1, CX; JZ %s_next", offKC, name)
	i16Pair(f, m, nv, 0)
	f.op("ADDQ $%d, DX", 32*nv)
	f.label("next")
	f.op("DECQ R10; JNZ %s_tap", name)
	finishI16(f, m, nv)
}

// i16Pair multiplies one pair of input channels, the step-th from the bases on.
func i16Pair(f *file, m, nv, step int) {
	for j := range nv {
		f.op("VMOVDQU %d(DX), Y%d", 32*(step*nv+j), 12+j)
	}
	for p := range m {
		at := pixel(p)
		if step > 0 {
			at = fmt.Sprint(4*step, at)
		}
		if nv == 1 {
			t := 13 + p%3
			f.op("VPBROADCASTD %s, Y%d; VPMADDWD Y12, Y%d, Y%d; VPADDD Y%d, Y%d, Y%d", at, t, t, t, t, p, p)
			continue
		}
		f.op("VPBROADCASTD %s, Y14; VPMADDWD Y12, Y14, Y15; VPMADDWD Y13, Y14, Y14; VPADDD Y15, Y%d, Y%d; VPADDD Y14, Y%d, Y%d",
			at, 2*p, 2*p, 2*p+1, 2*p+1)
	}
}

// finishI16 requantises and stores. The routines' order of channels is such
// that the last shuffle leaves them in theirs.
func finishI16(f *file, m, nv int) {
	f.op("MOVQ %s(R8), R15", offRequant)
	for i := range m * nv {
		f.op("REQUANT(Y%d, %d)", i, 256*(i%nv))
	}
	f.op("MOVQ %s(R8), AX; ADDQ %s(R8), AX; MOVQ %s(R8), BX; MOVQ %s(R8), R10", offDst, offDstAt, offDstStride, offLive)
	wordsI16(f, m, nv, offBack)
	f.op("VPBROADCASTB %s(R8), Y12; VPBROADCASTB %s(R8), Y13; CMPQ R10, $%d; JNE %s_part", offLo8, offHi8, 8*nv, f.tag)
	for _, part := range []bool{false, true} {
		if part {
			f.label("part")
		}
		if nv == 2 {
			storePairs(f, m, part)
		} else {
			storeFours(f, m, part)
		}
		if !part {
			f.op("JMP %s_stored", f.tag)
		}
	}
	f.label("stored")
	endTile(f)
}

// wordsI16 packs sums two by two, which frees every other register. All bytes
// are clamped as signed ones: back, a field of the call, is taken off the words,
// which never wrap, and stays in Y1 for an XOR at the end.
func wordsI16(f *file, m, nv int, back string) {
	for i := 0; i < m*nv; i += 2 {
		f.op("VPACKSSDW Y%d, Y%d, Y%d", min(i+1, m*nv-1), i, i)
	}
	f.op("VPBROADCASTB %s(R8), Y1; VPSRLW $8, Y1, Y3", back)
	for i := 0; i < m*nv; i += 2 {
		f.op("VPSUBSW Y3, Y%d, Y%d", i, i)
	}
}

// bytesI16 makes bytes in Y14 of the words in first and second, clamped by Y12
// and Y13.
func bytesI16(f *file, first, second int) {
	f.op("VPACKSSWB Y%d, Y%d, Y14; VPMAXSB Y12, Y14, Y14; VPMINSB Y13, Y14, Y14; VPXOR Y1, Y14, Y14", second, first)
}

// storePairs makes bytes of two pixels of 16 channels at a time.
func storePairs(f *file, m int, part bool) {
	for i := 0; i < m; i += 2 {
		q := min(i+1, m-1)
		bytesI16(f, 2*i, 2*q)
		f.op("VPERMQ $0xD8, Y14, Y14")
		if q > i {
			f.op("VEXTRACTI128 $1, Y14, X15")
		}
		store16(f, "X14", fmt.Sprint("part", i), part)
		if q > i {
			store16(f, "X15", fmt.Sprint("part", q), part)
		}
	}
}

// storeFours makes bytes of four pixels of 8 channels at a time.
func storeFours(f *file, m int, part bool) {
	for i := 0; i < m; i += 4 {
		second := i + 2
		if second >= m {
			second = i
		}
		bytesI16(f, i, second)
		f.op("VEXTRACTI128 $1, Y14, X15")
		f.op("VPUNPCKLDQ X15, X14, X%d; VPUNPCKHDQ X15, X14, X15", i)
		for k := range min(4, m-i) {
			x := fmt.Sprint("X", [...]int{i, i, 15, 15}[k])
			if k%2 == 1 {
				f.op("VPSRLDQ $8, %s, %s", x, x)
			}
			if part {
				f.op("VMOVDQA %s, X14", x)
				storePart(f, "X14", fmt.Sprint("part", i+k), 4)
			} else {
				f.op("VMOVQ %s, (AX)", x)
			}
			f.op("ADDQ BX, AX")
		}
	}
}

// store16 stores a pixel of 16 channels, or as many as R10 says, and moves on.
func store16(f *file, x, label string, part bool) {
	if part {
		storePart(f, x, label, 8)
	} else {
		f.op("VMOVDQU %s, (AX)", x)
	}
	f.op("ADDQ BX, AX")
}

// storePart stores the first R10 bytes of x at AX, fewer than twice most.
func storePart(f *file, x, label string, most int) {
	f.op("MOVQ AX, DX")
	moves := map[int]string{8: "VMOVQ %s, (DX)", 4: "VMOVD %s, (DX)", 2: "VPEXTRW $0, %s, (DX)", 1: "VPEXTRB $0, %s, (DX)"}
	for n := most; n >= 1; n /= 2 {
		f.op("TESTQ $%d, R10; JZ %s_%s_%d", n, f.tag, label, n)
		f.op(moves[n], x)
		if n > 1 {
			f.op("VPSRLDQ $%d, %s, %s; ADDQ $%d, DX", n, x, x, n)
		}
		f.label(fmt.Sprint(label, "_", n))
	}
}

// requantI16Macro scales the eight sums in A, whose constants lie in rows of 32
// bytes from O of requant on: left shift; multipliers of the even and of the
// odd lanes; what is added to these products; their shifts; the zero point.
// Both roundings are one, since floors nest:
//
//	floor((floor((x + 2^30) / 2^31) + 2^(s-1)) / 2^s) = floor((x + 2^30 + 2^(30+s)) / 2^(31+s))
//
// There is no arithmetic shift of 64 bits: the term added has 2^63 more, and the
// zero point has what this becomes less. Y14 and Y15 are scratch, as is Y13.
const requantI16Macro = `
#define REQUANT(A, O) \
	VPSLLVD O(R15), A, A; VPMULDQ O+32(R15), A, Y14; VPSRLQ $32, A, Y15; VPMULDQ O+64(R15), Y15, Y15 \
	VPADDQ O+96(R15), Y14, Y14; VPADDQ O+128(R15), Y15, Y15; VPSRLVQ O+160(R15), Y14, Y14; VPSRLVQ O+192(R15), Y15, Y15 \
	VSHUFPS $0x88, Y15, Y14, A; VPADDD O+224(R15), A, A
`
