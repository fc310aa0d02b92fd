package eval

import (
	"math"
	"testing"

	"edged"
)

// ramp is a picture whose levels rise along x, with a class to each side.
func ramp() *Sample {
	const w, h = 24, 16
	s := &Sample{Name: "ramp", Frame: edged.Frame{Pix: make([]byte, 3*w*h), Stride: 3 * w, W: w, H: h, Format: edged.BGR},
		Truth: edged.Mask{Pix: make([]byte, w*h), Stride: w, W: w, H: h}}
	for p := range w * h {
		for c := range 3 {
			s.Frame.Pix[3*p+c] = byte(10*(p%w) + 5*c)
		}
		if p%w >= w/2 {
			s.Truth.Pix[p] = 1
		}
	}
	return s
}

func means(s *Sample) (mean, sd float64) {
	n := float64(len(s.Frame.Pix))
	for _, p := range s.Frame.Pix {
		mean += float64(p) / n
	}
	for _, p := range s.Frame.Pix {
		sd += (float64(p) - mean) * (float64(p) - mean) / n
	}
	return mean, math.Sqrt(sd)
}

// The step that is none leaves a picture as it is; the others do what they say.
func TestPerturbations(t *testing.T) {
	was := ramp()
	mean, sd := means(was)
	for _, p := range Perturbations() {
		found := false
		for _, v := range p.Steps {
			s := ramp()
			if err := p.apply(s, v); err != nil {
				t.Fatal(err)
			}
			m, d := means(s)
			same := string(s.Frame.Pix) == string(was.Frame.Pix)
			switch {
			case v == p.None:
				found = true
				if !same || string(s.Truth.Pix) != string(was.Truth.Pix) {
					t.Errorf("%s %g changes the picture", p.Name, v)
				}
			case same:
				t.Errorf("%s %g changes nothing", p.Name, v)
			case p.Name == "brightness" && (m > mean) != (v > 0), p.Name == "contrast" && (d > sd) != (v > 1), p.Name == "gamma" && (m > mean) != (v < 1):
				t.Errorf("%s %g: mean %.1f after %.1f, spread %.1f after %.1f", p.Name, v, m, mean, d, sd)
			case p.Name == "shift" && (s.Truth.Pix[12+int(v)] != 1 || s.Truth.Pix[11+int(v)] != 0):
				t.Errorf("shift %g: the truth did not come along: %v", v, s.Truth.Pix[:24])
			}
		}
		if !found {
			t.Errorf("%s: no step leaves the picture as it is", p.Name)
		}
	}
}

// A blur keeps a constant picture, and spreads a dot evenly to all sides.
func TestBlurByHand(t *testing.T) {
	s := ramp()
	for i := range s.Frame.Pix {
		s.Frame.Pix[i] = 77
	}
	if err := blur(s, 2); err != nil {
		t.Fatal(err)
	}
	for _, p := range s.Frame.Pix {
		if p != 77 {
			t.Fatalf("a constant became %d", p)
		}
	}
	at := func(y, x int) *byte { return &s.Frame.Pix[y*s.Frame.Stride+3*x] }
	clear(s.Frame.Pix)
	*at(8, 12) = 255
	if err := blur(s, 1); err != nil {
		t.Fatal(err)
	}
	if want := 255 / (2 * math.Pi); math.Abs(float64(*at(8, 12))-want) > 2 || *at(7, 12) != *at(8, 11) || *at(9, 12) != *at(7, 12) || *at(8, 13) != *at(8, 11) {
		t.Errorf("centre %d (%.1f by hand), sides %d %d %d %d", *at(8, 12), want, *at(7, 12), *at(9, 12), *at(8, 11), *at(8, 13))
	}
}
