package main

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"path/filepath"
	"strings"

	"edged/internal/atomicfile"
	"edged/mqtt"
)

// stitchRows is how long a picture of a line camera's mask becomes before the next
// is begun.
const stitchRows = 4096

// stitcher lays the masks of line cameras together: one picture for each run of rows
// without a hole.
type stitcher struct {
	file string // base-name for PNGs; empty: nothing is laid together
	open map[string]*seam
}

// seam is one camera's picture so far.
type seam struct {
	img    *image.Gray
	row    int64 // of the line, that the picture begins with
	stride int
}

// add lays a result's mask behind the ones before it, and returns the file that was
// finished by it, if one was.
func (s *stitcher) add(who string, r *mqtt.Result, mask []byte) (string, error) {
	if s.file == "" || r.Line == nil || r.Mask == nil || r.Mask.Encoding != mqtt.EncodingPNG {
		return "", nil
	}
	img, err := png.Decode(bytes.NewReader(mask))
	if err != nil {
		return "", fmt.Errorf("mask of result %d: %w", r.Seq, err)
	}
	strip, ok := img.(*image.Gray)
	if !ok || strip.Rect.Dy() < 1 {
		return "", nil
	}
	now := s.open[who]
	stride := max(1, r.Line.Rows/strip.Rect.Dy())
	at := int64(0)
	if now != nil {
		at = (r.Line.Row - now.row) / int64(stride)
	}
	var done string
	if now != nil && (r.Line.Begins && at != 0 || stride != now.stride || strip.Rect.Dx() != now.img.Rect.Dx() || at < 0 || at > int64(now.img.Rect.Dy()) || now.img.Rect.Dy() >= stitchRows) {
		if done, err = s.finish(who); err != nil {
			return "", err
		}
		now = nil
	}
	if now == nil {
		now, at = &seam{img: image.NewGray(image.Rect(0, 0, strip.Rect.Dx(), 0)), row: r.Line.Row, stride: stride}, 0
		s.open[who] = now
	}
	now.lay(strip, int(at))
	return done, nil
}

// lay puts a strip's rows at row at of the picture; rows that are there already come
// once more at a part's end.
func (m *seam) lay(strip *image.Gray, at int) {
	w, h := m.img.Rect.Dx(), max(m.img.Rect.Dy(), at+strip.Rect.Dy())
	for len(m.img.Pix) < w*h {
		m.img.Pix = append(m.img.Pix, make([]byte, w)...)
	}
	m.img.Stride, m.img.Rect = w, image.Rect(0, 0, w, h)
	for y := range strip.Rect.Dy() {
		copy(m.img.Pix[(at+y)*w:][:w], strip.Pix[y*strip.Stride:])
	}
}

// finish writes a camera's picture.
func (s *stitcher) finish(who string) (string, error) {
	m := s.open[who]
	if m == nil {
		return "", nil
	}
	delete(s.open, who)
	var b bytes.Buffer
	if err := png.Encode(&b, m.img); err != nil {
		return "", err
	}
	name := fmt.Sprintf("%s_%s_%09d.png", strings.TrimSuffix(s.file, ".png"), strings.ReplaceAll(who, "/", "_"), m.row)
	return filepath.Clean(name), atomicfile.Write(name, b.Bytes())
}

// end writes what is still open.
func (s *stitcher) end() error {
	for who := range s.open {
		if _, err := s.finish(who); err != nil {
			return err
		}
	}
	return nil
}
