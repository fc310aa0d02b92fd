package main

var mulNEON = []mulShape{{1, neonMaxM}, {2, neonMaxM}}

func winogradMulsNEON() []byte {
	f := newFile("arm64")
	for _, s := range mulNEON {
		for m := 1; m <= s.most; m++ {
			winogradMulNEON(f, mulName("NEON", m, s.nv), m, s.nv)
		}
	}
	return f.Bytes()
}

// winogradMulNEON writes one routine of products, with the inner loop of the
// direct convolution. R14 is the group's first tile, R21 where the block's
// channels start, R22 its products, R26 how far the weights have moved.
func winogradMulNEON(f *file, name string, m, nv int) {
	f.fn(name, 8)
	f.op("MOVD c+0(FP), R0")
	f.field(offMVTile, "R13")
	f.field(offMMTile, "R23")
	f.field(offMKC, "R16")
	f.op("MOVD $%d, R4", 16*nv)
	f.op("MUL R4, R16, R25") // weights of a block
	f.op("MOVD $%d, R4", m)
	f.op("MUL R4, R13, R24") // sources of a group
	f.op("LSR $3, R16, R15")
	f.op("MOVD ZR, R26")
	f.label("plane")
	f.op("MOVD ZR, R21")
	f.field(offMBlocks, "R20")
	f.label("block")
	f.fieldSum(offMV, offMVAt, "R14", "R4")
	f.fieldSum(offMM, offMMAt, "R22", "R4")
	f.op("ADD R21, R22, R22")
	f.field(offMTiles, "R19")
	f.label("tiles")
	f.mulTilesNEON(m, nv)
	f.loop("R19", "tiles")
	f.op("ADD R25, R26, R26")
	f.op("ADD $%d, R21, R21", 16*nv)
	f.loop("R20", "block")
	f.advance(offMVAt, offMVPlane)
	f.advance(offMMAt, offMMPlane)
	f.fieldLoop(offMPlanes, "plane")
	f.op("RET")
}

// mulTilesNEON computes one group of tiles and moves on.
func (f *file) mulTilesNEON(m, nv int) {
	f.field(offMW, "R1")
	f.op("ADD R26, R1, R1")
	f.op("MOVD R14, R5")
	for p := 1; p < m; p++ {
		f.op("ADD R13, %s, %s", neonPointer(p-1), neonPointer(p))
	}
	for i := range m * nv {
		f.op("VEOR V%d.B16, V%d.B16, V%d.B16", i, i, i)
	}
	f.multiplyNEON(m, nv)
	for p := range m {
		f.op("VST1.P %s, (R22)(R23)", vectors(p*nv, nv, "S4"))
	}
	f.op("ADD R24, R14, R14")
}
