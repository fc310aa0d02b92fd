package main

import "fmt"

// Registers of the requantisation: constants of one vector of channels, and
// those of the tile.
const (
	rqLeft, rqMultiplier, rqRight = 24, 25, 26
	rqZero, rqLo, rqHi            = 27, 28, 29
	rqScratch                     = 30
)

// rounding of the second division.
type rounding bool

const (
	halfUp   rounding = false
	halfAway rounding = true
)

// finishI8NEON requantises the sums of m pixels by nv vectors of channels,
// halves up, stores the bytes and goes on with the next tile.
func (f *file) finishI8NEON(m, nv int) {
	f.requantTileNEON()
	f.field(offRequant, "R4")
	for j := range nv {
		sums := make([]int, m)
		for p := range m {
			sums[p] = p*nv + j
		}
		f.requantNEON(sums, "R4", 16*j, 16*nv, halfUp)
	}
	f.storeBytesNEON(m, nv)
	f.nextTileNEON()
}

// requantTileNEON loads what all channels share.
func (f *file) requantTileNEON() {
	f.dup4s(offZero, rqZero, "R4")
	f.dup4s(offLo8, rqLo, "R4")
	f.dup4s(offHi8, rqHi, "R4")
}

// requantNEON turns sums of the same four channels into 8-bit values. The rows
// of constants that start at offset off from register base are, row bytes
// apart, left shift, multiplier, two that NEON does not need, right shift.
// SQRDMULH is vec.DoublingHighMul for all operands, SRSHL by a negative
// number the division by a power of two with halves up.
func (f *file) requantNEON(sums []int, base string, off, row int, r rounding) {
	f.op("FMOVQ %d(%s), F%d", off, base, rqLeft)
	f.op("FMOVQ %d(%s), F%d", off+row, base, rqMultiplier)
	f.op("FMOVQ %d(%s), F%d", off+4*row, base, rqRight)
	f.v(neg4s, rqRight, rqRight)
	f.eachSum(sshl4s, sums, rqLeft)
	f.eachSum(sqrdmulh4s, sums, rqMultiplier)
	if r == halfAway {
		f.lowerNegatives(sums, rqRight, rqScratch)
	}
	f.eachSum(srshl4s, sums, rqRight)
	f.eachSum(add4s, sums, rqZero)
	f.eachSum(smax4s, sums, rqLo)
	f.eachSum(smin4s, sums, rqHi)
}

func (f *file) eachSum(i instruction, sums []int, operand int) {
	for _, s := range sums {
		f.v(i, s, s, operand)
	}
}

// lowerNegatives takes one off the negative values that will be shifted to the
// right, where that number is negative, so that their halves go down: away from
// zero.
func (f *file) lowerNegatives(sums []int, right, scratch int) {
	for i, s := range sums {
		t := scratch + i%2
		f.op("VAND V%d.B16, V%d.B16, V%d.B16", right, s, t)
		f.v(sshr31, t, t)
		f.v(sqadd4s, s, s, t)
	}
}

// packBytesNEON leaves the bytes of nv vectors from s on in vector s.
func (f *file) packBytesNEON(s, nv int) {
	for j := 0; j < nv; j += 2 {
		f.op("VUZP1 V%d.H8, V%d.H8, V%d.H8", s+j+1, s+j, s+j)
	}
	f.op("VUZP1 V%d.B16, V%d.B16, V%d.B16", s+nv-2, s, s)
}

// storeBytesNEON stores the pixels: whole, or as many channels as exist.
func (f *file) storeBytesNEON(m, nv int) {
	f.fieldSum(offDst, offDstAt, "R5", "R6")
	f.field(offDstStride, "R6")
	f.field(offLive, "R8")
	for p := range m {
		f.packBytesNEON(p*nv, nv)
	}
	f.op("CMP $%d, R8", 4*nv)
	f.jump("BNE", "part")
	move := map[int]string{2: "FMOVD", 4: "FMOVQ"}[nv]
	for p := range m {
		f.op("%s F%d, (R5)", move, p*nv)
		f.op("ADD R6, R5, R5")
	}
	f.jump("B", "stored")
	f.label("part")
	for p := range m {
		f.op("MOVD R5, R7")
		if nv == 4 {
			f.op("FMOVD.P F%d, 8(R7)", p*nv)
		}
		f.op("VMOV V%d.D[%d], R4", p*nv, nv/2-1)
		f.storePartNEON(p)
		f.op("ADD R6, R5, R5")
	}
	f.label("stored")
}

// storePartNEON stores the lowest bytes of R4 from R7 on, R8 modulo 8 of them.
func (f *file) storePartNEON(p int) {
	for bit, move := range []string{"MOVW.P R4, 4(R7)", "MOVH.P R4, 2(R7)", "MOVB R4, (R7)"} {
		bytes := 4 >> bit
		label := fmt.Sprintf("part%d_%d", p, bytes)
		f.jump(fmt.Sprintf("TBZ $%d, R8,", 2-bit), label)
		f.op("%s", move)
		if bytes > 1 {
			f.op("LSR $%d, R4, R4", 8*bytes)
		}
		f.label(label)
	}
}

// nextTileNEON goes on with the next tile, if there is one.
func (f *file) nextTileNEON() {
	f.advance(offSrcAt, offSrcStep)
	f.advance(offDstAt, offDstStep)
	f.fieldLoop(offTiles, "tile")
	f.op("RET")
}
