package gige

import (
	"slices"
	"strings"
)

// Format is what a camera's pixels are made of.
type Format struct {
	Name   string
	Bytes  int    // a pixel
	Bits   int    // that carry the picture, of a grey pixel over 8
	Mosaic string // a Bayer pattern's first two rows: rggb, bggr, grbg, gbrg
	RGB    bool   // red comes first
	YUV    bool   // UYVY
}

// formats are those that are read, by the code that GenICam's pixel format naming
// convention gives them.
var formats = map[uint32]Format{
	0x01080001: {Name: "Mono8", Bytes: 1},
	0x01100003: {Name: "Mono10", Bytes: 2, Bits: 10},
	0x01100005: {Name: "Mono12", Bytes: 2, Bits: 12},
	0x01100025: {Name: "Mono14", Bytes: 2, Bits: 14},
	0x01100007: {Name: "Mono16", Bytes: 2, Bits: 16},
	0x01080008: {Name: "BayerGR8", Bytes: 1, Mosaic: "grbg"},
	0x01080009: {Name: "BayerRG8", Bytes: 1, Mosaic: "rggb"},
	0x0108000a: {Name: "BayerGB8", Bytes: 1, Mosaic: "gbrg"},
	0x0108000b: {Name: "BayerBG8", Bytes: 1, Mosaic: "bggr"},
	0x02180014: {Name: "RGB8", Bytes: 3, RGB: true},
	0x02180015: {Name: "BGR8", Bytes: 3},
	0x0210001f: {Name: "YUV422Packed", Bytes: 2, YUV: true},
}

// older are names that cameras of before SFNC 2 have for some of them.
var older = []string{"RGB8Packed", "BGR8Packed", "YUV422_8_UYVY"}

// FormatOf is the format with a code that a frame has.
func FormatOf(code uint32) (Format, bool) {
	f, ok := formats[code]
	return f, ok
}

// pixels are the names of all formats.
func pixels() (all []string) {
	for _, f := range formats {
		all = append(all, f.Name)
	}
	slices.Sort(all)
	return append(all, older...)
}

// Formats lists the names of formats that are read.
func Formats() string { return strings.Join(pixels(), ", ") }

const (
	// lastShort is the last number of frames that are counted with 16 bits, whose
	// first is 1.
	lastShort = 1<<16 - 1
	// mostMissed is the largest gap that is one: a camera whose numbers jump by more
	// has begun to count anew.
	mostMissed = 100
)

// Missed is how many frames are missing between two with these numbers, 0: none has
// come, or it has none.
func Missed(before, now uint64) int {
	if before == 0 || now == 0 {
		return 0
	}
	if now < before && before <= lastShort && now+lastShort-before <= mostMissed {
		now += lastShort
	}
	if now <= before || now-before-1 > mostMissed {
		return 0
	}
	return int(now - before - 1)
}
