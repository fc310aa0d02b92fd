package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"edged/capture/belt"
)

// mistakes are how masks are wrong, and what learning does about it. The zero
// value: not at all, and nothing.
type mistakes struct {
	share float64 // of the pixels, whose class is another one, drawn evenly
	move  int     // pixels that boundaries are moved by, here this way and there that way
	band  int     // pixels on both sides of a boundary that are left out (tune --ignore-band)
}

// labelledFrames is how many frames each row learns from.
const labelledFrames = 8

// allMistakes are the rows.
var allMistakes = []mistakes{
	{}, {band: 2},
	{share: 0.05}, {share: 0.1}, {share: 0.2}, {share: 0.4},
	{move: 1}, {move: 1, band: 1}, {move: 2}, {move: 2, band: 2}, {move: 3}, {move: 3, band: 3},
}

func (m mistakes) String() string {
	s := "masks as they are"
	switch {
	case m.share > 0:
		s = fmt.Sprintf("%.0f %% of the pixels wrong", 100*m.share)
	case m.move > 0:
		s = fmt.Sprintf("boundaries moved by %d", m.move)
	}
	if m.band > 0 {
		s += fmt.Sprintf(", a band of %d ignored", m.band)
	}
	return s
}

// spoil makes a mask wrong.
func (m mistakes) spoil(mask []byte, w, h int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 21))
	out := append([]byte{}, mask...)
	if m.move > 0 {
		shift := directions(r)
		for y := range h {
			for x := range w {
				sin, cos := math.Sincos(shift(x, y))
				u, v := x+int(math.Round(float64(m.move)*cos)), y+int(math.Round(float64(m.move)*sin))
				out[y*w+x] = mask[max(0, min(h-1, v))*w+max(0, min(w-1, u))]
			}
		}
	}
	for i, c := range out {
		if r.Float64() < m.share {
			out[i] = byte((int(c) + 1 + r.IntN(belt.Classes-1)) % belt.Classes)
		}
	}
	return out
}

// directions is an angle for each pixel that turns slowly over the picture, as a
// hand draws too far out here and too far in there.
func directions(r *rand.Rand) func(x, y int) float64 {
	var wave [3][4]float64
	for i := range wave {
		wave[i] = [4]float64{r.NormFloat64() / 20, r.NormFloat64() / 20, r.Float64() * 2 * math.Pi, math.Pi}
	}
	start := r.Float64() * 2 * math.Pi
	return func(x, y int) float64 {
		a := start
		for _, k := range wave {
			a += k[3] * math.Sin(k[0]*float64(x)+k[1]*float64(y)+k[2])
		}
		return a
	}
}
