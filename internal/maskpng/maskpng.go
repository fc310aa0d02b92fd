// Package maskpng writes a mask of class ids as an 8-bit greyscale PNG: the
// pixel value is the class id, so every PNG reader gives the ids back. It never
// writes a palette, because cv2 and pngjs lose the ids of one.
//
// The sequence number and the time of the mask travel inside the file, in two
// tEXt chunks (keys "seq" and "ts"), so a saved mask still tells where it
// belongs. The format is that of the PNG specification, third edition.
package maskpng

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"time"

	"github.com/klauspost/compress/zlib"

	"edged"
)

// TimeLayout is how the ts chunk and every payload of edged writes a time: ISO
// 8601 in UTC with milliseconds.
const TimeLayout = "2006-01-02T15:04:05.000Z"

const signature = "\x89PNG\r\n\x1a\n"

// filterNone says that a scan line holds the pixels themselves. Measured against
// filter Up on the belt's masks, 640x480: clean 7.7 kB in 0.22 ms against 6.4 kB
// in 0.29 ms, with 2 % speckle 21.6 kB in 0.40 ms against 27.3 kB in 0.62 ms.
const filterNone = 0

// Encoder turns masks into PNG files and keeps its buffers from one mask to the
// next: with a dst that is large enough it allocates nothing. The zero value is
// ready. One goroutine at a time may use it.
type Encoder struct {
	deflate *zlib.Writer
	out     sink
	line    []byte // filter byte and one scan line
}

// sink is the io.Writer that the compressor appends to.
type sink struct{ buf []byte }

func (s *sink) Write(p []byte) (int, error) {
	s.buf = append(s.buf, p...)
	return len(p), nil
}

// Encode appends m as a PNG to dst and returns the longer slice. The image is
// m.W by m.H; seq and ts become its tEXt chunks.
func (e *Encoder) Encode(dst []byte, m *edged.Mask, seq uint64, ts time.Time) ([]byte, error) {
	if err := check(m); err != nil {
		return dst, err
	}
	dst = append(dst, signature...)
	dst = appendHeader(dst, m.W, m.H)
	dst = appendText(dst, "seq", func(b []byte) []byte { return strconv.AppendUint(b, seq, 10) })
	dst = appendText(dst, "ts", func(b []byte) []byte { return ts.UTC().AppendFormat(b, TimeLayout) })
	dst, err := e.appendPixels(dst, m)
	if err != nil {
		return dst, fmt.Errorf("maskpng: deflate of %dx%d: %w", m.W, m.H, err)
	}
	dst, at := openChunk(dst, "IEND")
	return closeChunk(dst, at), nil
}

func check(m *edged.Mask) error {
	if m.W <= 0 || m.H <= 0 || m.Stride < m.W {
		return fmt.Errorf("maskpng: mask of %dx%d with a stride of %d: sizes must be positive and the stride at least the width", m.W, m.H, m.Stride)
	}
	if need := (m.H-1)*m.Stride + m.W; len(m.Pix) < need {
		return fmt.Errorf("maskpng: mask of %dx%d needs %d bytes, got %d: %w", m.W, m.H, need, len(m.Pix), io.ErrUnexpectedEOF)
	}
	return nil
}

// appendPixels writes the IDAT chunk.
func (e *Encoder) appendPixels(dst []byte, m *edged.Mask) ([]byte, error) {
	dst, at := openChunk(dst, "IDAT")
	e.out.buf = dst
	if e.deflate == nil {
		w, err := zlib.NewWriterLevel(&e.out, zlib.BestSpeed)
		if err != nil {
			return dst, err
		}
		e.deflate = w
	} else {
		e.deflate.Reset(&e.out)
	}
	if cap(e.line) < m.W+1 {
		e.line = make([]byte, m.W+1)
	}
	if err := e.writeLines(m); err != nil {
		return e.out.buf, err
	}
	if err := e.deflate.Close(); err != nil {
		return e.out.buf, err
	}
	dst, e.out.buf = e.out.buf, nil
	return closeChunk(dst, at), nil
}

func (e *Encoder) writeLines(m *edged.Mask) error {
	line := e.line[:m.W+1]
	line[0] = filterNone
	for y := range m.H {
		copy(line[1:], m.Pix[y*m.Stride:])
		if _, err := e.deflate.Write(line); err != nil {
			return err
		}
	}
	return nil
}

func appendHeader(dst []byte, w, h int) []byte {
	dst, at := openChunk(dst, "IHDR")
	dst = binary.BigEndian.AppendUint32(dst, uint32(w))
	dst = binary.BigEndian.AppendUint32(dst, uint32(h))
	// Bit depth 8, colour type 0 (greyscale), deflate, adaptive filters, no interlace.
	dst = append(dst, 8, 0, 0, 0, 0)
	return closeChunk(dst, at)
}

func appendText(dst []byte, key string, value func([]byte) []byte) []byte {
	dst, at := openChunk(dst, "tEXt")
	dst = append(append(dst, key...), 0)
	return closeChunk(value(dst), at)
}

// openChunk starts a chunk; at is where its type stands, for closeChunk.
func openChunk(dst []byte, kind string) (_ []byte, at int) {
	dst = append(dst, 0, 0, 0, 0)
	return append(dst, kind...), len(dst)
}

// closeChunk fills in the length and appends the CRC over type and data.
func closeChunk(dst []byte, at int) []byte {
	binary.BigEndian.PutUint32(dst[at-4:], uint32(len(dst)-at-4))
	return binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[at:]))
}

// Text returns the value of a tEXt chunk of the PNG in b, for pairing a mask
// with its result. It errs when b is no PNG or has no such chunk.
func Text(b []byte, key string) (string, error) {
	if len(b) < len(signature) || string(b[:len(signature)]) != signature {
		return "", errors.New("maskpng: no PNG signature")
	}
	for rest := b[len(signature):]; len(rest) >= 12; {
		n := int(binary.BigEndian.Uint32(rest))
		if n < 0 || n > len(rest)-12 {
			break
		}
		data := rest[8 : 8+n]
		if string(rest[4:8]) == "tEXt" && len(data) > len(key) && string(data[:len(key)]) == key && data[len(key)] == 0 {
			return string(data[len(key)+1:]), nil
		}
		rest = rest[12+n:]
	}
	return "", fmt.Errorf("maskpng: no tEXt chunk %q", key)
}
