package pipeline

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"edged"
)

// halved is what a decoder makes of a frame at half its size: means of 2 x 2.
func halved(f *edged.Frame) *edged.Frame {
	ch := f.Format.Channels()
	half := drawn(f.W/2, f.H/2, f.Format, func(x, y, k int) byte {
		sum := 0
		for i := range 4 {
			sum += int(f.Pix[(2*y+i/2)*f.Stride+(2*x+i%2)*ch+k])
		}
		return byte((sum + 2) / 4)
	})
	half.Reduced = 2
	return half
}

// A frame decoded at half its size has its mask, and what it is resized to, where
// the whole one has them.
func TestPrepareOfReducedFrames(t *testing.T) {
	whole := drawn(96, 64, edged.BGR, func(x, y, k int) byte { return byte(x + y + 10*k) })
	for _, rotate := range []int{0, 90, 180, 270} {
		for _, roi := range []Rect{{}, {X: 8, Y: 4, W: 80, H: 60}} {
			t.Run(fmt.Sprintf("%d-%v", rotate, roi), func(t *testing.T) {
				cfg := unit
				cfg.Rotate, cfg.ROI, cfg.Fit = rotate, roi, Resize
				p, err := NewPreparer(cfg, spec(edged.Float32, 1, 16, 20, 3))
				if err != nil {
					t.Fatal(err)
				}
				full, half := aligned(4*16*20*3), aligned(4*16*20*3)
				if err := p.Prepare(full, whole); err != nil {
					t.Fatal(err)
				}
				grid := edged.Grid{Stride: [2]float64{4, 4}, Origin: [2]float64{1.5, 1.5}}
				place, seen := p.Place(grid, 4, 5), p.Seen()
				if err := p.Prepare(half, halved(whole)); err != nil {
					t.Fatal(err)
				}
				if got := p.Place(grid, 4, 5); got != place || p.Seen() != seen {
					t.Errorf("placed at %v, seen %v; the whole frame at %v, %v", got, p.Seen(), place, seen)
				}
				a, b := edged.View[float32](full), edged.View[float32](half)
				for i := range a {
					if d := a[i] - b[i]; d > 1 || d < -1 {
						t.Fatalf("value %d: %g of the half, %g of the whole", i, b[i], a[i])
					}
				}
			})
		}
	}
}

// What is on its way when the model or the part changes is refused, never cropped.
func TestReducedFramesAreNeverCropped(t *testing.T) {
	half := halved(noise(96, 64, edged.BGR))
	for _, c := range []struct {
		fit Fit
		roi Rect
	}{{Crop, Rect{}}, {Crop, Rect{W: 40, H: 40}}, {Resize, Rect{X: 1, W: 40, H: 40}}, {Resize, Rect{W: 41, H: 40}}} {
		cfg := unit
		cfg.Fit, cfg.ROI = c.fit, c.roi
		p, err := NewPreparer(cfg, spec(edged.Float32, 1, 16, 20, 3))
		if err != nil {
			t.Fatal(err)
		}
		err = p.Prepare(aligned(4*16*20*3), half)
		if !errors.Is(err, ErrFrame) || !strings.Contains(err.Error(), "too coarse") {
			t.Errorf("%v of %v: %v", c.fit, c.roi, err)
		}
		if _, _, _, ok := p.Enough(); ok != (c.fit == Resize) {
			t.Errorf("%v: less is enough: %v", c.fit, ok)
		}
	}
	cfg := unit
	cfg.Fit, cfg.ROI = Resize, Rect{X: 60, W: 40, H: 40}
	p, err := NewPreparer(cfg, spec(edged.Float32, 1, 16, 20, 3))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Prepare(aligned(4*16*20*3), half); !errors.Is(err, ErrROI) {
		t.Errorf("a part outside of the camera's picture: %v", err)
	}
}
