package main

import "fmt"

// What the 8-bit convolutions on NEON keep where. R0 is the call, R20 the
// tile's source, R13 the stride from pixel to pixel; R19 counts the
// channels that exist; see beginTilesNEON.
//
//	           pixels    sums     weights    activations  flip  products
//	NEON       R6..R9    V0..V15  V16..V19   V20..V25     V26   V28..V31
//	  a pass   R6..R9    V0..V15  V16..V23   V24..V27           V28..V31
//	NEONDot 16 R6..R10   V0..V19  V20..V25   V26..V30
//	NEONDot 8  R6..R11   V0..V11  V12..V17   V18..V23
//
// A vector holds the sums of four output channels, and a step multiplies four
// input channels. With the dot product, 5 pixels by 16 channels take four steps a
// pass: 80 SDOT, 5 loads of 16 activations, 8 of 32 weights and 3 instructions of
// the loop, 0.075 a multiplication and sum of four; the multiplier is the bound
// of a core that issues three instructions for two SDOT (Cortex-A76) or two for
// one (A55). Without it, 4 pixels by 16 channels take two steps a pass: 96 SMULL,
// SMLAL2 and SADALP, 4 loads that spread eight activations, 4 of weights and 2 of the
// loop, 0.21 a multiplication; unsigned activations, which are flipped, take more.
// From 16-bit values the multiplications alone are 0.25.
const (
	dotMaxM16  = 5
	dotMaxM8   = 6
	narrowMaxM = 4
)

// Fields of conv.convCallI8.
const offFlip, offBig, offShared, offClamps = "@flip", "@big", "@shared", "@clamps"

// neonI8 is one family of routines: first register of the weights, register of
// the flip, and what emits the products of all taps.
type neonI8 struct {
	weights, flip int
	taps          func(v neonI8, f *file, m, nv int, signed bool)
}

var (
	neonDot16  = neonI8{weights: 20, taps: neonI8.dotTaps}
	neonDot8   = neonI8{weights: 12, taps: neonI8.dotTaps}
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
	for m := 1; m <= dotMaxM8; m++ {
		neonDot8.routine(f, fmt.Sprintf("convI8x%dx8NEONDot", m), m, 2, true)
	}
	for m := 1; m <= dotMaxM16; m++ {
		neonDot16.routine(f, fmt.Sprintf("convI8x%dx16NEONDot", m), m, 4, true)
	}
	return f.Bytes()
}

// routine writes one direct convolution: m pixels, nv vectors of channels.
func (v neonI8) routine(f *file, name string, m, nv int, signed bool) {
	f.fn(name, 8)
	f.op("MOVD c+0(FP), R0")
	f.beginTilesNEON()
	f.field(offLive, "R19")
	f.field(offSrcStride, "R13")
	f.field(offKC, "R15")
	f.op("LSR $2, R15, R16")
	f.op("AND $3, R15, R17")
	f.label("tile")
	f.field(offW, "R1")
	f.field(offTaps, "R2")
	f.field(offNTaps, "R3")
	f.field(offBias, "R4")
	for p := range m {
		f.op("VLD1 (R4), %s", vectors(p*nv, nv, "S4"))
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
// activations from every pixel. A pass is four groups of four channels, as long
// as there are as many; then come single ones.
func (v neonI8) dotTaps(f *file, m, nv int, _ bool) {
	f.op("MOVD R20, R6")
	for p := 1; p < m; p++ {
		f.op("ADD R13, R%d, R%d", 5+p, 6+p)
	}
	f.label("tap")
	f.op("MOVD.P 8(R2), R5")
	f.jump("CBZ R16,", "rest")
	f.op("MOVD R16, R4")
	f.label("pass")
	v.dotGroups(f, m, nv, 4)
	f.loop("R4", "pass")
	f.label("rest")
	f.jump("CBZ R17,", "next")
	f.op("MOVD R17, R4")
	f.label("k")
	v.dotGroups(f, m, nv, 1)
	f.loop("R4", "k")
	f.label("next")
	f.loop("R3", "tap")
}

// dotGroups adds the products of n groups, one or four, and moves on behind them.
// Weights are loaded two pairs of vectors ahead.
func (v neonI8) dotGroups(f *file, m, nv, n int) {
	const inTurn = 3 // pairs of weights that have a place
	place := func(pair int) int { return v.weights + pair%inTurn*2 }
	load := func(pair int) {
		if pair < n*nv/2 {
			f.op("FLDPQ.P 32(R1), (F%d, F%d)", place(pair), place(pair)+1)
		}
	}
	acts := v.weights + 2*inTurn
	load(0)
	load(1)
	for p := range m {
		if n == 1 {
			f.op("FMOVS (R%d)(R5), F%d", 6+p, acts+p)
		} else {
			f.vat(ldrq, acts+p, 6+p, 5)
		}
	}
	for pair := range n * nv / 2 {
		load(pair + inTurn - 1)
		for p := range m {
			for j := range 2 {
				f.vx(sdot4sx, p*nv+2*pair%nv+j, place(pair)+j, acts+p, pair*2/nv)
			}
		}
	}
	f.op("ADD $%d, R5", 4*n)
}

// narrowTaps adds the products of all taps. Four activations become two
// vectors: the first two of them in all lanes, and the other two.
func (v neonI8) narrowTaps(f *file, m, nv int, signed bool) {
	f.label("tap")
	f.op("MOVD.P 8(R2), R6")
	f.op("ADD R20, R6, R6")
	for p := 1; p < m; p++ {
		f.op("ADD R13, R%d, R%d", 5+p, 6+p)
	}
	if signed {
		f.op("LSR $1, R15, R4")
		f.jump("CBZ R4,", "odd")
		f.label("pass")
		v.narrowPass(f, m, nv)
		f.loop("R4", "pass")
		f.label("odd")
		f.jump("TBZ $0, R15,", "next")
		v.narrowGroup(f, m, nv, signed)
		f.label("next")
	} else {
		f.op("MOVD R15, R4")
		f.label("k")
		v.narrowGroup(f, m, nv, signed)
		f.loop("R4", "k")
	}
	f.loop("R3", "tap")
}

// narrowPass adds the products of two groups of four channels: one load spreads
// eight activations over four vectors.
func (v neonI8) narrowPass(f *file, m, nv int) {
	const products = 28
	acts := func(p int) int { return 24 - 4*(p%(4/nv)) }
	spread := func(first int) {
		for p := first / nv; p < min(m, (first+4)/nv); p++ {
			f.op("VLD4R.P 8(R%d), %s", 6+p, vectors(acts(p), 4, "H8"))
		}
	}
	spread(0)
	v.loadWeights(f, 2*nv)
	for first := 0; first < m*nv; first += 4 {
		n := min(4, m*nv-first)
		for group := range 2 {
			for half, i := range []instruction{smull8h, smlal8h2} {
				for u := range n {
					f.v(i, products+u, v.weights+group*nv+(first+u)%nv, acts((first+u)/nv)+2*group+half)
				}
			}
			if group == 1 {
				spread(first + 4)
			}
			for u := range n {
				f.v(sadalp4s, first+u, products+u)
			}
		}
	}
}

// narrowGroup adds the products of one group of four channels.
func (v neonI8) narrowGroup(f *file, m, nv int, signed bool) {
	v.loadWeights(f, nv)
	loaded := 0
	for first := 0; first < m*nv; first += 4 {
		n := min(4, m*nv-first)
		for ; loaded < min(m, (first+n-1)/nv+2); loaded++ {
			v.loadPairs(f, loaded, signed)
		}
		v.narrowProducts(f, first, n, nv, signed)
	}
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
