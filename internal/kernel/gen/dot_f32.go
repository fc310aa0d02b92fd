package main

import "fmt"

// dotPixels is how many pixels one pass of the wide routine computes.
const dotPixels = 8

func dotF32AVX2() []byte {
	f := newFile("amd64")
	for _, m := range []int{1, dotPixels} {
		dotF32(f, fmt.Sprintf("dotF32x%dAVX2", m), m)
	}
	return f.Bytes()
}

// dotF32 writes a convolution with one output channel: m pixels, each a sum
// along the vectors of its taps. kc counts whole vectors; mask, if there is one,
// is that of a last vector of every tap.
func dotF32(f *file, name string, m int) {
	f.fn(name, 8)
	f.op("MOVQ c+0(FP), R8; MOVQ %s(R8), BX; LEAQ (BX)(BX*2), DI; MOVQ %s(R8), R15", offSrcStride, offMask)
	f.op("TESTQ R15, R15; JZ %s_tile; VMOVUPS (R15), Y14", name)
	f.label("tile")
	f.op("MOVQ %s(R8), SI; ADDQ %s(R8), SI", offSrc, offSrcAt)
	f.op("MOVQ %s(R8), DX; MOVQ %s(R8), R9; MOVQ %s(R8), R10", offW, offTaps, offNTaps)
	for p := range m {
		f.op("VXORPS Y%d, Y%d, Y%d", p, p, p)
	}
	f.label("tap")
	f.op("MOVQ (R9), AX; ADDQ $8, R9; ADDQ SI, AX; LEAQ (AX)(BX*4), R11")
	f.op("MOVQ %s(R8), CX; TESTQ CX, CX; JZ %s_tail", offKC, name)
	f.label("k")
	f.op("VMOVUPS (DX), Y12; ADDQ $32, DX")
	for p := range m {
		f.op("VFMADD231PS %s, Y12, Y%d", pixel(p), p)
	}
	f.op("ADDQ $32, AX; ADDQ $32, R11; DECQ CX; JNZ %s_k", name)
	f.label("tail")
	f.op("TESTQ R15, R15; JZ %s_next", name)
	f.op("VMOVUPS (DX), Y12; ADDQ $32, DX")
	for p := range m {
		f.op("VMASKMOVPS %s, Y14, Y13; VFMADD231PS Y13, Y12, Y%d", pixel(p), p)
	}
	f.label("next")
	f.op("DECQ R10; JNZ %s_tap", name)
	sumLanes(f, m)
	finishDot(f, m)
}

// sumLanes leaves the sums of the vectors 0 to m-1 in Y0, each lane's added in
// the same order whatever m is.
func sumLanes(f *file, m int) {
	if m == 1 {
		f.op("VHADDPS Y0, Y0, Y0; VHADDPS Y0, Y0, Y0; VEXTRACTF128 $1, Y0, X1; VADDPS X1, X0, X0")
		return
	}
	for p := 0; p < m; p += 2 {
		f.op("VHADDPS Y%d, Y%d, Y%d", p+1, p, p)
	}
	for p := 0; p < m; p += 4 {
		f.op("VHADDPS Y%d, Y%d, Y%d; VEXTRACTF128 $1, Y%d, X%d; VADDPS X%d, X%d, X%d", p+2, p, p, p, p+1, p+1, p, p)
	}
	f.op("VINSERTF128 $1, X4, Y0, Y0")
}

// finishDot adds bias and residual, clamps and stores m neighbouring results.
func finishDot(f *file, m int) {
	f.op("MOVQ %s(R8), AX; ADDQ %s(R8), AX; MOVQ %s(R8), CX", offDst, offDstAt, offRes)
	f.op("MOVQ %s(R8), R11; VBROADCASTSS (R11), Y1; VADDPS Y1, Y0, Y0", offBias)
	f.op("TESTQ CX, CX; JZ %s_clamp; ADDQ %s(R8), CX", f.tag, offResAt)
	if m == 1 {
		f.op("VADDSS (CX), X0, X0")
	} else {
		f.op("VADDPS (CX), Y0, Y0")
	}
	f.label("clamp")
	f.op("VBROADCASTSS %s(R8), Y1; VMAXPS Y1, Y0, Y0; VBROADCASTSS %s(R8), Y1; VMINPS Y1, Y0, Y0", offLo, offHi)
	if m == 1 {
		f.op("VMOVSS X0, (AX)")
	} else {
		f.op("VMOVUPS Y0, (AX)")
	}
	nextTile(f)
	f.op("MOVQ %s(R8), AX; ADDQ AX, %s(R8); MOVQ %s(R8), BX", offResStep, offResAt, offSrcStride)
	moreTiles(f)
}
