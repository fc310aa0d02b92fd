// Package jpegfile reads what a JPEG file says of itself before anybody decodes
// it, and finds where one ends in a stream of them. It allocates nothing and
// trusts no byte.
package jpegfile

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Header is what a file says of its picture.
type Header struct {
	W, H        int
	Components  int // 1 grey, 3 colour, 4 CMYK
	Bits        int // a sample
	Progressive bool
	Arithmetic  bool // coded so, not by Huffman's codes
	Orientation int  // EXIF's, 1 to 8; 0: it says nothing
}

// Least is the number of bytes below which no file holds the whole picture: a code of
// Huffman's has a bit at least, and each 8x8 block of the component with the most
// samples has one. A few bytes that claim a large picture cost its memory all the same.
func (h Header) Least() int {
	if h.Arithmetic {
		return 0
	}
	return (h.W + 7) / 8 * ((h.H + 7) / 8) / 8
}

// ErrMalformed marks what is no JPEG file.
var ErrMalformed = errors.New("not a JPEG picture")

// JPEG's markers, each behind an FF.
const (
	markerSOI  = 0xd8
	markerEOI  = 0xd9
	markerSOS  = 0xda
	markerDHT  = 0xc4
	markerJPG  = 0xc8
	markerDAC  = 0xcc
	markerTEM  = 0x01
	markerRST0 = 0xd0
	markerRST7 = 0xd7
	markerAPP1 = 0xe1
)

// standalone tells whether a marker has no segment behind it.
func standalone(m byte) bool { return m == markerTEM || m >= markerRST0 && m <= markerEOI }

// frameHeader tells whether a marker is one of the SOFs.
func frameHeader(m byte) bool {
	return m >= 0xc0 && m <= 0xcf && m != markerDHT && m != markerJPG && m != markerDAC
}

// Read reads the header of a file, up to its first scan.
func Read(file []byte) (h Header, err error) {
	at := 2
	if !Starts(file) {
		return h, fmt.Errorf("%w: it does not begin as one", ErrMalformed)
	}
	for {
		marker, body, next, ok := segment(file, at)
		switch {
		case !ok:
			return h, fmt.Errorf("%w: it ends within its header", ErrMalformed)
		case marker == markerSOS || marker == markerEOI || marker == markerSOI:
			if h.W == 0 {
				return h, fmt.Errorf("%w: it has no size", ErrMalformed)
			}
			return h, nil
		case marker == markerAPP1 && h.Orientation == 0:
			h.Orientation = orientation(body)
		case frameHeader(marker):
			if len(body) < 6 {
				return h, fmt.Errorf("%w: its frame header is cut", ErrMalformed)
			}
			h.Bits, h.Components, h.Progressive, h.Arithmetic = int(body[0]), int(body[5]), marker == 0xc2 || marker == 0xca, marker > markerJPG
			h.H, h.W = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
			if h.W == 0 || h.H == 0 {
				return h, fmt.Errorf("%w: its size is %dx%d", ErrMalformed, h.W, h.H)
			}
		}
		at = next
	}
}

// Starts tells whether b begins as every JPEG file does.
func Starts(b []byte) bool { return len(b) >= 3 && b[0] == 0xff && b[1] == markerSOI && b[2] == 0xff }

// segment reads the marker at b[at:] with what belongs to it; next is behind it.
func segment(b []byte, at int) (marker byte, body []byte, next int, ok bool) {
	if at >= len(b) || b[at] != 0xff {
		return 0, nil, 0, false
	}
	for at < len(b) && b[at] == 0xff { // any number of them may stand before a marker
		at++
	}
	if at >= len(b) {
		return 0, nil, 0, false
	}
	marker = b[at]
	at++
	if standalone(marker) {
		return marker, nil, at, true
	}
	if at+2 > len(b) {
		return 0, nil, 0, false
	}
	n := int(binary.BigEndian.Uint16(b[at:]))
	if n < 2 || at+n > len(b) {
		return 0, nil, 0, false
	}
	return marker, b[at+2 : at+n], at + n, true
}

// orientation is tag 0x0112 of the first directory of an EXIF segment, 0: none.
func orientation(app1 []byte) int {
	const head = "Exif\x00\x00"
	if len(app1) < len(head)+8 || string(app1[:len(head)]) != head {
		return 0
	}
	tiff := app1[len(head):]
	var order binary.ByteOrder = binary.LittleEndian
	if tiff[0] == 'M' {
		order = binary.BigEndian
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 0
	}
	n := uint64(order.Uint16(tiff[at:]))
	for i := range n {
		entry := at + 2 + 12*i
		if entry+12 > uint64(len(tiff)) {
			return 0
		}
		if e := tiff[entry:]; order.Uint16(e) == 0x0112 {
			if v := int(order.Uint16(e[8:])); v >= 1 && v <= 8 {
				return v
			}
			return 0
		}
	}
	return 0
}
