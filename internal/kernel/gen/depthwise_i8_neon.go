package main

import "fmt"

// What the 8-bit depthwise convolutions on NEON keep where. R0 is the call,
// R20 the tile's source, R26 the stride from pixel to pixel; see beginTilesNEON.
//
//	R8..R15   pixels   V0..V15  sums, two vectors a pixel    V16, V17  weights   V18       flip
//	                   V20..V27 activations of both taps      V28..V31  products
//
// A tile of 8 pixels by 8 channels takes two taps a step: for 128
// multiplications 16 SMULL and SMLAL, 16 SADDW, 16 loads of activations, and 4
// of weights, offsets and the loop: 0.41 a multiplication. Where the pixels of a
// 3x3 filter's rows are those of the neighbours too, each is loaded once: 0.33
// in wide tiles.
const (
	depthwiseNEONMaxM             = 8
	dwSharesM                     = 6 // the least width at which pixels are loaded once
	dwWeights, dwFlip             = 16, 18
	dwFirst, dwSecond, dwProducts = 20, 24, 28
)

func depthwiseI8NEON() []byte {
	f := newFile("arm64").of("convCallI8")
	for m := 1; m <= depthwiseNEONMaxM; m++ {
		depthwiseBytesNEON(f, fmt.Sprintf("depthwiseI8x%dx8NEON", m), m, false)
		depthwiseBytesNEON(f, fmt.Sprintf("depthwiseI8x%dx8NEONSigned", m), m, true)
	}
	return f.Bytes()
}

// depthwiseBytesNEON writes one depthwise routine: m pixels of 8 channels, repeated
// for the next 8. One block's stream is bias, weights of one byte by pairs of
// taps, requant constants.
func depthwiseBytesNEON(f *file, name string, m int, signed bool) {
	f.fn(name, 8)
	f.op("MOVD c+0(FP), R0")
	f.field(offW, "R1")
	f.beginTilesNEON()
	f.field(offLive, "R19")
	f.field(offSrcStride, "R26")
	f.label("tile")
	f.op("MOVD R20, R8")
	for p := 1; p < m; p++ {
		f.op("ADD R26, R%d, R%d", 7+p, 8+p)
	}
	f.field(offTaps, "R2")
	f.field(offNTaps, "R3")
	for p := range m {
		f.op("FLDPQ (R1), (F%d, F%d)", 2*p, 2*p+1)
	}
	f.op("ADD $32, R1")
	if !signed {
		f.op("ADD $%s, R0, R4", offFlip)
		f.op("VLD1R (R4), [V%d.B16]", dwFlip)
	}
	shares := signed && m >= dwSharesM
	if shares {
		f.field(offShared, "R4")
		f.jump("CBNZ R4,", "shared")
	}
	f.label("pair")
	f.op("LDP.P 16(R2), (R5, R6)")
	f.op("FLDPD.P 16(R1), (F%d, F%d)", dwWeights, dwWeights+1)
	for p := 0; p < m; p += 4 {
		f.depthwiseProducts(p, min(4, m-p), signed)
	}
	f.loop("R3", "pair")
	if shares {
		f.jump("B", "finish")
		f.label("shared")
		f.sharedRowsNEON(m)
		f.label("finish")
	}
	f.finishDepthwiseNEON(m)
}

// dwPairs are the registers of the weights of the first two rows, column by
// column; the third row takes the first four.
var dwPairs = [...]int{16, 17, 20, 21, 22, 23}

// sharedRowsNEON adds the products of a 3x3 filter, whose taps are in the order of
// conv.pairedTaps: those of the first two rows by pairs in a column, then the first
// two of the third row, then its last.
func (f *file) sharedRowsNEON(m int) {
	f.op("ADD R26, R%d, R16", 7+m)
	f.op("ADD R26, R16, R17")
	weights := func(n int) {
		for i := 0; i < n; i += 2 {
			f.op("FLDPD.P 16(R1), (F%d, F%d)", dwPairs[i], dwPairs[i+1])
		}
	}
	load := func(i int, row string, to int) {
		if i < m+2 {
			f.op("FMOVD (R%d)(%s), F%d", [...]int{8 + i, 16, 17}[max(0, i-m+1)], row, to)
		}
	}
	f.op("LDP (R2), (R5, R6)")
	f.op("MOVD 48(R2), R4")
	weights(6)
	load(0, "R5", 24)
	load(0, "R6", 25)
	for i := range m + 2 {
		load(i+1, "R5", 24+2*((i+1)%2))
		load(i+1, "R6", 25+2*((i+1)%2))
		f.columnProducts(i, m)
	}
	weights(4)
	load(0, "R4", 24)
	for i := range m + 2 {
		load(i+1, "R4", 24+(i+1)%4)
		f.rowProducts(i, m)
	}
}

// columnProducts adds those of pixel i of two rows to the three sums that share it.
func (f *file) columnProducts(i, m int) {
	act := 24 + 2*(i%2)
	first, last := max(0, i-m+1), min(2, i)
	for w := first; w <= last; w++ {
		f.v(smull8h, dwProducts+w, act, dwPairs[2*w])
	}
	for w := first; w <= last; w++ {
		f.v(smlal8h, dwProducts+w, act+1, dwPairs[2*w+1])
	}
	for w := first; w <= last; w++ {
		f.widenProducts(i-w, dwProducts+w)
	}
}

// rowProducts adds those of pixels i-1 and i to the sum of the former, and that of i
// to the sum of the one before.
func (f *file) rowProducts(i, m int) {
	pair, last := i > 0 && i <= m, i > 1
	if pair {
		f.v(smull8h, dwProducts, 24+(i-1)%4, dwPairs[0])
	}
	if last {
		f.v(smull8h, dwProducts+1, 24+i%4, dwPairs[2])
	}
	if pair {
		f.v(smlal8h, dwProducts, 24+i%4, dwPairs[1])
	}
	if last {
		f.widenProducts(i-2, dwProducts+1)
	}
	if pair {
		f.widenProducts(i-1, dwProducts)
	}
}

// widenProducts adds eight products of 16 bits to the sums of pixel p.
func (f *file) widenProducts(p, products int) {
	f.v(saddw4s, 2*p, 2*p, products)
	f.v(saddw4s2, 2*p+1, 2*p+1, products)
}

// depthwiseProducts adds the products of two taps to n pixels from first on.
func (f *file) depthwiseProducts(first, n int, signed bool) {
	each := func(do func(u int)) {
		for u := range n {
			do(u)
		}
	}
	load := func(tap string, to int) {
		each(func(u int) { f.op("FMOVD (R%d)(%s), F%d", 8+first+u, tap, to+u) })
		if !signed {
			each(func(u int) { f.op("VEOR V%d.B8, V%d.B8, V%d.B8", dwFlip, to+u, to+u) })
		}
	}
	add := func() {
		each(func(u int) { f.v(saddw4s, 2*(first+u), 2*(first+u), dwProducts+u) })
		each(func(u int) { f.v(saddw4s2, 2*(first+u)+1, 2*(first+u)+1, dwProducts+u) })
	}
	load("R5", dwFirst)
	load("R6", dwSecond)
	each(func(u int) { f.v(smull8h, dwProducts+u, dwFirst+u, dwWeights) })
	if signed {
		each(func(u int) { f.v(smlal8h, dwProducts+u, dwSecond+u, dwWeights+1) })
	} else {
		add()
		each(func(u int) { f.v(smull8h, dwProducts+u, dwSecond+u, dwWeights+1) })
	}
	add()
}

// finishDepthwiseNEON requantises, halves away from zero, stores the bytes and
// goes on with the next channels.
func (f *file) finishDepthwiseNEON(m int) {
	f.scaleNEON(m, 2, "R1", 32, halfAway)
	f.op("ADD $%d, R1", 5*32)
	f.storeBytesNEON(m, 2)
	f.endTilesNEON()
}
