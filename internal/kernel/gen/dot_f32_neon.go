package main

import "fmt"

func dotF32NEON() []byte {
	f := newFile("arm64")
	for _, m := range []int{1, dotPixels} {
		dotNEON(f, fmt.Sprintf("dotF32x%dNEON", m), m)
	}
	return f.Bytes()
}

// dotNEON writes a convolution with one output channel: m pixels, each a sum
// along the vectors of its taps. R16 counts whole vectors; R26 says whether
// lanes of one more follow in every tap.
func dotNEON(f *file, name string, m int) {
	f.fn(name, 8)
	f.op("MOVD c+0(FP), R0")
	f.field(offSrcStride, "R13")
	f.field(offKC, "R16")
	f.field(offMask, "R26")
	f.jump("CBZ R26,", "tile")
	maskNEON(f, offMask)
	f.label("tile")
	f.fieldSum(offSrc, offSrcAt, "R14", "R4")
	f.field(offW, "R1")
	f.field(offTaps, "R2")
	f.field(offNTaps, "R3")
	for p := range m {
		f.op("VEOR V%d.B16, V%d.B16, V%d.B16", p, p, p)
	}
	f.label("tap")
	f.op("MOVD.P 8(R2), R4")
	f.op("ADD R14, R4, %s", neonTap(0))
	for p := 1; p < m; p++ {
		f.op("ADD R13, %s, %s", neonTap(p-1), neonTap(p))
	}
	f.dotTapNEON(m)
	f.loop("R3", "tap")
	f.sumLanesNEON(m)
	f.finishDotNEON(m)
}

// neonTap is the register that points at pixel p of the current tap.
func neonTap(p int) string {
	return [...]string{"R17", "R19", "R20", "R21", "R22", "R23", "R24", "R25"}[p]
}

// dotTapNEON adds the products of one tap.
func (f *file) dotTapNEON(m int) {
	f.jump("CBZ R16,", "tail")
	f.op("MOVD R16, R4")
	f.label("k")
	f.op("FMOVQ.P 16(R1), F%d", depthWeights)
	for p := range m {
		f.op("FMOVQ.P 16(%s), F%d", neonTap(p), depthPixels+p)
	}
	f.timesWeights(m)
	f.loop("R4", "k")
	f.label("tail")
	f.jump("CBZ R26,", "next")
	f.op("FMOVQ.P 16(R1), F%d", depthWeights)
	for p := range m {
		f.op("MOVD %s, R7", neonTap(p))
		f.loadLanesNEON(depthPixels+p, fmt.Sprintf("tail%d", p))
	}
	f.timesWeights(m)
	f.label("next")
}

// sumLanesNEON leaves the sums of V0 to Vm-1 in V0 and, of eight, in V1, each
// lane's added in the same order whatever m is.
func (f *file) sumLanesNEON(m int) {
	if m == 1 {
		f.v(faddp4s, 0, 0, 0)
		f.v(faddp4s, 0, 0, 0)
		return
	}
	for p := 0; p < m; p += 2 {
		f.v(faddp4s, p, p, p+1)
	}
	f.v(faddp4s, 0, 0, 2)
	f.v(faddp4s, 1, 4, 6)
}

// finishDotNEON adds bias and residual, clamps and stores m neighbouring results.
func (f *file) finishDotNEON(m int) {
	n, load, store := 2, "VLD1 (R5), "+vectors(2, 2, "S4"), "VST1 "+vectors(0, 2, "S4")+", (R5)"
	if m == 1 {
		n, load, store = 1, "FMOVS (R5), F2", "FMOVS F0, (R5)"
	}
	f.field(offBias, "R4")
	f.op("VLD1R (R4), [V%d.S4]", depthWeights)
	f.eachNEON(n, fadd4s)
	f.field(offRes, "R5")
	f.jump("CBZ R5,", "clamp")
	f.fieldSum(offRes, offResAt, "R5", "R4")
	f.op("%s", load)
	for i := range n {
		f.v(fadd4s, i, i, 2+i)
	}
	f.label("clamp")
	f.dup4s(offLo, depthWeights, "R4")
	f.eachNEON(n, fmax4s)
	f.dup4s(offHi, depthWeights, "R4")
	f.eachNEON(n, fmin4s)
	f.fieldSum(offDst, offDstAt, "R5", "R4")
	f.op("%s", store)
	f.advance(offResAt, offResStep)
	f.nextTileNEON()
}

// eachNEON applies i, with depthWeights as its second source, to V0 to Vn-1.
func (f *file) eachNEON(n int, i instruction) {
	for r := range n {
		f.v(i, r, r, depthWeights)
	}
}
