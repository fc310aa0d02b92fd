package main

import "fmt"

// What the 8-bit depthwise convolutions on NEON keep where. R0 is the call,
// R14 the tile's source, R13 the stride from pixel to pixel.
//
//	R8..R15   pixels   V0..V15  sums, two vectors a pixel    V16, V17  weights   V18       flip
//	                   V20..V27 activations of both taps      V28..V31  products
//
// A tile of 8 pixels by 8 channels takes two taps a step: for 128
// multiplications 16 SMULL and SMLAL, 16 SADDW, 16 loads of activations, and 4
// of weights, offsets and the loop: 0.41 a multiplication.
const (
	depthwiseNEONMaxM             = 8
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
	f.label("tile")
	f.fieldSum(offSrc, offSrcAt, "R8", "R7")
	f.field(offSrcStride, "R7")
	for p := 1; p < m; p++ {
		f.op("ADD R7, R%d, R%d", 7+p, 8+p)
	}
	f.field(offTaps, "R2")
	f.field(offNTaps, "R3")
	f.op("FLDPQ.P 32(R1), (F0, F1)")
	for i := 2; i < 2*m; i++ {
		f.op("VMOV V%d.B16, V%d.B16", i%2, i)
	}
	if !signed {
		f.op("ADD $%s, R0, R4", offFlip)
		f.op("VLD1R (R4), [V%d.B16]", dwFlip)
	}
	f.label("pair")
	f.op("LDP.P 16(R2), (R5, R6)")
	f.op("FLDPD.P 16(R1), (F%d, F%d)", dwWeights, dwWeights+1)
	for p := 0; p < m; p += 4 {
		f.depthwiseProducts(p, min(4, m-p), signed)
	}
	f.loop("R3", "pair")
	f.finishDepthwiseNEON(m)
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
	f.requantTileNEON()
	for j := range 2 {
		sums := make([]int, m)
		for p := range m {
			sums[p] = 2*p + j
		}
		f.requantNEON(sums, "R1", 16*j, 32, halfAway)
	}
	f.op("ADD $%d, R1", 5*32)
	f.storeBytesNEON(m, 2)
	f.nextTileNEON()
}
