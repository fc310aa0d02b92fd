package main

// pixelLoop is a routine that takes each pixel in pieces: the first tap of each is
// loaded into the vectors from V0 on, and raise joins the others, from V4 on.
type pixelLoop struct {
	src       string // the source's name
	constants []pixelConstant
	vectors   int    // of a piece
	lanes     string // in which they are loaded
	raise     func(d, s int)
	finish    func() // turns the piece into results, from V0 on
	store     string // what stores them at R7
	bytes     int    // of a piece's results
	dst       string // ADD's operand: the size of a pixel's results, from c in R3
}

// pixelConstant is an argument of 32 bits that all lanes of a vector hold.
type pixelConstant struct {
	name   string
	vector int
}

// Registers of the averages.
const averageLo, averageHi, averageBy, averageHalf, averageSign = 26, 27, 28, 29, 31

// pixelsNEON writes the routines of max_pixels.go and average.go.
func pixelsNEON() []byte {
	f := newFile("arm64")
	bytes := func(i instruction) pixelLoop {
		return pixelLoop{"src", nil, 1, "B16", func(d, s int) { f.v(i, d, d, s) }, func() {}, "VST1.P [V0.B16], 16(R7)", 16, "R3"}
	}
	f.pixels("maxPixelsI8NEON", 56, bytes(smax16b))
	f.pixels("maxPixelsU8NEON", 56, bytes(umax16b))
	floats := bytes(smax16b)
	floats.lanes, floats.raise = "S4", func(d, s int) { f.v(fcmgt4s, 16, s, d); f.where(16, s, d) }
	f.pixels("maxPixelsF32NEON", 56, floats)
	f.pixels("averageBytesNEON", 72, pixelLoop{"acc",
		[]pixelConstant{{"inverse", averageBy}, {"half", averageHalf}, {"lo", averageLo}, {"hi", averageHi}},
		2, "S4", func(d, s int) { f.v(add4s, d, d, s) }, f.averageOfBytes, "VST1.P [V0.B8], 8(R7)", 8, "R3"})
	f.pixels("averageF32NEON", 68, pixelLoop{"acc",
		[]pixelConstant{{"count", averageBy}, {"lo", averageLo}, {"hi", averageHi}},
		2, "S4", func(d, s int) { f.v(fadd4s, d, d, s) }, f.averageOfFloats, "VST1.P [V0.S4, V1.S4], 32(R7)", 8, "R3<<2"})
	return f.Bytes()
}

// averageOfBytes: half away from zero is to add the half with the sum's sign and
// to drop the fraction.
func (f *file) averageOfBytes() {
	for d := range 2 {
		f.v(scvtf4s, d, d)
		f.op("VMOV V%d.B16, V%d.B16", averageHalf, 2+d)
		f.where(averageSign, d, 2+d)
		f.v(fadd4s, d, d, 2+d)
		f.v(fmul4s, d, d, averageBy)
		f.v(fcvtzs4s, d, d)
		f.v(smax4s, d, d, averageLo)
		f.v(smin4s, d, d, averageHi)
	}
	f.v(xtn4h, 0, 0)
	f.v(xtn8h2, 0, 1)
	f.v(xtn8b, 0, 0)
}

// averageOfFloats: FMAX and FMIN are Go's max and min.
func (f *file) averageOfFloats() {
	for d := range 2 {
		f.v(fdiv4s, d, d, averageBy)
		f.v(fmax4s, d, d, averageLo)
		f.v(fmin4s, d, d, averageHi)
	}
}

// pixels writes one routine. Steps and taps are in bytes.
func (f *file) pixels(name string, argBytes int, p pixelLoop) {
	f.fn(name, argBytes)
	f.args("dst", p.src, "n", "c", "step", "tap", "k")
	for i, r := range p.constants {
		f.dupArg(r.name, 56+4*i, r.vector)
	}
	f.dupWord(1<<31, averageSign)
	f.label("pixel")
	f.op("MOVD R0, R7")
	f.op("MOVD R1, R8")
	f.op("MOVD R3, R10")
	f.label("piece")
	f.op("VLD1 (R8), %s", vectors(0, p.vectors, p.lanes))
	f.op("MOVD R8, R11")
	f.op("SUB $1, R6, R12")
	f.jump("CBZ R12,", "raised")
	f.label("more")
	f.op("ADD R5, R11, R11")
	f.op("VLD1 (R11), %s", vectors(4, p.vectors, p.lanes))
	for d := range p.vectors {
		p.raise(d, 4+d)
	}
	f.loop("R12", "more")
	f.label("raised")
	p.finish()
	f.op("%s", p.store)
	f.op("ADD $%d, R8", 16*p.vectors)
	f.op("SUBS $%d, R10, R10", p.bytes)
	f.jump("BGT", "piece")
	f.op("ADD %s, R0, R0", p.dst)
	f.op("ADD R4, R1, R1")
	f.loop("R2", "pixel")
	f.op("RET")
}
