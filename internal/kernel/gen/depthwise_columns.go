package main

import (
	"fmt"
	"strings"
)

// Parts of a block's stream for depthwiseColumns, in bytes: see conv's depthColumns.
const (
	columnWeights = 256
	columnRequant = columnWeights + 3*256
	columnClamps  = columnRequant + 5*256
	columnRest    = columnClamps + 4*64
	columnBlock   = columnRest + 3*256 // without a rest of weights: columnRest
)

func depthwiseColumnsVNNI() []byte {
	f := newFile("amd64").of("convCallI8")
	f.WriteString(requantVNNIMacro + requantAwayVNNIMacro)
	for i := range 16 {
		depthwiseColumns(columns{f, i&1 != 0, i&2 != 0, i&4 != 0}, 1+i/8)
	}
	return f.Bytes()
}

// Fields of conv.convCallI8 that only these routines use.
const offSrcBelow, offDstBelow = "@srcBelow", "@dstBelow"

// depthwiseColumns writes one depthwise routine of 8-bit activations for three
// rows of three taps: a row of pixels of 64 channels, repeated for the next 64
// channels, or two rows of 32, one in each half of the vectors. A column of the source is interleaved to one doubleword a channel,
// whose upper byte meets a weight of zero, and multiplied with the weights of all
// windows that it is part of; weights with a rest, which do not fit a byte, come in
// two parts. Registers:
//
//	Z0..Z11 sums of up to three windows    Z12..Z23 weights    Z24..Z27 a column    Z28..Z30 scratch    Z31 flip
func depthwiseColumns(c columns, stride int) {
	c.fn(fmt.Sprintf("depthColumnsx%dx%d%s", stride, c.channels(), c.suffix()), 8)
	c.op("MOVQ c+0(FP), R8; MOVQ %s(R8), DX; MOVQ %s(R8), R10; VPBROADCASTB %s(R8), Z31", offW, offLive, offFlip)
	c.op("MOVQ $-1, CX; BZHIQ R10, CX, AX; KMOVQ AX, K1; LEAQ 3(R10), AX; SHRQ $2, AX; BZHIQ AX, CX, AX; KMOVW AX, K3")
	c.op("MOVW $0x5555, CX; KMOVW CX, K2; MOVQ %s(R8), R10", offDstBelow)
	if c.halves {
		c.op("KSHIFTLW $8, K3, K4")
	}
	c.label("tile")
	c.op("MOVQ %s(R8), R9; MOVQ %s(R8), SI; ADDQ %s(R8), SI; MOVQ %s(R8), BX; MOVQ %s(R8), CX", offTaps, offSrc, offSrcAt, offSrcStride, offKC)
	c.op("MOVQ (R9), AX; ADDQ SI, AX; MOVQ 8(R9), R11; ADDQ SI, R11; MOVQ 16(R9), R12; ADDQ SI, R12; XORL SI, SI; MOVQ %s(R8), R15", offSrcBelow)
	c.op("MOVQ %s(R8), DI; ADDQ %s(R8), DI; MOVQ %s(R8), R13; MOVL $0x80000000, R9", offDst, offDstAt, offDstStride)
	for i := range 12 {
		c.op("VMOVDQU32 %d(DX), Z%d", columnWeights+64*i, 12+i)
	}
	sets := 3
	if stride == 1 {
		c.windowsOfThree()
	} else {
		c.windowsOfTwo()
		sets = 2
	}
	c.label("done")
	c.op("ADDQ $%d, DX", c.block())
	endTile(c.file)
	for set := range sets {
		c.storePart(set)
	}
}

// columns emits the parts of a routine; a set is the four sums of a window.
type columns struct {
	*file
	away, halves, rest bool
}

func (c columns) suffix() string {
	s := "HalfUp"
	if c.away {
		s = "HalfAway"
	}
	if c.rest {
		s += "Rest"
	}
	return s
}

func (c columns) block() int {
	if c.rest {
		return columnBlock
	}
	return columnRest
}

func (c columns) channels() int {
	if c.halves {
		return 32
	}
	return 64
}

// windowsOfThree are windows at a stride of 1: each column is the first of one,
// the second of another and the last of a third.
func (c columns) windowsOfThree() {
	c.column()
	c.begin(0)
	c.column()
	c.begin(1)
	c.add(0, 1)
	c.label("windows")
	for set := range 3 {
		c.column()
		c.begin((set + 2) % 3)
		c.add((set+1)%3, 1)
		c.add(set, 2)
		c.end(set, set == 2)
	}
}

// windowsOfTwo are windows at a stride of 2: every other column is the last of
// one and the first of the next.
func (c columns) windowsOfTwo() {
	c.column()
	c.begin(0)
	c.label("windows")
	for set := range 2 {
		c.column()
		c.add(set, 1)
		c.column()
		c.add(set, 2)
		c.begin(1 - set)
		c.end(set, set == 1)
	}
}

// column reads three rows of 64 channels and interleaves them: of every 16
// channels, each vector has four.
func (c columns) column() {
	for i, row := range []string{"AX", "R11", "R12"} {
		z := 28 + i
		if c.halves {
			c.op("VMOVDQU32.Z (%s)(SI*1), K3, Y%d; VBROADCASTI32X8 (%s)(R15*1), K4, Z%d; VPXORD Z31, Z%d, Z%d", row, z, row, z, z, z)
		} else {
			c.op("VPXORD.Z (%s)(SI*1), Z31, K3, Z%d", row, z)
		}
	}
	if c.halves {
		c.op("ADDQ BX, R15")
	}
	c.op("VPUNPCKLBW Z29, Z28, Z24; VPUNPCKHBW Z29, Z28, Z26; VPUNPCKLBW Z30, Z30, Z28; VPUNPCKHBW Z30, Z30, Z29")
	c.op("VPUNPCKHWD Z28, Z24, Z25; VPUNPCKLWD Z28, Z24, Z24; VPUNPCKHWD Z29, Z26, Z27; VPUNPCKLWD Z29, Z26, Z26; ADDQ BX, SI")
}

// begin starts the sums of a window.
func (c columns) begin(set int) {
	for j := range 4 {
		c.op("VMOVDQU32 %d(DX), Z%d", 64*j, 4*set+j)
	}
	c.add(set, 0)
}

// add multiplies the column as the tap-th of a window.
func (c columns) add(set, tap int) {
	for j := range 4 {
		c.op("VPDPBUSD Z%d, Z%d, Z%d", 12+4*tap+j, 24+j, 4*set+j)
	}
	for j := 0; c.rest && j < 4; j++ {
		c.op("VPDPBUSD %d(DX), Z%d, Z%d", columnRest+256*tap+64*j, 24+j, 4*set+j)
	}
}

// end scales, clamps and stores a window's sums, and leaves when it was the last
// one; else it goes on, from the first set again where again says so.
func (c columns) end(set int, again bool) {
	s := scaling{scratch: "Z28", away: c.away}
	if c.away {
		s.scratch = "Z28, Z30, Z29"
		c.op("VPBROADCASTQ R9, Z30")
	}
	for j := range 4 {
		var at [5]string
		for row := range at {
			at[row] = fmt.Sprintf("%d(DX)", columnRequant+256*row+64*j)
		}
		s.constants = strings.Join(at[:], ", ")
		s.of(c.file, 4*set+j)
	}
	z := 4 * set
	c.op("VPACKSSDW Z%d, Z%d, Z%d; VPACKSSDW Z%d, Z%d, Z%d", z+1, z, z, z+3, z+2, z+2)
	c.op("VPADDSW %d(DX), Z%d, Z%d; VPADDSW %d(DX), Z%d, Z%d; VPACKSSWB Z%d, Z%d, Z%d", columnClamps, z, z, columnClamps, z+2, z+2, z+2, z, z)
	c.op("VPMAXSB %d(DX), Z%d, Z%d; VPMINSB %d(DX), Z%d, Z%d; VPXORD %d(DX), Z%d, Z%d", columnClamps+64, z, z, columnClamps+128, z, z, columnClamps+192, z, z)
	if c.halves {
		c.op("KORTESTD K1, K1; JNC %s_part%d; VMOVDQU32 Y%d, (DI); VEXTRACTI64X4 $1, Z%d, (DI)(R10*1)", c.tag, set, z, z)
	} else {
		c.op("KORTESTQ K1, K1; JNC %s_part%d; VMOVDQU32 Z%d, (DI)", c.tag, set, z)
	}
	c.label(fmt.Sprint("stored", set))
	c.op("ADDQ R13, DI; DECQ CX")
	if again {
		c.jump("JNZ", "windows")
	} else {
		c.jump("JZ", "done")
	}
}

// storePart stores a window of a block that is not full, and goes back.
func (c columns) storePart(set int) {
	z := 4 * set
	c.label(fmt.Sprint("part", set))
	if c.halves {
		c.op("VEXTRACTI64X4 $1, Z%d, Y28; VMOVDQU8 Y%d, K1, (DI); VMOVDQU8 Y28, K1, (DI)(R10*1)", z, z)
	} else {
		c.op("VMOVDQU8 Z%d, K1, (DI)", z)
	}
	c.jump("JMP", fmt.Sprint("stored", set))
}
