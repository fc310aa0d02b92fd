package main

import "fmt"

// Fields of conv.poolCall.
const (
	offPDst, offPSrc, offPTaps, offPMask    = "poolCall_dst", "poolCall_src", "poolCall_taps", "poolCall_mask"
	offPNTaps, offPBlocks, offPTail, offPLo = "poolCall_ntaps", "poolCall_blocks", "poolCall_tail", "poolCall_least"
)

// poolWidth is the number of vectors of one pass over the taps.
const poolWidth = 4

// pool writes the routine that takes the greatest of several taps: as many
// vectors at once as there are, then one by one, then the part of one.
func pool(v simd, suffix string) []byte {
	f := newFile("amd64")
	name := "poolF32" + suffix
	f.fn(name, 8)
	f.op("MOVQ c+0(FP), R8; MOVQ %s(R8), DI; MOVQ %s(R8), SI; MOVQ %s(R8), R10", offPDst, offPSrc, offPBlocks)
	f.op("VBROADCASTSS %s(R8), %s%d", offPLo, v.reg, v.a[0])
	f.op("SUBQ $%d, R10; JLT %s_rest", poolWidth, name)
	f.label("wide")
	poolTaps(f, v, "widetap", poolWidth, "VMOVUPS %s, "+v.reg+"%d", "VMOVUPS "+v.reg+"%d, %s")
	f.op("SUBQ $%d, R10; JGE %s_wide", poolWidth, name)
	f.label("rest")
	f.op("ADDQ $%d, R10; JZ %s_tail", poolWidth, name)
	f.label("one")
	poolTaps(f, v, "onetap", 1, "VMOVUPS %s, "+v.reg+"%d", "VMOVUPS "+v.reg+"%d, %s")
	f.op("DECQ R10; JNZ %s_one", name)
	f.label("tail")
	f.op("CMPQ %s(R8), $0; JEQ %s_end", offPTail, name)
	part := readMask(f, v, offPMask)
	poolTaps(f, v, "tailtap", 1, part.load, part.store)
	f.label("end")
	f.op("VZEROUPPER; RET")
	return f.Bytes()
}

// poolTaps computes n vectors and moves on. The maximum's last operand is what
// was found so far: it stays where the other is no number.
func poolTaps(f *file, v simd, label string, n int, load, store string) {
	f.op("MOVQ %s(R8), R11; MOVQ %s(R8), CX", offPTaps, offPNTaps)
	for i := range n {
		f.op("VMOVAPS %s%d, %s%d", v.reg, v.a[0], v.reg, i)
	}
	f.label(label)
	f.op("MOVQ (R11), AX; ADDQ SI, AX; ADDQ $8, R11")
	for i := range n {
		f.op(load, fmt.Sprintf("%d(AX)", v.bytes*i), poolWidth+i)
		f.op("VMAXPS %s%d, %s%d, %s%d", v.reg, i, v.reg, poolWidth+i, v.reg, i)
	}
	f.op("DECQ CX; JNZ %s_%s", f.tag, label)
	for i := range n {
		f.op(store, i, fmt.Sprintf("%d(DI)", v.bytes*i))
	}
	f.op("ADDQ $%d, SI; ADDQ $%d, DI", n*v.bytes, n*v.bytes)
}
