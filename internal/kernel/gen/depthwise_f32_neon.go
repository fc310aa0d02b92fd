package main

import "fmt"

// depthMaxM is the widest tile of one vector of channels: its weights and its
// pixels have places of their own.
const (
	depthMaxM    = 8
	depthWeights = 16
	depthPixels  = 24
)

func depthwiseF32NEON() []byte {
	f := newFile("arm64")
	for m := 1; m <= depthMaxM; m++ {
		depthwiseNEON(f, fmt.Sprintf("depthwiseF32x%dx4NEON", m), m)
	}
	return f.Bytes()
}

// depthwiseNEON writes one depthwise routine: m pixels of one vector of
// channels, repeated for the next vectors, whose bias and weights follow each
// other in R1. A tap of 8 pixels is 8 multiply-adds and 10 loads in 21
// instructions. Where the pixels of a filter's row are those of its neighbours
// too, at widths of 3 and 5, R14 has the width and each is loaded once: a row of
// three taps is 24 multiply-adds and 12 loads in 39. The last vector of a picture
// may reach past its memory, so its channels are loaded one by one.
func depthwiseNEON(f *file, name string, m int) {
	f.fn(name, 8)
	f.op("MOVD c+0(FP), R0")
	f.field(offW, "R1")
	f.beginTilesNEON()
	f.wholeNEON()
	f.field(offKC, "R14")
	f.field(offSrcStride, "R13")
	f.label("tile")
	f.op("MOVD R20, R5")
	f.field(offTaps, "R2")
	f.field(offNTaps, "R3")
	f.op("VLD1.P 16(R1), [V0.S4]")
	for p := 1; p < m; p++ {
		f.op("VMOV V0.B16, V%d.B16", p)
	}
	f.jump("CBZ R26,", "part")
	for p := 1; p < m; p++ {
		f.op("ADD R13, %s, %s", neonPointer(p-1), neonPointer(p))
	}
	widths := sharedWidths
	if m < sharesM {
		widths = nil
	}
	for _, width := range widths {
		f.op("CMP $%d, R14", width)
		f.jump("BEQ", fmt.Sprint("shared", width))
	}
	f.label("tap")
	f.depthwiseTap()
	for p := range m {
		f.vat(ldrq, depthPixels+p, 5+p, 4)
	}
	f.timesWeights(m)
	f.loop("R3", "tap")
	f.jump("B", "whole")
	for _, width := range widths {
		f.depthwiseRow(m, width)
		f.jump("B", "whole")
	}
	f.label("part")
	maskNEON(f, offMask)
	f.label("parttap")
	f.depthwiseTap()
	f.op("ADD R20, R4, R5")
	for p := range m {
		f.op("MOVD R5, R7")
		f.loadLanesNEON(depthPixels+p, fmt.Sprintf("part%d", p))
		f.op("ADD R13, R5, R5")
	}
	f.timesWeights(m)
	f.loop("R3", "parttap")
	f.label("whole")
	finishNEON(f, m, 1)
}

// sharedWidths are the widths of filters with rows whose pixels are loaded once, in
// tiles of sharesM pixels or more.
var sharedWidths = []int{3, 5}

const sharesM = 4

// depthwiseRow adds the products of all rows of a filter: pixel i is that of tap 0
// for sum i, of tap 1 for the sum before, and so on.
func (f *file) depthwiseRow(m, width int) {
	const ahead = 4
	pointer := func(i int) int {
		if i < m {
			return 5 + i
		}
		return [...]int{15, 16, 17, 19}[i-m]
	}
	f.label(fmt.Sprint("shared", width))
	for i := m; i < m+width-1; i++ {
		f.op("ADD R13, R%d, R%d", pointer(i-1), pointer(i))
	}
	f.label(fmt.Sprint("row", width))
	f.op("MOVD.P %d(R2), R4", 8*width)
	for w := 0; w+1 < width; w += 2 {
		f.op("FLDPQ.P 32(R1), (F%d, F%d)", depthWeights+w, depthWeights+w+1)
	}
	f.op("FMOVQ.P 16(R1), F%d", depthWeights+width-1)
	for i := -ahead; i < m+width-1; i++ {
		if i+ahead < m+width-1 {
			f.vat(ldrq, depthPixels+(i+ahead)%8, pointer(i+ahead), 4)
		}
		for w := range width {
			if sum := i - w; i >= 0 && sum >= 0 && sum < m {
				f.op("VFMLA V%d.S4, V%d.S4, V%d.S4", depthWeights+w, depthPixels+i%8, sum)
			}
		}
	}
	f.op("SUBS $%d, R3, R3", width)
	f.jump("BNE", fmt.Sprint("row", width))
}

// depthwiseTap loads the next tap to R4, and its weights.
func (f *file) depthwiseTap() {
	f.op("MOVD.P 8(R2), R4")
	f.op("FMOVQ.P 16(R1), F%d", depthWeights)
}

// timesWeights adds the products of m pixels and one vector of weights.
func (f *file) timesWeights(m int) {
	for p := range m {
		f.op("VFMLA V%d.S4, V%d.S4, V%d.S4", depthWeights, depthPixels+p, p)
	}
}
