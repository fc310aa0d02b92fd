package main

import "fmt"

func depthwiseF32NEON() []byte {
	f := newFile("arm64")
	for m := 1; m <= neonMaxM; m++ {
		depthwiseNEON(f, fmt.Sprintf("depthwiseF32x%dx4NEON", m), m)
	}
	return f.Bytes()
}

// neonTap is the register that points at pixel p of the current tap.
func neonTap(p int) string {
	return [...]string{"R17", "R19", "R20", "R21", "R22", "R23", "R24", "R25"}[p]
}

// depthwiseNEON writes one depthwise routine: m pixels of one vector of
// channels, repeated for the next vectors, whose bias and weights follow each
// other in R1. A tap of 8 pixels is 8 multiply-adds and 10 loads in 28
// instructions: the loads bind it. The last vector of a picture may reach past
// its memory, so its channels are loaded one by one.
func depthwiseNEON(f *file, name string, m int) {
	f.fn(name, 8)
	f.op("MOVD c+0(FP), R0")
	f.field(offW, "R1")
	f.label("tile")
	f.fieldSum(offSrc, offSrcAt, "R5", "R13")
	f.field(offSrcStride, "R13")
	f.field(offTaps, "R2")
	f.field(offNTaps, "R3")
	f.op("VLD1.P 16(R1), [V0.S4]")
	for p := 1; p < m; p++ {
		f.op("VMOV V0.B16, V%d.B16", p)
	}
	maskNEON(f, offMask)
	f.jump("CBZ R10,", "part")
	for p := 1; p < m; p++ {
		f.op("ADD R13, %s, %s", neonPointer(p-1), neonPointer(p))
	}
	f.label("tap")
	f.depthwiseTap()
	for p := range m {
		f.op("ADD R4, %s, %s", neonPointer(p), neonTap(p))
	}
	for p := range m {
		f.op("FMOVQ (%s), F%d", neonTap(p), neonPixels+p)
	}
	f.timesWeights(m)
	f.loop("R3", "tap")
	f.jump("B", "whole")
	f.label("part")
	f.op("MOVD R5, R14")
	f.label("parttap")
	f.depthwiseTap()
	f.op("ADD R14, R4, R5")
	for p := range m {
		f.op("MOVD R5, R7")
		f.loadLanesNEON(neonPixels+p, fmt.Sprintf("part%d", p))
		f.op("ADD R13, R5, R5")
	}
	f.timesWeights(m)
	f.loop("R3", "parttap")
	f.label("whole")
	maskNEON(f, offMask)
	finishNEON(f, m, 1)
}

// depthwiseTap loads the next tap to R4, and its weights.
func (f *file) depthwiseTap() {
	f.op("MOVD.P 8(R2), R4")
	f.op("FMOVQ.P 16(R1), F%d", neonWeights)
}

// timesWeights adds the products of m pixels and one vector of weights.
func (f *file) timesWeights(m int) {
	for p := range m {
		f.op("VFMLA V%d.S4, V%d.S4, V%d.S4", neonWeights, neonPixels+p, p)
	}
}
