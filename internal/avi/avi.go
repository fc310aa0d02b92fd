// Package avi writes motion-JPEG AVI files: the one video format that needs no
// encoder beyond the standard library's and that every player, OpenCV with
// FFmpeg among them, reads. The layout is that of Microsoft's AVI RIFF file
// reference: a header list, the frames, and the old index idx1.
package avi

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"math"
)

// maxSize keeps every offset within the 32 bits of the old index, with room
// for the index itself.
const maxSize = 1 << 30

// Writer writes one file. Close completes it.
type Writer struct {
	out     io.WriteSeeker
	w, h    int
	quality int
	index   []entry
	largest uint32
	at      int64 // next byte
	movi    int64 // where the fourcc "movi" stands; idx1 counts from it
	jpeg    bytes.Buffer
	fps     float64
}

type entry struct{ offset, size uint32 }

// NewWriter starts a file of w by h pixels, fps frames a second and JPEG
// quality 1 to 100 on out, which is empty.
func NewWriter(out io.WriteSeeker, w, h int, fps float64, quality int) (*Writer, error) {
	if w < 1 || h < 1 || w > 1<<14 || h > 1<<14 || !(fps > 0 && fps <= 1000) {
		return nil, fmt.Errorf("avi: %dx%d at %g frames a second: sizes must be 1 to 16384, the rate above 0 to 1000", w, h, fps)
	}
	a := &Writer{out: out, w: w, h: h, fps: fps, quality: quality}
	return a, a.write(a.header())
}

// Add appends one picture.
func (a *Writer) Add(img image.Image) error {
	if b := img.Bounds(); b.Dx() != a.w || b.Dy() != a.h {
		return fmt.Errorf("avi: picture of %dx%d in a film of %dx%d", b.Dx(), b.Dy(), a.w, a.h)
	}
	a.jpeg.Reset()
	a.jpeg.Write([]byte("00dc\x00\x00\x00\x00"))
	if err := jpeg.Encode(&a.jpeg, img, &jpeg.Options{Quality: a.quality}); err != nil {
		return fmt.Errorf("avi: frame %d: %w", len(a.index), err)
	}
	size := uint32(a.jpeg.Len() - 8)
	if a.jpeg.Len()%2 == 1 { // chunks start at even offsets
		a.jpeg.WriteByte(0)
	}
	if a.at+int64(a.jpeg.Len())+16*int64(len(a.index)+1) > maxSize {
		return fmt.Errorf("avi: more than %d bytes do not fit this kind of index", maxSize)
	}
	chunk := a.jpeg.Bytes()
	binary.LittleEndian.PutUint32(chunk[4:], size)
	a.index = append(a.index, entry{uint32(a.at - a.movi), size})
	a.largest = max(a.largest, size)
	return a.write(chunk)
}

// Close writes the index and fills in the header. It does not close out.
func (a *Writer) Close() error {
	index := []byte("idx1")
	index = binary.LittleEndian.AppendUint32(index, uint32(16*len(a.index)))
	for _, e := range a.index {
		const keyFrame = 0x10
		index = append(index, "00dc"...)
		index = binary.LittleEndian.AppendUint32(index, keyFrame)
		index = binary.LittleEndian.AppendUint32(index, e.offset)
		index = binary.LittleEndian.AppendUint32(index, e.size)
	}
	moviEnd := a.at
	if err := a.write(index); err != nil {
		return err
	}
	head := a.header()
	binary.LittleEndian.PutUint32(head[4:], uint32(a.at-8))
	binary.LittleEndian.PutUint32(head[len(head)-8:], uint32(moviEnd-a.movi))
	if _, err := a.out.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("avi: %w", err)
	}
	if _, err := a.out.Write(head); err != nil {
		return fmt.Errorf("avi: %w", err)
	}
	return nil
}

func (a *Writer) write(b []byte) error {
	n, err := a.out.Write(b)
	a.at += int64(n)
	if err != nil {
		return fmt.Errorf("avi: %w", err)
	}
	return nil
}

// header is everything up to the first frame: it has the same length however
// many frames there are. It ends with the movi list's size and name.
func (a *Writer) header() []byte {
	const hasIndex = 0x10
	frames := uint32(len(a.index))
	scale := uint32(1000)
	rate := uint32(math.Round(a.fps * float64(scale)))
	micros := uint32(math.Round(1e6 / a.fps))
	w, h := uint32(a.w), uint32(a.h)
	avih := words(micros, a.largest*uint32(math.Ceil(a.fps)), 0, hasIndex, frames, 0, 1, a.largest, w, h, 0, 0, 0, 0)
	strh := append([]byte("vidsMJPG"), words(0, 0, 0, scale, rate, 0, frames, a.largest, math.MaxUint32, 0)...)
	strh = append(strh, 0, 0, 0, 0, byte(w), byte(w>>8), byte(h), byte(h>>8)) // rcFrame: four 16-bit numbers
	strf := words(40, w, h, 1|24<<16)                                         // one plane, 24 bits a pixel
	strf = append(strf, "MJPG"...)
	strf = append(strf, words(w*h*3, 0, 0, 0, 0)...)
	stream := list("strl", chunk("strh", strh), chunk("strf", strf))
	out := append([]byte("RIFF\x00\x00\x00\x00AVI "), list("hdrl", chunk("avih", avih), stream)...)
	out = append(out, "LIST\x00\x00\x00\x00movi"...)
	a.movi = int64(len(out) - 4)
	return out
}

func words(list ...uint32) []byte {
	var b []byte
	for _, v := range list {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

func chunk(name string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(data)))
	return append(b, data...)
}

func list(name string, chunks ...[]byte) []byte {
	return chunk("LIST", append([]byte(name), bytes.Join(chunks, nil)...))
}
