package page

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"slices"
	"testing"
	"time"

	"edged"
)

// A coarse mask covers whole cells of a grey picture, and nothing beyond them.
func TestOverlayPlacesCells(t *testing.T) {
	f := &edged.Frame{Pix: make([]byte, 9*5), Stride: 9, W: 9, H: 5, Format: edged.Gray}
	m := &edged.Mask{Pix: []byte{0, 1}, Stride: 2, W: 2, H: 1, Grid: edged.Grid{Stride: [2]float64{3, 3}, Origin: [2]float64{2, 2}}}
	img := Overlay(f, m)
	for y := range f.H {
		for x := range f.W {
			_, g, _, _ := img.At(x, y).RGBA()
			if coloured, want := g > 0, x >= 4 && x <= 6 && y >= 1 && y <= 3; coloured != want {
				t.Errorf("pixel %d, %d coloured: %v", x, y, coloured)
			}
		}
	}
}

// On a frame decoded at half its size the mask lies where it lies on the whole one.
func TestOverlayOfReducedFrame(t *testing.T) {
	f := &edged.Frame{Pix: make([]byte, 8*4), Stride: 8, W: 8, H: 4, Format: edged.Gray, Reduced: 2}
	m := &edged.Mask{Pix: []byte{0, 1}, Stride: 2, W: 2, H: 1, Grid: edged.Grid{Stride: [2]float64{8, 8}, Origin: [2]float64{3.5, 3.5}}}
	img := Overlay(f, m)
	var e ng
	e.thumb(f, m)
	for y := range f.H {
		for x := range f.W {
			_, g, _, _ := img.At(x, y).RGBA()
			want := x >= 4
			if coloured := g > 0; coloured != want {
				t.Errorf("pixel %d, %d coloured: %v", x, y, coloured)
			}
			if coloured := e.pix[4*(y*e.w+x)+1] > 0; coloured != want {
				t.Errorf("pixel %d, %d of the small picture coloured: %v", x, y, coloured)
			}
		}
	}
	if w, h := f.Full(); w != 16 || h != 8 {
		t.Errorf("a camera's picture of %dx%d", w, h)
	}
}

// A snapshot tells which result it belongs to, bare and under its mask.
func TestSnapshotNamesItsResult(t *testing.T) {
	p := New("node", []string{"a"})
	keepShowing(t, p, blueFrame(40, 30, edged.BGR))
	for _, overlay := range []bool{false, true} {
		j, shot, err := p.Picture(context.Background(), "a", Wish{5000, overlay})
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("seq=%d ts=", shot.Seq); !bytes.Contains(j[:80], []byte(want)) || len(j) > 5000 {
			t.Errorf("%d bytes begin with %q, not with %q", len(j), j[:80], want)
		}
		img, err := jpeg.Decode(bytes.NewReader(j))
		if err != nil || img.Bounds() != image.Rect(0, 0, 40, 30) {
			t.Errorf("%v, %v", img.Bounds(), err)
		}
	}
}

// Overlays go on while there are results, cost nobody's page a picture, and end
// with their context.
func TestOverlays(t *testing.T) {
	p := New("node", []string{"a"})
	keepShowing(t, p, blueFrame(40, 30, edged.BGR))
	ctx, cancel := context.WithCancel(context.Background())
	var seen [][]byte
	p.Overlays(ctx, "a", time.Millisecond, func() int { return math.MaxInt }, func(j []byte) {
		if seen = append(seen, slices.Clone(j)); len(seen) == 3 {
			cancel()
		}
	})
	c := p.cameras["a"]
	if len(seen) != 3 || bytes.Equal(seen[0], seen[1]) || c.wishes.Load() != 0 || c.latest.live != nil {
		t.Errorf("%d pictures, %d wishes, %d bytes for viewers", len(seen), c.wishes.Load(), len(c.latest.live))
	}
	p.Overlays(ctx, "nobody", time.Millisecond, nil, nil)
}
