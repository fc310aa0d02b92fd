package main

import "fmt"

// What the float32 convolutions on NEON keep where. R0 is the call, R20 the
// tile's source, R13 the stride from pixel to pixel, R26 zero if the last vector
// has not all channels; see beginTilesNEON.
//
//	V0..V13   sums, nv a pixel    V14..V17  weights, two pairs of vectors in turn
//	R5..R11   pixels              V18..V31  eight channels of each pixel
//
// A tile of 7 pixels by 8 channels fills all 32 vectors, and each pass of its
// inner loop, eight channels in, is 112 multiply-adds in 130 instructions, 15 of
// which load two vectors each. A tile of 8 pixels has room for four channels of
// each alone: 64 multiply-adds in 78.
const (
	neonMaxM    = 7
	neonWeights = 14
	neonPixels  = 18
	neonFinish  = 30 // and the next one: of what is done to sums that are complete
)

// neonPointer is the register that points at pixel p, neonPixel the first of
// its two vectors.
func neonPointer(p int) string { return fmt.Sprintf("R%d", 5+p) }
func neonPixel(p int) int      { return neonPixels + 2*p }

func convF32NEON() []byte {
	f := newFile("arm64")
	for nv := 1; nv <= 2; nv++ {
		for m := 1; m <= neonMaxM; m++ {
			convNEON(f, fmt.Sprintf("convF32x%dx%dNEON", m, nv*4), m, nv)
		}
	}
	return f.Bytes()
}

// convNEON writes one direct convolution routine: m pixels, nv vectors of
// output channels.
func convNEON(f *file, name string, m, nv int) {
	f.fn(name, 8)
	f.op("MOVD c+0(FP), R0")
	f.beginTilesNEON()
	f.wholeNEON()
	f.field(offSrcStride, "R13")
	f.field(offKC, "R16")
	f.op("LSR $3, R16, R15")
	f.label("tile")
	f.field(offW, "R1")
	f.field(offTaps, "R2")
	f.field(offNTaps, "R3")
	f.field(offBias, "R4")
	for p := range m {
		f.op("VLD1 (R4), %s", vectors(p*nv, nv, "S4"))
	}
	f.label("tap")
	f.op("MOVD.P 8(R2), R5")
	f.op("ADD R20, R5, R5")
	for p := 1; p < m; p++ {
		f.op("ADD R13, %s, %s", neonPointer(p-1), neonPointer(p))
	}
	f.multiplyNEON(m, nv)
	f.loop("R3", "tap")
	finishNEON(f, m, nv)
}

// multiplyNEON adds the products of one tap of R16 channels, R15 times eight and
// the rest: eight channels at a time, then four, then one.
func (f *file) multiplyNEON(m, nv int) {
	f.jump("CBZ R15,", "four")
	f.op("MOVD R15, R4")
	f.label("eight")
	f.channelsNEON(m, nv, 8)
	f.loop("R4", "eight")
	f.label("four")
	f.jump("TBZ $2, R16,", "rest")
	f.channelsNEON(m, nv, 4)
	f.label("rest")
	f.op("ANDS $3, R16, R4")
	f.jump("BEQ", "next")
	f.label("one")
	f.op("VLD1.P %d(R1), %s", 16*nv, vectors(neonWeights, nv, "S4"))
	for p := range m {
		f.op("FMOVS.P 4(%s), F%d", neonPointer(p), neonPixel(p))
	}
	for p := range m {
		f.productsNEON(p, nv, 0, 0)
	}
	f.loop("R4", "one")
	f.label("next")
}

// channelsNEON adds the products of n channels, four or eight, and moves on
// behind them. Two vectors of weights are loaded as soon as those that were in
// their place are used, and all pixels first: by LLVM's models a Cortex-A53 takes
// 189 cycles so, and 207 where each is loaded three ahead of its first product.
func (f *file) channelsNEON(m, nv, n int) {
	weights := func(v int) {
		if v < n*nv {
			f.op("FLDPQ %d(R1), (F%d, F%d)", 16*v, neonWeights+v%4, neonWeights+v%4+1)
		}
	}
	weights(0)
	weights(2)
	for p := range m {
		if n == 8 {
			f.op("FLDPQ.P 32(%s), (F%d, F%d)", neonPointer(p), neonPixel(p), neonPixel(p)+1)
		} else {
			f.op("FMOVQ.P 16(%s), F%d", neonPointer(p), neonPixel(p))
		}
	}
	for k := range n {
		for p := range m {
			f.productsNEON(p, nv, k*nv%4, k)
		}
		if used := (k + 1) * nv; used%2 == 0 {
			weights(used + 2)
		}
	}
	f.op("ADD $%d, R1, R1", 16*n*nv)
}

// productsNEON adds the products of channel k of pixel p and the weights from
// the w-th vector on.
func (f *file) productsNEON(p, nv, w, k int) {
	for j := range nv {
		f.vx(fmla4sx, p*nv+j, neonWeights+w+j, neonPixel(p)+k/4, k%4)
	}
}

// maskNEON tells in R8, R9 and R10 whether channels 1, 2 and 3 of the last
// vector exist. offset is that of the mask's pointer.
func maskNEON(f *file, offset string) {
	f.field(offset, "R4")
	for lane := 1; lane < 4; lane++ {
		f.op("MOVWU %d(R4), R%d", 4*lane, 7+lane)
	}
}

// wholeNEON tells in R26 whether the last vector has all channels.
func (f *file) wholeNEON() {
	f.field(offMask, "R4")
	f.op("MOVWU 12(R4), R26")
}

// finishNEON adds the residual to the sums, clamps and stores them, and goes on
// with the next tile.
func finishNEON(f *file, m, nv int) {
	f.residualNEON(m, nv)
	f.label("clamp")
	f.dup4s(offLo, neonFinish, "R4")
	f.dup4s(offHi, neonFinish+1, "R4")
	for i := range m * nv {
		f.v(fmax4s, i, i, neonFinish)
		f.v(fmin4s, i, i, neonFinish+1)
	}
	f.storeNEON(m, nv)
	f.label("stored")
	f.endTilesNEON()
}

// residualNEON adds the residual, if there is one, whole vectors or not.
func (f *file) residualNEON(m, nv int) {
	f.field(offRes, "R5")
	f.jump("CBZ R5,", "clamp")
	f.field(offResAt, "R6")
	f.op("ADD R6, R5, R5")
	f.field(offResStep, "R7")
	f.op("ADD R7, R6, R6")
	f.op("MOVD R6, %s(R0)", offResAt)
	f.field(offResStride, "R6")
	f.jump("CBZ R26,", "residual")
	for p := range m {
		f.op("VLD1 (R5), %s", vectors(neonFinish, nv, "S4"))
		f.addNEON(p, nv)
	}
	f.jump("B", "clamp")
	f.label("residual")
	maskNEON(f, offMask)
	for p := range m {
		if nv == 2 {
			f.op("VLD1 (R5), %s", vectors(neonFinish, 1, "S4"))
		}
		f.op("ADD $%d, R5, R7", 16*(nv-1))
		f.loadLanesNEON(neonFinish+nv-1, fmt.Sprintf("residual%d", p))
		f.addNEON(p, nv)
	}
}

// addNEON adds the vectors loaded to pixel p and moves R5 on.
func (f *file) addNEON(p, nv int) {
	f.op("ADD R6, R5, R5")
	for j := range nv {
		f.v(fadd4s, p*nv+j, p*nv+j, neonFinish+j)
	}
}

// loadLanesNEON loads the channels of the last vector that exist from R7 on, and
// zero for the others.
func (f *file) loadLanesNEON(vector int, label string) {
	f.op("FMOVS.P 4(R7), F%d", vector)
	f.jump("CBZ R8,", label)
	f.op("VLD1.P 4(R7), V%d.S[1]", vector)
	f.jump("CBZ R9,", label)
	f.op("VLD1 (R7), V%d.S[2]", vector)
	f.label(label)
}

// storeNEON stores the pixels, whole vectors or not.
func (f *file) storeNEON(m, nv int) {
	f.op("MOVD R22, R5")
	f.jump("CBZ R26,", "store")
	for p := range m {
		f.op("VST1.P %s, (R5)(R25)", vectors(p*nv, nv, "S4"))
	}
	f.jump("B", "stored")
	f.label("store")
	maskNEON(f, offMask)
	for p := range m {
		last, label := p*nv+nv-1, fmt.Sprintf("store%d", p)
		f.op("MOVD R5, R7")
		if nv == 2 {
			f.op("VST1.P %s, 16(R7)", vectors(p*nv, 1, "S4"))
		}
		f.storeLanesNEON(last, label)
		f.op("ADD R25, R5, R5")
	}
}

// storeLanesNEON stores the channels of the last vector that exist from R7 on.
func (f *file) storeLanesNEON(vector int, label string) {
	f.op("FMOVS.P F%d, 4(R7)", vector)
	f.jump("CBZ R8,", label)
	f.op("VST1.P V%d.S[1], 4(R7)", vector)
	f.jump("CBZ R9,", label)
	f.op("VST1 V%d.S[2], (R7)", vector)
	f.label(label)
}
