package main

import "fmt"

// depthwiseMaxM is the widest tile: two sums a pixel, two registers of
// weights, two of activations, one of the flip, and what requantisation needs.
const depthwiseMaxM = 10

func depthwiseI8VNNI() []byte {
	f := newFile("amd64").of("convCallI8")
	f.WriteString(requantAwayVNNIMacro + orderVNNI)
	for m := 1; m <= depthwiseMaxM; m++ {
		depthwiseI8(f, fmt.Sprintf("depthwiseI8x%dx32VNNI", m), m)
	}
	return f.Bytes()
}

// depthwiseI8 writes one depthwise routine of 8-bit activations: m pixels of 32
// channels, two taps a step as pairs of 16-bit values, repeated for the next 32
// channels. One block's stream is bias, pairs of weights, requant constants;
// each row holds, for every 128-bit lane of eight channels, the first four in
// its first vector and the other four in its second, as unpacking leaves them.
func depthwiseI8(f *file, name string, m int) {
	f.fn(name, 8)
	f.op("MOVQ c+0(FP), R8; MOVQ %s(R8), DX; MOVQ %s(R8), AX; KMOVD AX, K1; VPBROADCASTB %s(R8), Z24; VPSRLW $8, Z24, Z24", offW, offKC, offFlip)
	f.label("tile")
	f.op("MOVQ %s(R8), SI; ADDQ %s(R8), SI; MOVQ %s(R8), R9; MOVQ %s(R8), R10", offSrc, offSrcAt, offTaps, offNTaps)
	f.op("MOVQ %s(R8), BX; VMOVDQU32 (DX), Z0; VMOVDQU32 64(DX), Z1; ADDQ $128, DX", offSrcStride)
	for i := 2; i < 2*m; i++ {
		f.op("VMOVDQA32 Z%d, Z%d", i%2, i)
	}
	f.label("pair")
	f.op("MOVQ (R9), AX; MOVQ 8(R9), R11; ADDQ $16, R9; ADDQ SI, AX; ADDQ SI, R11")
	f.op("VMOVDQU32 (DX), Z28; VMOVDQU32 64(DX), Z29; ADDQ $128, DX")
	for p := range m {
		f.op("VPMOVZXBW.Z (AX), K1, Z30; VPMOVZXBW.Z (R11), K1, Z31; VPXORD Z24, Z30, Z30; VPXORD Z24, Z31, Z31; ADDQ BX, AX; ADDQ BX, R11")
		f.op("VPUNPCKLWD Z31, Z30, Z27; VPUNPCKHWD Z31, Z30, Z26; VPDPWSSD Z28, Z27, Z%d; VPDPWSSD Z29, Z26, Z%d", 2*p, 2*p+1)
	}
	f.op("DECQ R10; JNZ %s_pair", name)
	f.op("MOVQ DX, R15")
	requantVNNI(f, m, 2, true)
	f.op("ADDQ $640, DX; MOVQ %s(R8), AX; ADDQ %s(R8), AX; MOVQ %s(R8), BX; MOVQ %s(R8), R10", offDst, offDstAt, offDstStride, offLive)
	storeVNNI(f, m, 2)
	endTile(f)
}
