package main

// Fields of vec.lerpCall and lerpX.
const (
	offLDst, offLTop, offLBottom, offLXs = "lerpCall_dst", "lerpCall_top", "lerpCall_bottom", "lerpCall_xs"
	offLN, offLVectors, offLRest         = "lerpCall_n", "lerpCall_vectors", "lerpCall_rest"
	offLFrom, offLTo                     = "lerpCall_from", "lerpCall_to"
	offXFrom, offXTo, lerpXSize          = "lerpX_from", "lerpX_to", "lerpX__size"
)

// lerpNEON writes the mixture of four pixels: the weights stand in V0 to V3, the
// pixels in R10 to R13; whole vectors of channels, then one by one.
func lerpNEON() []byte {
	f := newFile("arm64")
	f.fn("lerpF32NEON", 8)
	f.op("MOVD c+0(FP), R0")
	f.field(offLDst, "R1")
	f.field(offLTop, "R2")
	f.field(offLBottom, "R3")
	f.field(offLXs, "R9")
	f.field(offLN, "R8")
	f.op("FMOVS %s(R0), F6", offLFrom)
	f.op("FMOVS %s(R0), F7", offLTo)
	f.label("pixel")
	f.op("FMOVS %s(R9), F4", offXFrom)
	f.op("FMOVS %s(R9), F5", offXTo)
	for i, share := range []string{"F6", "F7"} {
		f.op("FMULS F4, %s, F%d", share, 2*i)
		f.op("FMULS F5, %s, F%d", share, 2*i+1)
	}
	f.op("LDP (R9), (R4, R5)")
	for i, row := range []string{"R2", "R3"} {
		f.op("ADD R4<<2, %s, R%d", row, 10+2*i)
		f.op("ADD R5<<2, %s, R%d", row, 11+2*i)
	}
	f.mix(offLVectors, "vector", "rest", "VLD1.P 16(R%[1]d), [V%[2]d.S4]", "VST1.P [V20.S4], 16(R1)")
	f.mix(offLRest, "one", "next", "FMOVS.P 4(R%[1]d), F%[2]d", "FMOVS.P F20, 4(R1)")
	f.op("ADD $%s, R9, R9", lerpXSize)
	f.loop("R8", "pixel")
	f.op("RET")
	return f.Bytes()
}

// mix writes a loop over the channels that the field counts.
func (f *file) mix(count, label, after, load, store string) {
	f.field(count, "R4")
	f.jump("CBZ R4,", after)
	f.label(label)
	for i := range 4 {
		f.op(load, 10+i, 16+i)
	}
	f.vx(fmul4sx, 20, 16, 0, 0)
	for i := 1; i < 4; i++ {
		f.vx(fmla4sx, 20, 16+i, i, 0)
	}
	f.op("%s", store)
	f.loop("R4", label)
	f.label(after)
}
