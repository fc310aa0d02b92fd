package jpegfile

import (
	"bytes"
	"encoding/binary"
)

// Finder looks for the end of one file whose beginning it has seen. It remembers
// how far it came, so that a stream is looked through once.
type Finder struct {
	at   int  // everything before has been looked at
	scan bool // at lies within entropy-coded data
}

// Found is what a Finder came to.
type Found uint8

// What a Finder finds.
const (
	More Found = iota // the end has not come yet
	End               // b[:n] is the file
	Torn              // b[:n] is a file that breaks off: another one, or something else, follows
)

// Next looks for the end in b, which begins as the file does and may have grown
// since the call before.
func (f *Finder) Next(b []byte) (n int, found Found) {
	if f.at == 0 {
		f.at = 2 // behind SOI
	}
	for {
		if f.scan {
			i := bytes.IndexByte(b[min(f.at, len(b)):], 0xff)
			if i < 0 {
				f.at = len(b)
				return 0, More
			}
			f.at += i
		}
		if f.at+2 > len(b) {
			return 0, More
		}
		if b[f.at] != 0xff { // between segments: no marker where one must be
			return f.at, Torn
		}
		switch m := b[f.at+1]; {
		case m == 0xff:
			f.at++
		case f.scan && (m == 0 || m >= markerRST0 && m <= markerRST7):
			f.at += 2
		case m == markerEOI:
			return f.at + 2, End
		case m == markerSOI:
			return f.at, Torn
		case standalone(m):
			f.at += 2
		default:
			if f.at+4 > len(b) {
				return 0, More
			}
			size := int(binary.BigEndian.Uint16(b[f.at+2:]))
			if size < 2 {
				return f.at, Torn
			}
			if f.at+2+size > len(b) {
				return 0, More
			}
			f.at += 2 + size
			f.scan = m == markerSOS
		}
	}
}
