package main

import "fmt"

// What the float32 convolutions on NEON keep where. R0 is the call, R14 the
// tile's source, R13 the stride from pixel to pixel.
//
//	V0..V15   sums, nv a pixel    V16..V23  weights of four channels in
//	R5..R12   pixels              V24..V31  four channels of each pixel
//
// A tile of 8 pixels by 8 channels fills all 32 vectors, and each pass of its
// inner loop, four channels in, is 64 multiply-adds in 83 instructions, 16 of
// which load: 64 cycles at best where one multiply-add starts in a
// cycle (Cortex-A53, A72), 32 where two do (A76).
const (
	neonMaxM    = 8
	neonWeights = 16
	neonPixels  = 24
)

func neonPointer(p int) string { return fmt.Sprintf("R%d", 5+p) }

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
	f.label("tile")
	f.fieldSum(offSrc, offSrcAt, "R14", "R13")
	f.field(offSrcStride, "R13")
	f.field(offW, "R1")
	f.field(offTaps, "R2")
	f.field(offNTaps, "R3")
	f.field(offKC, "R16")
	f.op("LSR $2, R16, R15")
	f.op("AND $3, R16, R16")
	f.field(offBias, "R4")
	f.op("VLD1 (R4), %s", vectors(0, nv, "S4"))
	for i := nv; i < m*nv; i++ {
		f.op("VMOV V%d.B16, V%d.B16", i%nv, i)
	}
	f.label("tap")
	f.op("MOVD.P 8(R2), R5")
	f.op("ADD R14, R5, R5")
	for p := 1; p < m; p++ {
		f.op("ADD R13, %s, %s", neonPointer(p-1), neonPointer(p))
	}
	f.multiplyNEON(m, nv)
	f.loop("R3", "tap")
	maskNEON(f, offMask)
	finishNEON(f, m, nv)
}

// multiplyNEON adds the products of one tap: four channels at a time, then one.
// Vectors are loaded one by one: cores that issue in order wait for the first of
// several in one load, and for a pointer that a VLD1 moves.
func (f *file) multiplyNEON(m, nv int) {
	f.jump("CBZ R15,", "rest")
	f.op("MOVD R15, R4")
	f.label("four")
	for i := range 4 * nv {
		f.op("FMOVQ %d(R1), F%d", 16*i, neonWeights+i)
	}
	f.op("ADD $%d, R1, R1", 64*nv)
	for p := range m {
		f.op("FMOVQ.P 16(%s), F%d", neonPointer(p), neonPixels+p)
	}
	for e := range 4 {
		f.productsNEON(m, nv, e)
	}
	f.loop("R4", "four")
	f.label("rest")
	f.jump("CBZ R16,", "next")
	f.op("MOVD R16, R4")
	f.label("one")
	f.op("VLD1.P %d(R1), %s", 16*nv, vectors(neonWeights, nv, "S4"))
	for p := range m {
		f.op("FMOVS.P 4(%s), F%d", neonPointer(p), neonPixels+p)
	}
	f.productsNEON(m, nv, 0)
	f.loop("R4", "one")
	f.label("next")
}

// productsNEON adds the products of channel e of those loaded.
func (f *file) productsNEON(m, nv, e int) {
	for p := range m {
		for j := range nv {
			f.vx(fmla4sx, p*nv+j, neonWeights+e*nv+j, neonPixels+p, e)
		}
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

// finishNEON adds the residual to the sums, clamps and stores them, and goes on
// with the next tile; maskNEON comes before it.
func finishNEON(f *file, m, nv int) {
	f.residualNEON(m, nv)
	f.label("clamp")
	f.dup4s(offLo, neonWeights, "R4")
	f.dup4s(offHi, neonWeights+1, "R4")
	for i := range m * nv {
		f.v(fmax4s, i, i, neonWeights)
		f.v(fmin4s, i, i, neonWeights+1)
	}
	f.storeNEON(m, nv)
	f.label("stored")
	f.advance(offResAt, offResStep)
	f.nextTileNEON()
}

// residualNEON adds the residual, if there is one, whole vectors or not.
func (f *file) residualNEON(m, nv int) {
	f.field(offRes, "R5")
	f.jump("CBZ R5,", "clamp")
	f.field(offResAt, "R6")
	f.op("ADD R6, R5, R5")
	f.field(offResStride, "R6")
	f.jump("CBZ R10,", "residual")
	for p := range m {
		f.op("VLD1 (R5), %s", vectors(neonWeights, nv, "S4"))
		f.addNEON(p, nv)
	}
	f.jump("B", "clamp")
	f.label("residual")
	for p := range m {
		if nv == 2 {
			f.op("VLD1 (R5), %s", vectors(neonWeights, 1, "S4"))
		}
		f.op("ADD $%d, R5, R7", 16*(nv-1))
		f.loadLanesNEON(neonWeights+nv-1, fmt.Sprintf("residual%d", p))
		f.addNEON(p, nv)
	}
}

// addNEON adds the vectors loaded to pixel p and moves R5 on.
func (f *file) addNEON(p, nv int) {
	f.op("ADD R6, R5, R5")
	for j := range nv {
		f.v(fadd4s, p*nv+j, p*nv+j, neonWeights+j)
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
	f.fieldSum(offDst, offDstAt, "R5", "R6")
	f.field(offDstStride, "R6")
	f.jump("CBZ R10,", "store")
	for p := range m {
		f.op("VST1 %s, (R5)", vectors(p*nv, nv, "S4"))
		f.op("ADD R6, R5, R5")
	}
	f.jump("B", "stored")
	f.label("store")
	for p := range m {
		last, label := p*nv+nv-1, fmt.Sprintf("store%d", p)
		f.op("MOVD R5, R7")
		if nv == 2 {
			f.op("VST1.P %s, 16(R7)", vectors(p*nv, 1, "S4"))
		}
		f.storeLanesNEON(last, label)
		f.op("ADD R6, R5, R5")
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
