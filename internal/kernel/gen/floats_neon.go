package main

// Instructions on floats, on whole vectors; a 2 at the end of the name: of the
// upper half.
var (
	fdiv4s     = instruction{0x6E20FC00, "fdiv v%d.4s, v%d.4s, v%d.4s"}
	fcmge4s    = instruction{0x6E20E400, "fcmge v%d.4s, v%d.4s, v%d.4s"}
	fmaxnm4s   = instruction{0x4E20C400, "fmaxnm v%d.4s, v%d.4s, v%d.4s"}
	fabs4s     = instruction{0x4EA0F800, "fabs v%d.4s, v%d.4s"}
	fneg4s     = instruction{0x6EA0F800, "fneg v%d.4s, v%d.4s"}
	scvtf4s    = instruction{0x4E21D800, "scvtf v%d.4s, v%d.4s"}
	fcvtzs4s   = instruction{0x4EA1B800, "fcvtzs v%d.4s, v%d.4s"}
	fcvtl2d    = instruction{0x0E617800, "fcvtl v%d.2d, v%d.2s"}
	fcvtl2d2   = instruction{0x4E617800, "fcvtl2 v%d.2d, v%d.4s"}
	fcvtn2s    = instruction{0x0E616800, "fcvtn v%d.2s, v%d.2d"}
	fcvtn2s2   = instruction{0x4E616800, "fcvtn2 v%d.4s, v%d.2d"}
	fadd2d     = instruction{0x4E60D400, "fadd v%d.2d, v%d.2d, v%d.2d"}
	fdiv2d     = instruction{0x6E60FC00, "fdiv v%d.2d, v%d.2d, v%d.2d"}
	frinta2d   = instruction{0x6E618800, "frinta v%d.2d, v%d.2d"}
	sub4s      = instruction{0x6EA08400, "sub v%d.4s, v%d.4s, v%d.4s"}
	shl23      = instruction{0x4F375400, "shl v%d.4s, v%d.4s, #23"}
	sshr1      = instruction{0x4F3F0400, "sshr v%d.4s, v%d.4s, #1"}
	minusInf   = uint32(0xFF800000)
	floatSix   = uint32(0x40C00000)
	floatThree = uint32(0x40400000)
)

// args loads the pointers and counts of a routine into R0, R1 and so on.
func (f *file) args(names ...string) {
	for i, name := range names {
		f.op("MOVD %s+%d(FP), R%d", name, 8*i, i)
	}
}

// dupArg loads a float32 argument into all lanes of a vector.
func (f *file) dupArg(name string, at, vector int) {
	f.op("FMOVS %s+%d(FP), F%d", name, at, vector)
	f.op("VDUP V%d.S[0], V%d.S4", vector, vector)
}

// dupWord puts the bits of a number into all lanes of a vector.
func (f *file) dupWord(bits uint32, vector int) {
	f.op("MOVD $0x%X, R9", bits)
	f.op("VDUP R9, V%d.S4", vector)
}

// where takes the lanes of src into dst whose mask is set.
func (f *file) where(mask, src, dst int) {
	f.op("VBIT V%d.B16, V%d.B16, V%d.B16", mask, src, dst)
}

// unless takes the lanes of src into dst whose mask is not set.
func (f *file) unless(mask, src, dst int) {
	f.op("VBIF V%d.B16, V%d.B16, V%d.B16", mask, src, dst)
}

// clamp bounds d by comparisons, as the portable loops do: what is no number
// stays, and so does a zero's sign, which FMAX would change.
func (f *file) clamp(d, lo, hi, scratch int) {
	f.v(fcmgt4s, scratch, lo, d)
	f.where(scratch, lo, d)
	f.v(fcmgt4s, scratch, d, hi)
	f.where(scratch, hi, d)
}

// rowsF32NEON writes the routines of pointwise.go, on blocks of eight floats.
func rowsF32NEON() []byte {
	f := newFile("arm64")
	f.rows("clampF32NEON", 32, func() { f.dupArg("lo", 24, 30); f.dupArg("hi", 28, 31) },
		func(d int) { f.clamp(d, 30, 31, 2+d) })
	f.rows("hardSwishF32NEON", 24, func() { f.dupWord(floatThree, 29); f.dupWord(floatSix, 30); f.dupWord(0, 31) }, f.hardSwish)
	f.rows("leakyReluF32NEON", 28, func() { f.dupArg("alpha", 24, 30); f.dupWord(0, 31) }, func(d int) {
		f.v(fmul4s, 2+d, d, 30)
		f.v(fcmgt4s, 4+d, d, 31)
		f.unless(4+d, 2+d, d)
	})
	f.rows("scaleF32NEON", 28, func() { f.dupArg("factor", 24, 30) }, func(d int) { f.v(fmul4s, d, d, 30) })
	f.pairs("addPairNEON", func(d int) { f.v(fadd4s, d, d, 2+d) })
	f.pairs("subPairNEON", func(d int) { f.v(fsub4s, d, d, 2+d) })
	f.pairs("mulPairNEON", func(d int) { f.v(fmul4s, d, d, 2+d) })
	f.pairs("divPairNEON", func(d int) { f.v(fdiv4s, d, d, 2+d) })
	f.pairs("maxPairNEON", func(d int) { f.v(fcmgt4s, 4+d, d, 2+d); f.unless(4+d, 2+d, d) })
	f.pairs("minPairNEON", func(d int) { f.v(fcmgt4s, 4+d, 2+d, d); f.unless(4+d, 2+d, d) })
	f.pairs("preluPairNEON", func(d int) {
		f.v(fmul4s, 2+d, d, 2+d)
		f.v(fcmge4s, 4+d, d, 29)
		f.unless(4+d, 2+d, d)
	})
	f.pairs("squaredDiffersNEON", func(d int) { f.v(fsub4s, d, d, 2+d); f.v(fmul4s, d, d, d) })
	return f.Bytes()
}

func (f *file) hardSwish(d int) {
	f.v(fadd4s, 2+d, d, 29)
	f.v(fmax4s, 2+d, 2+d, 31)
	f.v(fmin4s, 2+d, 2+d, 30)
	f.v(fmul4s, d, d, 2+d)
	f.v(fdiv4s, d, d, 30)
}

// rows writes a routine of one operand; op works on vector d, 0 or 1, and has
// 2+d, 4+d and so on for itself.
func (f *file) rows(name string, argBytes int, constants func(), op func(d int)) {
	f.fn(name, argBytes)
	f.args("dst", "src", "blocks")
	constants()
	f.label("block")
	f.op("VLD1.P 32(R1), [V0.S4, V1.S4]")
	op(0)
	op(1)
	f.op("VST1.P [V0.S4, V1.S4], 32(R0)")
	f.loop("R2", "block")
	f.op("RET")
}

// pairs writes a routine of two operands, x in d and y in 2+d, whose result is
// clamped. V29 is zero.
func (f *file) pairs(name string, op func(d int)) {
	f.fn(name, 40)
	f.args("dst", "x", "y", "blocks")
	f.dupArg("lo", 32, 30)
	f.dupArg("hi", 36, 31)
	f.dupWord(0, 29)
	f.label("block")
	f.op("VLD1.P 32(R1), [V0.S4, V1.S4]")
	f.op("VLD1.P 32(R2), [V2.S4, V3.S4]")
	for d := range 2 {
		op(d)
		f.clamp(d, 30, 31, 4+d)
	}
	f.op("VST1.P [V0.S4, V1.S4], 32(R0)")
	f.loop("R3", "block")
	f.op("RET")
}

// sumF32NEON writes the routine of sum_f32.go: the sums of 16 columns stand in
// V0 to V7 over all rows, then those of four in V0 and V1; stride counts bytes.
func sumF32NEON() []byte {
	f := newFile("arm64")
	f.fn("sumRowsF32NEON", 40)
	f.args("acc", "src", "blocks", "rows", "stride")
	f.op("LSR $2, R2, R5")
	f.op("AND $3, R2, R2")
	f.columns("wide", "rest", "R5", 4)
	f.columns("narrow", "done", "R2", 1)
	f.op("RET")
	return f.Bytes()
}

// columns sums n vectors of four columns at a time.
func (f *file) columns(label, after, count string, n int) {
	f.jump("CBZ "+count+",", after)
	f.label(label)
	f.op("MOVD R0, R6")
	for i := range n {
		f.op("VLD1.P 32(R6), %s", vectors(2*i, 2, "D2"))
	}
	f.op("MOVD R1, R7")
	f.op("MOVD R3, R8")
	f.label(label + "row")
	f.op("VLD1 (R7), %s", vectors(16, n, "S4"))
	f.op("ADD R4, R7, R7")
	for i := range n {
		f.v(fcvtl2d, 20+2*i, 16+i)
		f.v(fcvtl2d2, 21+2*i, 16+i)
		f.v(fadd2d, 2*i, 2*i, 20+2*i)
		f.v(fadd2d, 2*i+1, 2*i+1, 21+2*i)
	}
	f.loop("R8", label+"row")
	for i := range n {
		f.op("VST1.P %s, 32(R0)", vectors(2*i, 2, "D2"))
	}
	f.op("ADD $%d, R1", 16*n)
	f.loop(count, label)
	f.label(after)
}
