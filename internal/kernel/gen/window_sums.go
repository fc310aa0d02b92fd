package main

// Fields of conv.windowCall.
const (
	offWinSrc, offWinDst, offWinTaps, offWinNTaps = "windowCall_src", "windowCall_dst", "windowCall_taps", "windowCall_ntaps"
	offWinStride, offWinCount, offWinChunks       = "windowCall_stride", "windowCall_count", "windowCall_chunks"
	offWinTail, offWinFactor, offWinFlip          = "windowCall_tail", "windowCall_factor", "windowCall_flip"
	offWinRest                                    = "windowCall_rest"
)

// offSums is a field of conv.convCallI8.
const offSums = "@sums"

// addSumsVNNI adds to every pixel's sums its element of conv.windowSums, if
// there are any, and jumps to the taps.
func (f *file) addSumsVNNI(m, nv int) {
	f.op("MOVQ %s(R8), AX; TESTQ AX, AX; JZ %s_tap", offSums, f.tag)
	f.op("ADDQ %s(R8), AX; ADDQ $%d, %s(R8)", offResAt, 4*m, offResAt)
	for i := range m * nv {
		f.op("VPADDD.BCST %d(AX), Z%d, Z%d", i/nv*4, i, i)
	}
}

// windowSumsAVX512 writes the routine of conv.windowSums: chunks of 64 bytes,
// the last one masked by K1, of activations that are unsigned here.
//
//	Z0 zero   Z3 sums   Z4 scratch
func windowSumsAVX512() []byte {
	f := newFile("amd64")
	f.fn("windowSumsAVX512", 8)
	f.op("MOVQ c+0(FP), R8; MOVQ %s(R8), SI; MOVQ %s(R8), DI; MOVQ %s(R8), BX", offWinSrc, offWinDst, offWinStride)
	f.op("MOVQ %s(R8), CX; MOVQ %s(R8), DX; MOVL %s(R8), R12", offWinCount, offWinChunks, offWinFactor)
	f.op("MOVQ %s(R8), R9; MOVQ %s(R8), R13; KMOVQ %s(R8), K1; VPXORQ Z0, Z0, Z0", offWinTaps, offWinNTaps, offWinTail)
	last := func(more string) {
		f.op("VMOVDQU8.Z (SI)(AX*1), K1, Z4; VPSADBW Z0, Z4, Z4; VPADDQ Z4, Z3, Z3; DECQ R10; JNZ %s_%s", f.tag, more)
	}
	f.label("pixel")
	f.op("MOVQ R13, R10; VPXORQ Z3, Z3, Z3; TESTQ DX, DX; JNZ %s_tap", f.tag)
	f.label("short")
	f.op("MOVQ -8(R9)(R10*8), AX")
	last("short")
	f.label("summed")
	f.op("VEXTRACTI64X4 $1, Z3, Y4; VPADDQ Y4, Y3, Y3; VEXTRACTI128 $1, Y3, X4; VPADDQ X4, X3, X3; VPSRLDQ $8, X3, X4; VPADDQ X4, X3, X3")
	f.op("VMOVD X3, AX; IMULL R12, AX; MOVL AX, (DI); ADDQ $4, DI; ADDQ BX, SI; DECQ CX; JNZ %s_pixel", f.tag)
	f.op("VZEROUPPER; RET")
	f.label("tap")
	f.op("MOVQ -8(R9)(R10*8), AX; MOVQ DX, R11")
	f.label("chunk")
	f.op("VPSADBW (SI)(AX*1), Z0, Z4; VPADDQ Z4, Z3, Z3; ADDQ $64, AX; DECQ R11; JNZ %s_chunk", f.tag)
	last("tap")
	f.op("JMP %s_summed", f.tag)
	return f.Bytes()
}

// addSumsNEON is addSumsVNNI for NEON.
func (f *file) addSumsNEON(m, nv int) {
	const sum = 28
	f.field(offSums, "R4")
	f.jump("CBZ R4,", "summed")
	f.field(offResAt, "R5")
	f.op("ADD R5, R4, R4")
	f.op("ADD $%d, R5, R5", 4*m)
	f.op("MOVD R5, %s(R0)", offResAt)
	for p := range m {
		f.op("VLD1R.P 4(R4), [V%d.S4]", sum)
		for j := range nv {
			f.op("VADD V%d.S4, V%d.S4, V%d.S4", sum, p*nv+j, p*nv+j)
		}
	}
	f.label("summed")
}

// windowSumsNEON is windowSumsAVX512 in chunks of 16 bytes.
//
//	V0 sums   V1 flip   V2 which bytes of the last chunk count   V3 scratch
func windowSumsNEON() []byte {
	f := newFile("arm64")
	f.fn("windowSumsSIMD", 8)
	f.op("MOVD c+0(FP), R0")
	f.field(offWinSrc, "R1")
	f.field(offWinDst, "R2")
	f.field(offWinStride, "R3")
	f.field(offWinCount, "R6")
	f.field(offWinChunks, "R7")
	f.op("MOVW %s(R0), R8", offWinFactor)
	f.op("ADD $%s, R0, R9", offWinFlip)
	f.op("VLD1R (R9), [V1.B16]")
	f.op("ADD $%s, R0, R9", offWinRest)
	f.op("VLD1 (R9), [V2.B16]")
	f.label("pixel")
	f.field(offWinTaps, "R9")
	f.field(offWinNTaps, "R10")
	f.op("VEOR V0.B16, V0.B16, V0.B16")
	f.label("tap")
	f.op("MOVD.P 8(R9), R11")
	f.op("ADD R1, R11, R11")
	f.op("MOVD R7, R12")
	f.jump("CBZ R12,", "tail")
	f.label("chunk")
	f.addChunkNEON(false)
	f.loop("R12", "chunk")
	f.label("tail")
	f.addChunkNEON(true)
	f.loop("R10", "tap")
	f.op("VADDV V0.S4, V0")
	f.op("VMOV V0.S[0], R12")
	f.op("MULW R8, R12, R12")
	f.op("MOVW.P R12, 4(R2)")
	f.op("ADD R3, R1, R1")
	f.loop("R6", "pixel")
	f.op("RET")
	return f.Bytes()
}

func (f *file) addChunkNEON(last bool) {
	f.op("VLD1.P 16(R11), [V3.B16]")
	f.op("VEOR V1.B16, V3.B16, V3.B16")
	if last {
		f.op("VAND V2.B16, V3.B16, V3.B16")
	}
	f.v(uaddlp8h, 3, 3)
	f.v(uadalp4s, 0, 3)
}
