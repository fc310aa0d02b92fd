package main

import (
	"fmt"
	"strings"
)

// instruction is one that Go's assembler for arm64 lacks: its code with all
// register fields zero, and how the manual writes it, with %d for the numbers
// of the destination d and the sources n and m, in this order.
type instruction struct {
	code uint32
	text string
}

// The lanes of a vector follow the name: 4s is four words. An instruction by
// element (x) multiplies by one element of m: its first number is m, its last
// the element.
var (
	fadd4s  = instruction{0x4E20D400, "fadd v%d.4s, v%d.4s, v%d.4s"}
	fmax4s  = instruction{0x4E20F400, "fmax v%d.4s, v%d.4s, v%d.4s"}
	fmin4s  = instruction{0x4EA0F400, "fmin v%d.4s, v%d.4s, v%d.4s"}
	fsub4s  = instruction{0x4EA0D400, "fsub v%d.4s, v%d.4s, v%d.4s"}
	fmul4s  = instruction{0x6E20DC00, "fmul v%d.4s, v%d.4s, v%d.4s"}
	fcmgt4s = instruction{0x6EA0E400, "fcmgt v%d.4s, v%d.4s, v%d.4s"}
	ucvtf4s = instruction{0x6E21D800, "ucvtf v%d.4s, v%d.4s"}
	faddp4s = instruction{0x6E20D400, "faddp v%d.4s, v%d.4s, v%d.4s"}
	fmul4sx = instruction{0x4F809000, "fmul v%d.4s, v%d.4s, v%d.s[%d]"}
	fmla4sx = instruction{0x4F801000, "fmla v%d.4s, v%d.4s, v%d.s[%d]"}
	fmls4sx = instruction{0x4F805000, "fmls v%d.4s, v%d.4s, v%d.s[%d]"}
	ldrq    = instruction{0x3CE06800, "ldr q%d, [x%d, x%d]"}
)

// v writes an instruction of two or three vectors: d, n and, where it has one, m.
func (f *file) v(i instruction, d, n int, m ...int) {
	code, numbers := i.code|uint32(n<<5|d), []any{d, n}
	for _, r := range m {
		code |= uint32(r << 16)
		numbers = append(numbers, r)
	}
	f.word(code, fmt.Sprintf(i.text, numbers...))
}

// vat writes a load of vector d from the sum of two general registers.
func (f *file) vat(i instruction, d, base, offset int) { f.v(i, d, base, offset) }

// vx writes an instruction by element e of m, elements of 32 bits.
func (f *file) vx(i instruction, d, n, m, e int) {
	code := i.code | uint32(e>>1<<11|e&1<<21|m<<16|n<<5|d)
	f.word(code, fmt.Sprintf(i.text, d, n, m, e))
}

// vxh writes an instruction by element e of m, one of V0 to V15, elements of 16
// bits.
func (f *file) vxh(i instruction, d, n, m, e int) {
	code := i.code | uint32(e>>2<<11|e&3<<20|m<<16|n<<5|d)
	f.word(code, fmt.Sprintf(i.text, d, n, m, e))
}

// word writes an instruction by its code.
func (f *file) word(code uint32, text string) { f.op("WORD $0x%08X // %s", code, text) }

// vectors lists n neighbouring registers from first on, as loads and stores
// want them: [V0.S4, V1.S4].
func vectors(first, n int, lanes string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("V%d.%s", first+i, lanes)
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// loop counts register r down and jumps to label l unless it is zero.
func (f *file) loop(r, l string) {
	f.op("SUB $1, %s", r)
	f.op("CBNZ %s, %s_%s", r, f.tag, l)
}

// fieldLoop counts a field down and jumps to label l unless it is zero.
func (f *file) fieldLoop(offset, l string) {
	f.field(offset, "R4")
	f.op("SUB $1, R4")
	f.op("MOVD R4, %s(R0)", offset)
	f.jump("CBNZ R4,", l)
}

// field loads a field of the call, whose address is in R0.
func (f *file) field(offset, r string) { f.op("MOVD %s(R0), %s", offset, r) }

// fieldSum loads the sum of two fields: a pointer and how far it has moved.
func (f *file) fieldSum(offset, at, r, scratch string) {
	f.field(offset, r)
	f.field(at, scratch)
	f.op("ADD %s, %s, %s", scratch, r, r)
}

// beginTilesNEON keeps in registers what goes on from tile to tile: R20 is the
// source of the tile, R21 its step, R22 the destination, R23 its step, R24 counts
// the tiles and R25 is the destination's stride from pixel to pixel.
func (f *file) beginTilesNEON() {
	f.fieldSum(offSrc, offSrcAt, "R20", "R4")
	f.field(offSrcStep, "R21")
	f.fieldSum(offDst, offDstAt, "R22", "R4")
	f.field(offDstStep, "R23")
	f.field(offTiles, "R24")
	f.field(offDstStride, "R25")
}

// endTilesNEON goes on with the next tile, if there is one, or leaves in the call
// how far it has moved.
func (f *file) endTilesNEON() {
	f.op("ADD R21, R20, R20")
	f.op("ADD R23, R22, R22")
	f.loop("R24", "tile")
	for _, of := range [][3]string{{offSrc, offSrcAt, "R20"}, {offDst, offDstAt, "R22"}} {
		f.field(of[0], "R4")
		f.op("SUB R4, %s, R4", of[2])
		f.op("MOVD R4, %s(R0)", of[1])
	}
	f.op("RET")
}

// advance adds field step to field at.
func (f *file) advance(at, step string) {
	f.field(at, "R4")
	f.field(step, "R5")
	f.op("ADD R5, R4, R4")
	f.op("MOVD R4, %s(R0)", at)
}

// dup4s loads the float32 of a field into all lanes of a vector.
func (f *file) dup4s(offset string, vector int, scratch string) {
	f.op("ADD $%s, R0, %s", offset, scratch)
	f.op("VLD1R (%s), [V%d.S4]", scratch, vector)
}
