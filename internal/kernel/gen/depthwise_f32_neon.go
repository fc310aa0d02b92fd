package main

import "fmt"

func depthwiseF32NEON() []byte {
	f := newFile("arm64")
	for m := 1; m <= neonMaxM; m++ {
		depthwiseNEON(f, fmt.Sprintf("depthwiseF32x%dx4NEON", m), m)
	}
	return f.Bytes()
}

// depthwiseNEON writes one depthwise routine: m pixels of one vector of
// channels, repeated for the next vectors, whose bias and weights follow each
// other in R1. A tap of 8 pixels is 8 multiply-adds and 9 loads in 21
// instructions: the loads bind it. The last vector of a picture may reach past
// its memory, so its channels are loaded one by one.
func depthwiseNEON(f *file, name string, m int) {
	f.fn(name, 8)
	f.op("MOVD c+0(FP), R0")
	f.field(offW, "R1")
	maskNEON(f, offMask)
	f.label("tile")
	f.fieldSum(offSrc, offSrcAt, "R14", "R13")
	f.field(offSrcStride, "R13")
	f.field(offTaps, "R2")
	f.field(offNTaps, "R3")
	f.op("VLD1.P 16(R1), [V0.S4]")
	for p := 1; p < m; p++ {
		f.op("VMOV V0.B16, V%d.B16", p)
	}
	f.jump("CBZ R10,", "part")
	f.label("tap")
	f.depthwiseTap()
	for p := range m {
		f.op("VLD1.P (R5)(R13), %s", vectors(neonPixels+p, 1, "S4"))
		f.op("VFMLA V%d.S4, V%d.S4, V%d.S4", neonWeights, neonPixels+p, p)
	}
	f.loop("R3", "tap")
	f.jump("B", "finish")
	f.label("part")
	f.depthwiseTap()
	for p := range m {
		f.op("MOVD R5, R7")
		f.loadLanesNEON(neonPixels+p, fmt.Sprintf("part%d", p))
		f.op("ADD R13, R5, R5")
		f.op("VFMLA V%d.S4, V%d.S4, V%d.S4", neonWeights, neonPixels+p, p)
	}
	f.loop("R3", "part")
	f.label("finish")
	finishNEON(f, m, 1)
}

// depthwiseTap points R5 at the next tap of the first pixel and loads its weights.
func (f *file) depthwiseTap() {
	f.op("MOVD.P 8(R2), R5")
	f.op("ADD R14, R5, R5")
	f.op("VLD1.P 16(R1), %s", vectors(neonWeights, 1, "S4"))
}
