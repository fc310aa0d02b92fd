package main

import "fmt"

// Registers of the requantisation: constants of one vector of channels, then
// those of the tile.
const (
	rqLeft, rqMultiplier, rqRight = 24, 25, 26
	rqScratch                     = 30
	rqZero, rqLo, rqHi, rqBack    = 24, 25, 26, 27
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
	f.field(offRequant, "R4")
	f.scaleNEON(m, nv, "R4", 16*nv, halfUp)
	f.storeBytesNEON(m, nv)
	f.endTilesNEON()
}

// scaleNEON scales the sums. The rows of constants from register base on are row
// bytes apart: left shift, multiplier, one that NEON does not need, right shift as a
// negative number; see conv.Factor.lay.
// SQRDMULH is vec.DoublingHighMul for all operands, SRSHL by a negative number the
// division by a power of two with halves up. Only factors of a half or more, which
// R9 tells of, have left shifts or none to the right.
func (f *file) scaleNEON(m, nv int, base string, row int, r rounding) {
	f.op("MOVW %s(R0), R9", offBig)
	for j := range nv {
		sums, small, scaled := make([]int, m), fmt.Sprint("small", j), fmt.Sprint("scaled", j)
		for p := range m {
			sums[p] = p*nv + j
		}
		f.op("FMOVQ %d(%s), F%d", 16*j+row, base, rqMultiplier)
		f.op("FMOVQ %d(%s), F%d", 16*j+3*row, base, rqRight)
		f.jump("CBZ R9,", small)
		f.op("FMOVQ %d(%s), F%d", 16*j, base, rqLeft)
		f.eachSum(sshl4s, sums, rqLeft)
		if r == halfAway {
			f.eachSum(sqrdmulh4s, sums, rqMultiplier)
			f.lowerNegatives(sums, rqRight, rqScratch)
			f.jump("B", scaled)
		}
		f.label(small)
		f.eachSum(sqrdmulh4s, sums, rqMultiplier)
		if r == halfAway {
			for _, s := range sums {
				f.v(ssra31, s, s) // a product of a multiplier below 2^31 is not the least number
			}
			f.label(scaled)
		}
		f.eachSum(srshl4s, sums, rqRight)
	}
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

// clampNEON makes bytes of the scaled sums: adds the zero point and clamps them as
// signed ones, saturating on the way, then gives them their type back. Those of
// four vectors end in the first one, those of two pixels of two vectors in that of
// the first pixel.
func (f *file) clampNEON(m, nv int) {
	f.op("ADD $%s, R0, R4", offZero)
	f.op("VLD1R (R4), [V%d.H8]", rqZero)
	f.jump("CBZ R9,", "narrow") // only sums of big factors wrap around, with the type's own zero point
	f.op("MOVW %s(R0), R4", offZero)
	f.op("MOVBU %s(R0), R5", offBack)
	f.op("ADD R5, R4, R4")
	f.op("VDUP R4, V%d.S4", rqScratch)
	for s := range m * nv {
		f.v(add4s, s, s, rqScratch)
	}
	f.op("NEG R5, R5")
	f.op("VDUP R5, V%d.H8", rqZero)
	f.label("narrow")
	for s := 0; s < m*nv; s += 2 {
		f.v(sqxtn4h, s, s)
		f.v(sqxtn8h2, s, s+1)
	}
	for s := 0; s < m*nv; s += 2 {
		f.v(sqadd8h, s, s, rqZero)
	}
	for s := 0; s < m*nv; s += 4 {
		f.v(sqxtn8b, s, s)
		if s+2 < m*nv {
			f.v(sqxtn8b2, s, s+2)
		}
	}
	f.op("MOVBU %s(R0), R4", offClamps)
	f.jump("CBZ R4,", "clamped")
	for i, field := range []string{offLo8, offHi8, offBack} {
		f.op("ADD $%s, R0, R4", field)
		f.op("VLD1R (R4), [V%d.B16]", rqLo+i)
	}
	for s := 0; s < m*nv; s += 4 {
		f.v(smax16b, s, s, rqLo)
		f.v(smin16b, s, s, rqHi)
		f.op("VEOR V%d.B16, V%d.B16, V%d.B16", rqBack, s, s)
	}
	f.label("clamped")
}

// storeBytesNEON clamps and stores the pixels: whole, or as many channels as exist.
func (f *file) storeBytesNEON(m, nv int) {
	f.clampNEON(m, nv)
	f.op("MOVD R22, R5")
	f.op("CMP $%d, R19", 4*nv)
	f.jump("BNE", "part")
	for p := range m {
		switch {
		case nv == 4:
			f.op("VST1.P [V%d.B16], (R5)(R25)", 4*p)
		case p%2 == 0:
			f.op("VST1.P [V%d.B8], (R5)(R25)", 2*p)
		default:
			f.op("VST1.P V%d.D[1], (R5)(R25)", 2*p-2)
		}
	}
	f.jump("B", "stored")
	f.label("part")
	for p := range m {
		f.op("MOVD R5, R7")
		if nv == 4 {
			f.op("FMOVD.P F%d, 8(R7)", 4*p)
			f.op("VMOV V%d.D[1], R4", 4*p)
		} else {
			f.op("VMOV V%d.D[%d], R4", p/2*4, p%2)
		}
		f.storePartNEON(p)
		f.op("ADD R25, R5, R5")
	}
	f.label("stored")
}

// storePartNEON stores the lowest bytes of R4 from R7 on, R19 modulo 8 of them.
func (f *file) storePartNEON(p int) {
	for bit, move := range []string{"MOVW.P R4, 4(R7)", "MOVH.P R4, 2(R7)", "MOVB R4, (R7)"} {
		bytes := 4 >> bit
		label := fmt.Sprintf("part%d_%d", p, bytes)
		f.jump(fmt.Sprintf("TBZ $%d, R19,", 2-bit), label)
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
