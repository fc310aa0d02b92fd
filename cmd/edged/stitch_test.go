package main

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
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
	s := newStitcher(filepath.Join(dir, "belt.png"))
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
	add(0, 3, true)    // the daemon was started again
	add(6, 2, false)
	add(0, 1, true) // and again: nothing is laid over what was before
	told := 0
	if err := s.end(func(string, string) { told++ }); err != nil || told != 1 {
		t.Fatalf("%v, %d files told", err, told)
	}
	for name, want := range map[string]struct{ first, rows int }{"belt_n_c_000000000-2.png": {0, 5}, "belt_n_c_000000000-3.png": {0, 1}, "belt_n_c_000000000.png": {0, 10}, "belt_n_c_000000100.png": {50, 4}, "belt_n_c_000000120.png": {60, 4}} {
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

// TestNothingToStitch: what cannot be laid together is told once, with what helps.
func TestNothingToStitch(t *testing.T) {
	for want, r := range map[string]*mqtt.Result{
		"[camera.line]":             {},
		"mqtt.max_payload":          {Line: &mqtt.Line{}},
		`set mqtt.encoding = "png"`: {Line: &mqtt.Line{}, Mask: &mqtt.MaskRef{Encoding: mqtt.EncodingZstd}},
	} {
		s := newStitcher("belt.png")
		if why := s.why("n/c", r); !strings.Contains(why, want) || s.why("n/c", r) != "" {
			t.Errorf("%q, want %q once", why, want)
		}
	}
	s := newStitcher("")
	if why := s.why("n/c", &mqtt.Result{}); why != "" {
		t.Errorf("nobody asked: %q", why)
	}
}

// TestMasksThatOvertake: masks that are faster than their results are each found, and
// what has no mask takes none of another's.
func TestMasksThatOvertake(t *testing.T) {
	v := &viewer{masks: map[string][][]byte{}}
	var sizes []int
	for seq := range uint64(2 * mostMasks) {
		m := &edged.Mask{W: 3, Stride: 3, H: 2, Pix: make([]uint8, 6)}
		var e maskpng.Encoder
		b, err := e.Encode(nil, m, seq, time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(b))
		if seq != 70 {
			v.show(mqtt.Received{Topic: "/n/c/mask", Payload: bytes.Clone(b)})
		}
	}
	for _, c := range []struct {
		seq  uint64
		want bool
	}{{3, false}, {65, true}, {66, true}, {70, false}, {71, true}, {68, false}, {127, true}} {
		r := &mqtt.Result{Seq: c.seq, Mask: &mqtt.MaskRef{Encoding: mqtt.EncodingPNG, Bytes: sizes[c.seq]}}
		if got := v.maskOf("n/c", r); (got != nil) != c.want {
			t.Errorf("result %d: a mask %v, want %v", c.seq, got != nil, c.want)
		}
	}
}
