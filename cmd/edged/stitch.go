package main

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"maps"
	"path/filepath"
	"slices"
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
	file  string // base-name for PNGs; empty: nothing is laid together
	open  map[string]*seam
	names map[string]int  // files that were written, and how often
	told  map[string]bool // cameras of which nothing can be laid together
}

// newStitcher lays masks together in files named after file.
func newStitcher(file string) stitcher {
	return stitcher{file, map[string]*seam{}, map[string]int{}, map[string]bool{}}
}

// why says, once for each camera, why its result cannot be laid together.
func (s *stitcher) why(who string, r *mqtt.Result) (text string) {
	switch {
	case s.file == "" || s.told[who]:
		return ""
	case r.Line == nil:
		text = "its results have no line, so there is nothing to stitch: give the camera a [camera.line]"
	case r.Mask == nil:
		text = "its results have no mask, so there is nothing to stitch: are they over mqtt.max_payload?"
	case r.Mask.Encoding != mqtt.EncodingPNG:
		text = fmt.Sprintf("its masks come as %s, which is not stitched: set mqtt.encoding = %q", r.Mask.Encoding, mqtt.EncodingPNG)
	default:
		return ""
	}
	s.told[who] = true
	return text
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
	if now != nil && (r.Line.Begins || stride != now.stride || strip.Rect.Dx() != now.img.Rect.Dx() || at < 0 || at > int64(now.img.Rect.Dy()) || now.img.Rect.Dy() >= stitchRows) {
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
	if s.names[name]++; s.names[name] > 1 { // rows are counted from 0 in each run of the daemon
		name = fmt.Sprintf("%s-%d.png", strings.TrimSuffix(name, ".png"), s.names[name])
	}
	return filepath.Clean(name), atomicfile.Write(name, b.Bytes())
}

// end writes what is still open, and tells of each file.
func (s *stitcher) end(tell func(who, file string)) error {
	for _, who := range slices.Sorted(maps.Keys(s.open)) {
		file, err := s.finish(who)
		if err != nil {
			return err
		}
		tell(who, file)
	}
	return nil
}
