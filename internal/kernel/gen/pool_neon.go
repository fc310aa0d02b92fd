package main

// poolNEON writes the routine that takes the greatest of several taps: some
// vectors at once, then one by one, then the part of one. R1 is dst, R2 src,
// V31 the least result.
func poolNEON() []byte {
	f := newFile("arm64")
	f.fn("poolF32NEON", 8)
	f.op("MOVD c+0(FP), R0")
	f.field(offPDst, "R1")
	f.field(offPSrc, "R2")
	f.field(offPBlocks, "R3")
	f.dup4s(offPLo, 31, "R4")
	f.op("AND $%d, R3, R11", poolWidth-1)
	f.op("LSR $2, R3, R3") // by poolWidth
	f.jump("CBZ R3,", "rest")
	f.label("wide")
	f.poolVectors("widetap", poolWidth)
	f.loop("R3", "wide")
	f.label("rest")
	f.jump("CBZ R11,", "tail")
	f.label("one")
	f.poolVectors("onetap", 1)
	f.loop("R11", "one")
	f.label("tail")
	f.field(offPTail, "R4")
	f.jump("CBZ R4,", "end")
	maskNEON(f, offPMask)
	f.poolTapsNEON("tailtap", 1, func() { f.loadLanesNEON(poolWidth, "loaded") })
	f.op("MOVD R1, R7")
	f.storeLanesNEON(0, "end")
	f.op("RET")
	return f.Bytes()
}

// poolVectors computes n whole vectors and moves on.
func (f *file) poolVectors(label string, n int) {
	f.poolTapsNEON(label, n, func() { f.op("VLD1 (R7), %s", vectors(poolWidth, n, "S4")) })
	f.op("VST1.P %s, %d(R1)", vectors(0, n, "S4"), 16*n)
	f.op("ADD $%d, R2, R2", 16*n)
}

// poolTapsNEON leaves the greatest taps of n vectors in V0 to Vn-1; load reads a
// tap's from R7 on. What was found stays unless the tap is greater: FMAX would
// take what is no number.
func (f *file) poolTapsNEON(label string, n int, load func()) {
	f.field(offPTaps, "R5")
	f.field(offPNTaps, "R6")
	for i := range n {
		f.op("VMOV V31.B16, V%d.B16", i)
	}
	f.label(label)
	f.op("MOVD.P 8(R5), R7")
	f.op("ADD R2, R7, R7")
	load()
	for i := range n {
		f.v(fcmgt4s, 2*poolWidth+i, poolWidth+i, i)
	}
	for i := range n {
		f.op("VBIT V%d.B16, V%d.B16, V%d.B16", 2*poolWidth+i, poolWidth+i, i)
	}
	f.loop("R6", label)
}
