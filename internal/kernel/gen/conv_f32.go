package main

import "fmt"

// Fields of conv.convCall.
const (
	offSrc, offDst, offW, offBias, offRes, offTaps = "@src", "@dst", "@w", "@bias", "@res", "@taps"
	offNTaps, offKC                                = "@ntaps", "@kc"
	offSrcStride, offDstStride, offResStride       = "@srcStride", "@dstStride", "@resStride"
	offLo, offHi, offMask                          = "@lo", "@hi", "@mask"
	offTiles, offSrcStep, offDstStep, offResStep   = "(@tileSteps+tileSteps_tiles)", "(@tileSteps+tileSteps_srcStep)", "(@tileSteps+tileSteps_dstStep)", "(@tileSteps+tileSteps_resStep)"
	offAhead, offAheadAt, offPiece, offPerPass     = "(@weightsAhead+weightsAhead_from)", "(@weightsAhead+weightsAhead_fromAt)", "(@weightsAhead+weightsAhead_piece)", "(@weightsAhead+weightsAhead_perPass)"
	offSrcAt, offDstAt, offResAt                   = "(@tileSteps+tileSteps_srcAt)", "(@tileSteps+tileSteps_dstAt)", "(@tileSteps+tileSteps_resAt)"
)

// simd is what a float32 convolution routine needs to know of its vectors.
type simd struct {
	reg   string // register letter
	move  string // instruction that moves a vector of integers
	bytes int    // of one vector
	w     [2]int // registers of the weights, later of lo and hi
	a     [2]int // registers of the broadcast activations, in turn
}

var (
	avx512 = simd{"Z", "VMOVDQU32", 64, [2]int{28, 29}, [2]int{30, 31}}
	avx2   = simd{"Y", "VMOVDQU", 32, [2]int{12, 13}, [2]int{14, 15}}
)

var bases = [...]string{"AX", "R11", "R12", "R13"}

// pixel is the address of pixel m's current activation: four pixels share a
// base register and reach each other by the stride in BX and three times it in DI.
func pixel(m int) string {
	return "(" + bases[m/4] + ")" + [...]string{"", "(BX*1)", "(BX*2)", "(DI*1)"}[m%4]
}

// unrolled is how many input channels a pass of AVX2's loop takes. Its twelve
// sums leave three instructions in twenty-five to counting and moving on, which
// a core that shares its front end pays for; AVX-512's twenty-eight hide them.
const unrolled = 4

func convF32AVX512() []byte {
	f := newFile("amd64")
	for _, nv := range []int{2, 1} {
		for m := 1; m <= 14; m++ {
			convF32(f, fmt.Sprintf("convF32x%dx%dAVX512", m, nv*16), avx512, m, nv)
		}
	}
	return f.Bytes()
}

// Routines of one vector take more pixels on AVX2: fewer sums than the latency
// of an addition would wait for each other.
const f32MostX2, f32MostX1 = 6, 12

func convF32AVX2() []byte {
	f := newFile("amd64")
	for m := 1; m <= f32MostX2; m++ {
		convF32(f, fmt.Sprintf("convF32x%dx16AVX2", m), avx2, m, 2)
	}
	for m := 1; m <= f32MostX1; m++ {
		convF32(f, fmt.Sprintf("convF32x%dx8AVX2", m), avx2, m, 1)
	}
	return f.Bytes()
}

// convF32 writes one direct convolution routine: m pixels, nv vectors of
// output channels, all accumulators in registers.
func convF32(f *file, name string, v simd, m, nv int) {
	f.fn(name, 8)
	f.op("MOVQ c+0(FP), R8")
	f.label("tile")
	f.op("MOVQ %s(R8), SI; MOVQ %s(R8), DX; MOVQ %s(R8), R9; MOVQ %s(R8), R10", offSrc, offW, offTaps, offNTaps)
	f.op("ADDQ %s(R8), SI; MOVQ %s(R8), BX; LEAQ (BX)(BX*2), DI; MOVQ %s(R8), R15", offSrcAt, offSrcStride, offBias)
	// Narrow tiles have no time for it.
	fetches := nv == 2 && m >= map[string]int{"Y": 5, "Z": 8}[v.reg]
	if fetches {
		f.beginAhead()
	}
	for j := range nv {
		f.op("VMOVUPS %d(R15), %s%d", v.bytes*j, v.reg, j)
	}
	for i := nv; i < m*nv; i++ {
		f.op("VMOVAPS %s%d, %s%d", v.reg, i%nv, v.reg, i)
	}
	f.label("tap")
	f.op("MOVQ (R9), AX; ADDQ $8, R9; ADDQ SI, AX; MOVQ %s(R8), CX", offKC)
	nb := (m + 3) / 4
	for i := 1; i < nb; i++ {
		f.op("LEAQ (%s)(BX*4), %s", bases[i-1], bases[i])
	}
	if v.reg == "Y" {
		f.op("SUBQ $%d, CX; JCS %s_rest", unrolled, name)
		f.label("pass")
		if fetches {
			f.fetchAhead()
		}
		channelsF32(f, v, m, nv, unrolled)
		f.op("SUBQ $%d, CX; JCC %s_pass", unrolled, name)
		f.label("rest")
		f.op("ADDQ $%d, CX; JEQ %s_taken", unrolled, name)
	}
	f.label("k")
	if fetches && v.reg == "Z" {
		f.fetchAhead()
	}
	channelsF32(f, v, m, nv, 1)
	f.op("DECQ CX; JNZ %s_k", name)
	if v.reg == "Y" {
		f.label("taken")
	}
	f.op("DECQ R10; JNZ %s_tap", name)
	finishF32(f, v, m, nv, fetches)
}

// beginAhead readies R14 for fetchAhead, which fetches two lines of the weights that
// come next, with every pass; endAhead goes on behind the tile's.
func (f *file) beginAhead() { f.op("MOVQ %s(R8), R14; ADDQ %s(R8), R14", offAhead, offAheadAt) }
func (f *file) fetchAhead() {
	f.op("PREFETCHT1 (R14); PREFETCHT1 64(R14); ADDQ %s(R8), R14", offPerPass)
}
func (f *file) endAhead() { f.op("MOVQ %s(R8), AX; ADDQ AX, %s(R8)", offPiece, offAheadAt) }

// channelsF32 adds the products of n input channels, and moves on behind them.
func channelsF32(f *file, v simd, m, nv, n int) {
	for k := range n {
		for j := range nv {
			f.op("VMOVUPS %d(DX), %s%d", v.bytes*(nv*k+j), v.reg, v.w[j])
		}
		for p := range m {
			a := v.a[p%2]
			s := fmt.Sprintf("VBROADCASTSS %s%s, %s%d", at(4*k), pixel(p), v.reg, a)
			for j := range nv {
				s += fmt.Sprintf("; VFMADD231PS %s%d, %s%d, %s%d", v.reg, v.w[j], v.reg, a, v.reg, p*nv+j)
			}
			f.op("%s", s)
		}
	}
	f.op("ADDQ $%d, DX", v.bytes*nv*n)
	for i := range (m + 3) / 4 {
		f.op("ADDQ $%d, %s", 4*n, bases[i])
	}
}

// at is a displacement in an address, where there is one.
func at(bytes int) string {
	if bytes == 0 {
		return ""
	}
	return fmt.Sprint(bytes)
}

// finishF32 adds the residual, clamps and stores.
func finishF32(f *file, v simd, m, nv int, fetches bool) {
	f.op("MOVQ %s(R8), AX; MOVQ %s(R8), BX; MOVQ %s(R8), CX; MOVQ %s(R8), SI", offDst, offDstStride, offRes, offResStride)
	f.op("ADDQ %s(R8), AX; ADDQ %s(R8), CX; MOVQ %s(R8), R15", offDstAt, offResAt, offMask)
	if v.reg == "Y" {
		// Masked stores take a dozen cycles on some CPUs: whole vectors go without.
		f.op("CMPL %d(R15), $0; JEQ %s_partial", v.bytes-4, f.tag)
		storeF32(f, v, m, nv, "whole", v.whole())
		f.op("JMP %s_next", f.tag)
		f.label("partial")
	}
	storeF32(f, v, m, nv, "masked", v.mask(f))
	f.label("next")
	nextTile(f)
	if fetches {
		f.endAhead()
	}
	f.op("MOVQ %s(R8), AX; ADDQ AX, %s(R8)", offResStep, offResAt)
	moreTiles(f)
}

// storeF32 is finishF32 for one way to access the last vector of a pixel.
func storeF32(f *file, v simd, m, nv int, way string, last masked) {
	f.op("CMPQ %s(R8), $0; JEQ %s_clamp_%s", offRes, f.tag, way)
	for p := range m {
		for j := range nv {
			if j == nv-1 {
				f.op(last.load, v.bytes*j, v.a[1])
			} else {
				f.op("VMOVUPS %d(CX), %s%d", v.bytes*j, v.reg, v.a[1])
			}
			f.op("VADDPS %s%d, %s%d, %s%d", v.reg, v.a[1], v.reg, p*nv+j, v.reg, p*nv+j)
		}
		f.op("ADDQ SI, CX")
	}
	f.label("clamp_" + way)
	f.op("VBROADCASTSS %s(R8), %s%d; VBROADCASTSS %s(R8), %s%d", offLo, v.reg, v.w[0], offHi, v.reg, v.w[1])
	for i := range m * nv {
		f.op("VMAXPS %s%d, %s%d, %s%d; VMINPS %s%d, %s%d, %s%d", v.reg, v.w[0], v.reg, i, v.reg, i, v.reg, v.w[1], v.reg, i, v.reg, i)
	}
	for p := range m {
		for j := range nv {
			if j == nv-1 {
				f.op(last.store, p*nv+j, v.bytes*j)
			} else {
				f.op("VMOVUPS %s%d, %d(AX)", v.reg, p*nv+j, v.bytes*j)
			}
		}
		f.op("ADDQ BX, AX")
	}
}

// nextTile moves source and destination on by one tile.
func nextTile(f *file) {
	f.op("MOVQ %s(R8), AX; ADDQ AX, %s(R8); MOVQ %s(R8), BX; ADDQ BX, %s(R8)", offSrcStep, offSrcAt, offDstStep, offDstAt)
}

// moreTiles goes on with the next tile, or returns behind the last one.
func moreTiles(f *file) {
	f.op("DECQ %s(R8); JNZ %s_tile", offTiles, f.tag)
	f.op("VZEROUPPER; RET")
}

// endTile ends a routine without residual: nextTile, then moreTiles.
func endTile(f *file) {
	nextTile(f)
	moreTiles(f)
}

// masked holds the formats that load and store the last vector of a pixel,
// whose upper channels may not exist.
type masked struct{ load, store string }

// whole accesses a last vector all of whose channels exist.
func (v simd) whole() masked {
	return masked{"VMOVUPS %d(CX), " + v.reg + "%d", "VMOVUPS " + v.reg + "%d, %d(AX)"}
}

// mask readies the mask of the last vector, to which R15 points.
func (v simd) mask(f *file) masked {
	if v.reg == "Z" {
		f.op("VMOVDQU32 (R15), Z%d; VPTESTMD Z%d, Z%d, K1", v.a[0], v.a[0], v.a[0])
		return masked{"VMOVUPS.Z %d(CX), K1, Z%d", "VMOVUPS Z%d, K1, %d(AX)"}
	}
	f.op("VMOVUPS (R15), Y%d", v.a[0])
	m := fmt.Sprintf("Y%d", v.a[0])
	return masked{"VMASKMOVPS %d(CX), " + m + ", Y%d", "VMASKMOVPS Y%d, " + m + ", %d(AX)"}
}
