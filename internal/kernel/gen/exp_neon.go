package main

// Registers of the exponential: the constants of vec.expTable in its order, from
// V12 on; below, pairs of vectors that are worked on side by side.
const (
	expLog2e, expMagic, expLn2Hi, expLn2Lo, expLo, expHi, expOne = 12, 13, 14, 15, 16, 17, 18

	expQ6, expMinusZero, expCut, expP4, expEluLo = 19, 24, 25, 26, 31

	firstConstant = 12
	expPolynomial = 4 // coefficients behind the first, of e^r and of tanh
)

// twice writes an instruction for both vectors of the pairs that it names.
func (f *file) twice(i instruction, d, n int, m ...int) {
	for s := range 2 {
		of := func(r int) int {
			if r < firstConstant {
				return r + s
			}
			return r
		}
		if len(m) == 0 {
			f.v(i, of(d), of(n))
			continue
		}
		f.v(i, of(d), of(n), of(m[0]))
	}
}

// expNEON writes the routines of exp.go on blocks of eight floats: the same
// operations in the same order as the portable ones, so the same bits.
func expNEON() []byte {
	f := newFile("arm64")
	f.expRoutine()
	f.topRoutine()
	f.byTable("logisticF32NEON", 0, func() {
		f.twice(fneg4s, 0, 0)
		f.exponential()
		f.twice(fadd4s, 0, 0, expOne)
		f.twice(fdiv4s, 0, expOne, 0)
	}, func() {})
	// tanh needs a two, and not elu's bound.
	f.byTable("tanhF32NEON", 8, f.tanh, func() { f.v(fadd4s, expEluLo, expOne, expOne) })
	f.byTable("eluF32NEON", 8, f.elu, func() { f.op("VMOV V%d.B16, V%d.B16", expEluLo, expLo) })
	return f.Bytes()
}

// constants loads the table at register base.
func (f *file) constants(base string, n int) {
	for i := range n {
		f.op("FMOVQ %d(%s), F%d", 32*i, base, firstConstant+i)
	}
}

// byTable writes a routine whose operand is loaded into the pair from first on
// and whose result op leaves in V0 and V1.
func (f *file) byTable(name string, first int, op, before func()) {
	f.fn(name, 32)
	f.args("dst", "src", "blocks", "table")
	f.constants("R3", 20)
	before()
	f.label("block")
	f.op("VLD1.P 32(R1), %s", vectors(first, 2, "S4"))
	op()
	f.op("VST1.P [V0.S4, V1.S4], 32(R0)")
	f.loop("R2", "block")
	f.op("RET")
}

// expRoutine sums in V8 and V9.
func (f *file) expRoutine() {
	f.fn("expF32NEON", 48)
	f.args("dst", "src", "blocks", "table")
	f.constants("R3", expMinusZero-firstConstant)
	f.dupArg("minus", 32, 24)
	f.dupArg("times", 36, 25)
	f.op("MOVD sums+40(FP), R4")
	f.op("VLD1 (R4), [V8.S4, V9.S4]")
	f.label("block")
	f.op("VLD1.P 32(R1), [V0.S4, V1.S4]")
	f.twice(fsub4s, 0, 0, 24)
	f.twice(fmul4s, 0, 0, 25)
	f.exponential()
	f.twice(fadd4s, 8, 8, 0)
	f.op("VST1.P [V0.S4, V1.S4], 32(R0)")
	f.loop("R2", "block")
	f.op("VST1 [V8.S4, V9.S4], (R4)")
	f.op("RET")
}

// topRoutine takes what is greater: a NaN never is.
func (f *file) topRoutine() {
	f.fn("topF32NEON", 24)
	f.args("src", "blocks", "tops")
	f.dupWord(minusInf, 0)
	f.dupWord(minusInf, 1)
	f.label("block")
	f.op("VLD1.P 32(R0), [V2.S4, V3.S4]")
	f.twice(fcmgt4s, 4, 2, 0)
	f.where(4, 2, 0)
	f.where(5, 3, 1)
	f.loop("R1", "block")
	f.op("VST1 [V0.S4, V1.S4], (R2)")
	f.op("RET")
}

// reduced leaves n in V2 and e^r-1 in V0, from x in V0; it uses V4 and V6.
func (f *file) reduced() {
	f.twice(fmax4s, 0, 0, expLo)
	f.twice(fmin4s, 0, 0, expHi)
	f.twice(fmul4s, 2, 0, expLog2e)
	f.twice(fadd4s, 2, 2, expMagic)
	f.twice(fsub4s, 4, 2, expMagic)
	f.twice(sub4s, 2, 2, expMagic)
	for _, part := range []int{expLn2Hi, expLn2Lo} {
		f.twice(fmul4s, 6, 4, part)
		f.twice(fsub4s, 0, 0, 6)
	}
	f.polynomial(4, 0, expQ6)
	f.twice(fmul4s, 6, 0, 0)
	f.twice(fmul4s, 4, 4, 6)
	f.twice(fadd4s, 0, 4, 0)
}

// polynomial computes in d the polynomial of x whose coefficients stand from
// constant first on, the highest power's first.
func (f *file) polynomial(d, x, first int) {
	f.twice(fmul4s, d, x, first)
	for i := 1; i < expPolynomial; i++ {
		f.twice(fadd4s, d, d, first+i)
		f.twice(fmul4s, d, d, x)
	}
	f.twice(fadd4s, d, d, first+expPolynomial)
}

// exponential is e^x of V0, in place: the power of two in two halves.
func (f *file) exponential() {
	f.reduced()
	f.twice(fadd4s, 0, 0, expOne)
	f.twice(sshr1, 4, 2)
	f.twice(sub4s, 2, 2, 4)
	for _, power := range []int{2, 4} {
		f.twice(shl23, power, power)
		f.twice(add4s, power, power, expOne)
	}
	f.twice(fmul4s, 0, 0, 2)
	f.twice(fmul4s, 0, 0, 4)
}

// tanh: x stands in V8, |x| in V10.
func (f *file) tanh() {
	f.twice(fabs4s, 10, 8)
	f.twice(fadd4s, 0, 10, 10)
	f.exponential()
	f.twice(fadd4s, 0, 0, expOne)
	f.twice(fdiv4s, 0, expEluLo, 0)
	f.twice(fsub4s, 0, expOne, 0)
	f.twice(fmul4s, 2, 10, 10)
	f.polynomial(4, 2, expP4)
	f.twice(fmul4s, 6, 10, 2)
	f.twice(fmul4s, 6, 6, 4)
	f.twice(fadd4s, 6, 6, 10)
	f.twice(fcmgt4s, 2, expCut, 10)
	for s := range 2 {
		f.where(2+s, 6+s, s)
		f.op("VAND V%d.B16, V%d.B16, V%d.B16", expMinusZero, 8+s, 8+s)
		f.op("VORR V%d.B16, V%d.B16, V%d.B16", 8+s, s, s)
	}
}

// elu: x stands in V8; where it is not negative, it stays.
func (f *file) elu() {
	for s := range 2 {
		f.op("VMOV V%d.B16, V%d.B16", 8+s, s)
	}
	f.reduced()
	f.twice(shl23, 2, 2)
	f.twice(add4s, 2, 2, expOne)
	f.twice(fmul4s, 0, 0, 2)
	f.twice(fsub4s, 4, 2, expOne)
	f.twice(fadd4s, 0, 0, 4)
	f.twice(fcmgt4s, 6, expMinusZero, 8)
	for s := range 2 {
		f.unless(6+s, 8+s, s)
	}
}
