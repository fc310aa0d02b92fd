package belt

import (
	"math"

	"edged"
)

// one is full light in the fixed point that the compositor calculates in: 15
// fractional bits, so that the product of two lights up to 1.4 fits 32 bits.
const one = 1 << 15

// The highlight is a band that lies across the picture: bandLen steps of a
// quarter pixel make one period.
const (
	bandLen  = 4096
	bandMask = bandLen - 1
	bandX    = 3  // quarter pixels per column ...
	bandY    = -2 // ... and per row: it leans
)

// The tone curve is looked up by value + toneBias, so that grain may reach below
// black and a highlight above white.
const (
	toneBias = 128
	toneLen  = 1024
)

func (s *Scene) setLamp() {
	s.lampXs, s.lampYs = falloff(s.cfg.W, 0.17), falloff(s.cfg.H, 0.13)
	if s.cfg.Line { // its lamp lies across the belt
		for i := range s.lampXs {
			s.lampXs[i] = one
		}
	}
	s.light = make([]uint32, s.cfg.W)
	for i := range s.band {
		a := 2 * math.Pi * float64(i) / bandLen
		v := 0.5 + 0.38*math.Cos(a) + 0.12*math.Cos(2*a+0.9)
		s.band[i] = uint32(200 * max(0, v))
	}
	for i := range s.tone {
		s.tone[i] = tone(float64(i - toneBias))
	}
}

// falloff is vignetting along one axis: loss is what the corners lack.
func falloff(n int, loss float64) []uint32 {
	out := make([]uint32, n)
	for i := range out {
		t := 2*(float64(i)+0.5)/float64(n) - 1
		out[i] = uint32(one * (1 - loss*t*t*(0.6+0.4*t*t)))
	}
	return out
}

// tone is a camera's response: a soft shoulder where a highlight would clip.
func tone(v float64) uint8 {
	const knee = 190.0
	if v > knee {
		v = knee + (255-knee)*(1-math.Exp(-(v-knee)/(255-knee)))
	}
	return uint8(math.Round(max(0, min(255, v))))
}

// lamp is the state of the light at frame k: its power, a tilt from left to
// right, and where the highlight stands (in quarter pixels).
func (s *Scene) lamp(k uint64) (power, tilt float64, at int) {
	if s.cfg.Line {
		return 1, 0, int(bandX * s.Offset(k) & bandMask)
	}
	r := newRNG(s.cfg.Seed, 2)
	p1, p2, p3 := r.in(0, 6), r.in(0, 6), r.in(0, 6)
	t := float64(k)
	flicker := newRNG(s.cfg.Seed, 3, k)
	power = 1 + 0.06*math.Sin(t/170+p1) + 0.03*math.Sin(t/41+p2) + flicker.in(-0.006, 0.006)
	tilt = 0.07 * math.Sin(t/260+p3)
	at = int(900*math.Sin(t/330+p2)) + int(r.in(0, bandLen))
	return power, tilt, at
}

// compose lights the part of the ring that frame k sees.
func (s *Scene) compose(k uint64, f *edged.Frame) {
	w, h := s.cfg.W, s.cfg.H
	if cap(f.Pix) < 3*w*h {
		f.Pix = make([]byte, 3*w*h)
	}
	f.Pix, f.Stride, f.W, f.H, f.Format = f.Pix[:3*w*h], 3*w, w, h, edged.BGR
	power, tilt, at := s.lamp(k)
	for x := range s.light {
		t := 2*float64(x)/float64(w) - 1
		s.light[x] = uint32(float64(s.lampXs[x]) * power * (1 + tilt*t))
	}
	start := slot(s.Offset(k), s.ringW)
	noise := newRNG(s.cfg.Seed, 4, k)
	for y := range h {
		row := s.base[y*s.ringW : (y+1)*s.ringW]
		grain := s.grain[3*noise.n(grainLen):]
		dst := f.Pix[3*y*w : 3*(y+1)*w]
		n := min(w, s.ringW-start)
		band := at + bandY*y
		s.span(dst[:3*n], row[start:start+n], s.light[:n], grain, s.lampYs[y], band)
		s.span(dst[3*n:], row[:w-n], s.light[n:], grain[3*n:], s.lampYs[y], band+bandX*n)
	}
}

// span is, for every pixel of part of a row,
//
//	dst = tone(base*light*lamp + shine*band*light*lamp + grain)
func (s *Scene) span(dst []byte, src, light []uint32, grain []int8, lamp uint32, band int) {
	light = light[:len(src)]
	dst = dst[:3*len(src)]
	grain = grain[:3*len(src)]
	for i, v := range src {
		l := light[i] * lamp >> 15
		shine := (v >> 24) * s.band[band&bandMask] >> 8
		band += bandX
		b := int((v&255+shine)*l>>15) + int(grain[3*i]) + toneBias
		g := int((v>>8&255+shine)*l>>15) + int(grain[3*i+1]) + toneBias
		r := int((v>>16&255+shine)*l>>15) + int(grain[3*i+2]) + toneBias
		dst[3*i] = s.tone[b&(toneLen-1)]
		dst[3*i+1] = s.tone[g&(toneLen-1)]
		dst[3*i+2] = s.tone[r&(toneLen-1)]
	}
}
