package main

import "fmt"

// offRequant is a field of conv.convCallI8 that convCall does not share.
const offRequant = "@requant"

// vnniMaxM is the widest tile: two sums a pixel, two registers of weights, two
// of activations.
const vnniMaxM = 14

func convI8VNNI() []byte {
	f := newFile("amd64").of("convCallI8")
	f.WriteString(requantVNNIMacro + orderVNNI)
	for _, nv := range []int{2, 1} {
		for m := 1; m <= vnniMaxM; m++ {
			convI8(f, fmt.Sprintf("convI8x%dx%dVNNI", m, nv*16), m, nv)
		}
	}
	return f.Bytes()
}

// convI8 writes one direct convolution of unsigned 8-bit activations and signed
// weights: four input channels a step, two steps a turn, 32-bit sums, TFLite's
// requantisation.
func convI8(f *file, name string, m, nv int) {
	f.fn(name, 8)
	f.op("MOVQ c+0(FP), R8")
	f.label("tile")
	f.op("MOVQ %s(R8), SI; MOVQ %s(R8), DX; MOVQ %s(R8), R9; MOVQ %s(R8), R10", offSrc, offW, offTaps, offNTaps)
	f.op("ADDQ %s(R8), SI; MOVQ %s(R8), BX; LEAQ (BX)(BX*2), DI; MOVQ %s(R8), R15", offSrcAt, offSrcStride, offBias)
	for j := range nv {
		f.op("VMOVDQU32 %d(R15), Z%d", 64*j, j)
	}
	for i := nv; i < m*nv; i++ {
		f.op("VMOVDQA32 Z%d, Z%d", i%nv, i)
	}
	f.addSumsVNNI(m, nv)
	f.label("tap")
	f.op("MOVQ (R9), AX; ADDQ $8, R9; ADDQ SI, AX; MOVQ %s(R8), CX", offKC)
	nb := (m + 3) / 4
	for i := 1; i < nb; i++ {
		f.op("LEAQ (%s)(BX*4), %s", bases[i-1], bases[i])
	}
	f.op("SHRQ $1, CX; JZ %s_odd", name)
	f.label("k")
	stepI8(f, m, nv, 0)
	stepI8(f, m, nv, 1)
	f.op("ADDQ $%d, DX", 128*nv)
	for i := range nb {
		f.op("ADDQ $8, %s", bases[i])
	}
	f.op("DECQ CX; JNZ %s_k", name)
	f.label("odd")
	f.op("TESTQ $1, %s(R8); JZ %s_next", offKC, name)
	stepI8(f, m, nv, 0)
	f.op("ADDQ $%d, DX", 64*nv)
	f.label("next")
	f.op("DECQ R10; JNZ %s_tap", name)
	finishI8(f, m, nv)
}

// stepI8 multiplies four input channels, the step-th from the bases on.
func stepI8(f *file, m, nv, step int) {
	v := avx512
	for j := range nv {
		f.op("VMOVDQU32 %d(DX), Z%d", 64*(step*nv+j), v.w[j])
	}
	for p := range m {
		a, at := v.a[p%2], pixel(p)
		if step > 0 {
			at = fmt.Sprint(4*step, at)
		}
		s := fmt.Sprintf("VPBROADCASTD %s, Z%d", at, a)
		for j := range nv {
			s += fmt.Sprintf("; VPDPBUSD Z%d, Z%d, Z%d", v.w[j], a, p*nv+j)
		}
		f.op("%s", s)
	}
}

// finishI8 requantises and stores.
func finishI8(f *file, m, nv int) {
	f.op("MOVQ %s(R8), R15", offRequant)
	requantVNNI(f, m, nv, false)
	f.op("MOVQ %s(R8), AX; ADDQ %s(R8), AX; MOVQ %s(R8), BX; MOVQ %s(R8), R10", offDst, offDstAt, offDstStride, offLive)
	storeVNNI(f, m, nv)
	endTile(f)
}
