package data

import (
	"fmt"
	"math"

	"edged"
	"edged/capture/belt"
)

// The changed scene: the belt after the product changed. Seeds lie far from those
// that the bundled nets learnt from and were judged on.
const (
	ChangedSeed      = 900_000 // of the first frame to learn from; stated before anything was learnt
	ChangedJudgeSeed = 950_000 // of the first frame to judge by
)

// Changed renders frame k of the changed scene: the belt of seed first + k under
// another light (dimmer, warmer, falling off to one side), with parts of another
// surface (a brushed grain), and with smudges that are no defects. The classes of
// the pixels are the belt's own.
func Changed(first uint64, k, w, h int, f *edged.Frame, truth *edged.Mask) error {
	c := belt.Default()
	c.Seed, c.W, c.H = first+uint64(k), w, h
	s, err := belt.NewScene(c)
	if err != nil {
		return fmt.Errorf("train: changed scene: %w", err)
	}
	s.Render(uint64(40*k), f, truth)
	for y := range h {
		for x := range w {
			change(f.Pix[y*f.Stride+3*x:][:3], truth.Pix[y*truth.Stride+x], x, y, w, k)
		}
	}
	return nil
}

// change alters one pixel, BGR.
func change(p []byte, class uint8, x, y, w, k int) {
	light := 0.85 - 0.35*float64(x)/float64(w)
	if class != 0 { // brushed: lines along the belt
		light *= 1 + 0.12*math.Sin(float64(y)*1.9+3*math.Sin(float64(k)))
	}
	if dx, dy := float64((x+37*k)%97)-48, float64((y+11*k)%83)-41; dx*dx+3*dy*dy < 90 {
		light *= 0.8 // a smudge on the belt and on parts
	}
	tint := [3]float64{0.80, 1.0, 1.12}
	for i := range p {
		p[i] = byte(max(0, min(255, 14+tint[i]*light*float64(p[i]))))
	}
}
