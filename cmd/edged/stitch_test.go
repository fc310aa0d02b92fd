package main

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"edged"
	"edged/internal/maskpng"
	"edged/mqtt"
)

// TestStitch: strips become one picture, rows that come twice stay once, and a hole
// begins another.
func TestStitch(t *testing.T) {
	dir := t.TempDir()
	s := stitcher{filepath.Join(dir, "belt.png"), map[string]*seam{}}
	add := func(row int64, h int, begins bool) {
		t.Helper()
		m := &edged.Mask{W: 3, Stride: 3, H: h, Pix: make([]uint8, 3*h)}
		for i := range m.Pix {
			m.Pix[i] = uint8(row/2 + int64(i/3))
		}
		var e maskpng.Encoder
		b, err := e.Encode(nil, m, 1, time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		r := &mqtt.Result{Line: &mqtt.Line{Row: row, Rows: 2 * h, Begins: begins}, Mask: &mqtt.MaskRef{Encoding: mqtt.EncodingPNG, Bytes: len(b)}}
		if _, err := s.add("n/c", r, b); err != nil {
			t.Fatal(err)
		}
	}
	add(0, 5, true)
	add(10, 3, false)
	add(14, 1, false) // a part's last row once more
	add(16, 2, false)
	add(100, 4, true)
	add(120, 4, false) // some were lost on the way
	if err := s.end(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct{ first, rows int }{"belt_n_c_000000000.png": {0, 10}, "belt_n_c_000000100.png": {50, 4}, "belt_n_c_000000120.png": {60, 4}} {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(f)
		f.Close()
		g, ok := img.(*image.Gray)
		if err != nil || !ok || g.Rect.Dy() != want.rows {
			t.Fatalf("%s: %v, %v", name, img.Bounds(), err)
		}
		for y := range want.rows {
			if g.Pix[y*g.Stride] != byte(want.first+y) {
				t.Errorf("%s: row %d is row %d of the line", name, y, g.Pix[y*g.Stride])
			}
		}
	}
}
