package main

import "fmt"

// What the 8-bit convolutions on NEON keep where. R0 is the call, R14 the
// tile's source, R13 the stride from pixel to pixel.
//
//	          pixels    sums     weights    activations  flip  products
//	NEON      R6..R9    V0..V15  V16..V19   V20..V25     V26   V28..V31
//	NEONDot   R6..R11   V0..V23  V24..V27   V28..V30
//
// A vector holds the sums of four output channels, and a step multiplies four
// input channels. With the dot product, 6 pixels by 16 channels are 24 SDOT, 6
// loads of four activations, 2 of 32 weights and 3 instructions of the loop:
// 0.09 a multiplication, and the multiplier is the bound of a core that issues
// three instructions for two SDOT (Cortex-A76) or two for one (A55). Without
// it, 4 pixels by 16 channels are 48 SMULL, SMLAL2 and SADALP, 4 loads that
// spread four activations, 2 of weights and 2 of the loop: 0.22 a
// multiplication. From 16-bit values the multiplications alone are 0.25.
const (
	dotMaxM    = 6
	narrowMaxM = 4
)

// offFlip is a field of conv.convCallI8.
const offFlip = "@flip"

// neonI8 is one family of routines: first register of the weights, register of
// the flip, and what emits the products of all taps.
type neonI8 struct {
	weights, flip int
	taps          func(v neonI8, f *file, m, nv int, signed bool)
}

var (
	neonDot    = neonI8{weights: 24, taps: neonI8.dotTaps}
	neonNarrow = neonI8{16, 26, neonI8.narrowTaps}
)

// convI8NEON writes the routines that multiply signed activations as they are
// and weights without -128 (Signed), and those that flip unsigned ones and take
// all weights.
func convI8NEON() []byte {
	f := newFile("arm64").of("convCallI8")
	for _, nv := range []int{2, 4} {
		for m := 1; m <= narrowMaxM; m++ {
			neonNarrow.routine(f, fmt.Sprintf("convI8x%dx%dNEON", m, 4*nv), m, nv, false)
			neonNarrow.routine(f, fmt.Sprintf("convI8x%dx%dNEONSigned", m, 4*nv), m, nv, true)
		}
	}
	return f.Bytes()
}

// convI8NEONDot writes the routines of the dot product: of signed activations,
// for unsigned ones are flipped beforehand.
func convI8NEONDot() []byte {
	f := newFile("arm64").of("convCallI8")
	for _, nv := range []int{2, 4} {
		for m := 1; m <= dotMaxM; m++ {
			neonDot.routine(f, fmt.Sprintf("convI8x%dx%dNEONDot", m, 4*nv), m, nv, true)
		}
	}
	return f.Bytes()
}

// routine writes one direct convolution: m pixels, nv vectors of channels.
func (v neonI8) routine(f *file, name string, m, nv int, signed bool) {
	f.fn(name, 8)
	f.op("MOVD c+0(FP), R0")
	f.label("tile")
	f.fieldSum(offSrc, offSrcAt, "R14", "R13")
	f.field(offSrcStride, "R13")
	f.field(offW, "R1")
	f.field(offTaps, "R2")
	f.field(offNTaps, "R3")
	f.field(offKC, "R15")
	f.field(offBias, "R4")
	f.op("VLD1 (R4), %s", vectors(0, nv, "S4"))
	for i := nv; i < m*nv; i++ {
		f.op("VMOV V%d.B16, V%d.B16", i%nv, i)
	}
	f.addSumsNEON(m, nv)
	if !signed {
		f.op("ADD $%s, R0, R4", offFlip)
		f.op("VLD1R (R4), [V%d.B16]", v.flip)
	}
	v.taps(v, f, m, nv, signed)
	f.finishI8NEON(m, nv)
}

// loadWeights loads one step's weights: 16 bytes for each vector of channels.
func (v neonI8) loadWeights(f *file, nv int) {
	for j := 0; j < nv; j += 2 {
		f.op("FLDPQ.P 32(R1), (F%d, F%d)", v.weights+j, v.weights+j+1)
	}
}

// dotTaps adds the products of all taps. R5 is the offset of the current
// activations from every pixel; they are loaded two pixels ahead.
func (v neonI8) dotTaps(f *file, m, nv int, _ bool) {
	const acts, ahead = 28, 2
	f.op("MOVD R14, R6")
	for p := 1; p < m; p++ {
		f.op("ADD R13, R%d, R%d", 5+p, 6+p)
	}
	f.label("tap")
	f.op("MOVD.P 8(R2), R5")
	f.op("MOVD R15, R4")
	f.label("k")
	v.loadWeights(f, nv)
	for p := range m + ahead {
		if p < m {
			f.op("FMOVS (R%d)(R5), F%d", 6+p, acts+p%3)
		}
		if p < ahead {
			continue
		}
		a := acts + (p-ahead)%3
		for j := range nv {
			f.vx(sdot4sx, (p-ahead)*nv+j, v.weights+j, a, 0)
		}
	}
	f.op("ADD $4, R5")
	f.loop("R4", "k")
	f.loop("R3", "tap")
}

// narrowTaps adds the products of all taps. Four activations become two
// vectors: the first two of them in all lanes, and the other two.
func (v neonI8) narrowTaps(f *file, m, nv int, signed bool) {
	f.label("tap")
	f.op("MOVD.P 8(R2), R6")
	f.op("ADD R14, R6, R6")
	for p := 1; p < m; p++ {
		f.op("ADD R13, R%d, R%d", 5+p, 6+p)
	}
	f.op("MOVD R15, R4")
	f.label("k")
	v.loadWeights(f, nv)
	loaded := 0
	for first := 0; first < m*nv; first += 4 {
		n := min(4, m*nv-first)
		for ; loaded < min(m, (first+n-1)/nv+2); loaded++ {
			v.loadPairs(f, loaded, signed)
		}
		v.narrowProducts(f, first, n, nv, signed)
	}
	f.loop("R4", "k")
	f.loop("R3", "tap")
}

// pairs is the first of the two registers of pixel p's activations.
func pairs(p int) int { return 20 + p%3*2 }

func (v neonI8) loadPairs(f *file, p int, signed bool) {
	a := pairs(p)
	f.op("VLD2R.P 4(R%d), %s", 6+p, vectors(a, 2, "H8"))
	if !signed {
		f.op("VEOR V%d.B16, V%d.B16, V%d.B16", v.flip, a, a)
		f.op("VEOR V%d.B16, V%d.B16, V%d.B16", v.flip, a+1, a+1)
	}
}

// narrowProducts adds to n sums from first on, interleaved: an instruction is
// three away from what it waits for.
func (v neonI8) narrowProducts(f *file, first, n, nv int, signed bool) {
	const products = 28
	each := func(i instruction, half int) {
		for u := range n {
			f.v(i, products+u, v.weights+(first+u)%nv, pairs((first+u)/nv)+half)
		}
	}
	add := func() {
		for u := range n {
			f.v(sadalp4s, first+u, products+u)
		}
	}
	each(smull8h, 0)
	if signed {
		each(smlal8h2, 1)
	} else {
		add()
		each(smull8h2, 1)
	}
	add()
}
