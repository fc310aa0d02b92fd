package main

import "fmt"

func depthwiseF32(v simd, suffix string, most int) []byte {
	f := newFile("amd64")
	for m := 1; m <= most; m++ {
		depthwise(f, fmt.Sprintf("depthwiseF32x%dx%d%s", m, v.bytes/4, suffix), v, m)
	}
	return f.Bytes()
}

// depthwise writes one depthwise routine: m pixels of one vector of channels,
// repeated for the next vectors, whose bias and weights follow each other.
// The last vector may reach past the picture's memory: its loads are masked.
func depthwise(f *file, name string, v simd, m int) {
	f.fn(name, 8)
	f.op("MOVQ c+0(FP), R8; MOVQ %s(R8), DX; MOVQ %s(R8), R15", offW, offMask)
	f.op("VMOVUPS (R15), %s%d", v.reg, v.a[0])
	if v.reg == "Z" {
		f.op("VPTESTMD Z%d, Z%d, K1", v.a[0], v.a[0])
	}
	f.label("tile")
	f.op("MOVQ %s(R8), SI; MOVQ %s(R8), R9; MOVQ %s(R8), R10", offSrc, offTaps, offNTaps)
	f.op("ADDQ %s(R8), SI; MOVQ %s(R8), BX; LEAQ (BX)(BX*2), DI", offSrcAt, offSrcStride)
	f.op("VMOVUPS (DX), %s0; ADDQ $%d, DX", v.reg, v.bytes)
	for i := 1; i < m; i++ {
		f.op("VMOVAPS %s0, %s%d", v.reg, v.reg, i)
	}
	if v.reg == "Y" {
		f.op("CMPL %d(R15), $0; JNE %s_whole", v.bytes-4, name)
		depthwiseTaps(f, v, m, "tap", fmt.Sprintf("VMASKMOVPS %%s, Y%d, Y%d; VFMADD231PS Y%d, Y%d, Y%%d", v.a[0], v.a[1], v.a[1], v.w[0]))
		f.op("JMP %s_finish", name)
		f.label("whole")
		depthwiseTaps(f, v, m, "wholetap", fmt.Sprintf("VFMADD231PS %%s, Y%d, Y%%d", v.w[0]))
	} else {
		depthwiseTaps(f, v, m, "tap", fmt.Sprintf("VFMADD231PS %%s, Z%d, K1, Z%%d", v.w[0]))
	}
	f.label("finish")
	finishF32(f, v, m, 1, false)
}

// depthwiseTaps is the loop over taps. add is the format that adds a pixel's
// product, from the pixel's address, to an accumulator.
func depthwiseTaps(f *file, v simd, m int, label, add string) {
	f.label(label)
	f.op("MOVQ (R9), AX; ADDQ $8, R9; ADDQ SI, AX")
	for i := 1; i < (m+3)/4; i++ {
		f.op("LEAQ (%s)(BX*4), %s", bases[i-1], bases[i])
	}
	f.op("VMOVUPS (DX), %s%d; ADDQ $%d, DX", v.reg, v.w[0], v.bytes)
	for p := range m {
		f.op(add, pixel(p), p)
	}
	f.op("DECQ R10; JNZ %s_%s", f.tag, label)
}
