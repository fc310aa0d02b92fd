package eval

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"

	"edged"
)

// Perturbation is one way in which pictures get worse, in steps.
type Perturbation struct {
	Name  string
	Unit  string
	Steps []float64 // one of them leaves the picture as it is
	None  float64   // that one
	apply func(s *Sample, step float64) error
}

// Perturbations are what a camera on a line meets. Shift and scale move the truth
// along: a net should not care.
func Perturbations() []Perturbation {
	return []Perturbation{
		{"brightness", "grey levels added", []float64{-80, -40, -20, 0, 20, 40, 80}, 0, levels(func(p, v float64) float64 { return p + v })},
		{"contrast", "factor", []float64{0.4, 0.6, 0.8, 1, 1.25, 1.6}, 1, levels(func(p, v float64) float64 { return 128 + (p-128)*v })},
		{"gamma", "exponent", []float64{0.5, 0.7, 1, 1.4, 2}, 1, levels(func(p, v float64) float64 { return 255 * math.Pow(p/255, v) })},
		{"blur", "sigma, pixels", []float64{0, 0.5, 1, 1.5, 2.5}, 0, blur},
		{"noise", "standard deviation, grey levels", []float64{0, 4, 8, 16, 32}, 0, noise},
		{"jpeg", "quality", []float64{100, 90, 70, 50, 30, 10}, 100, throughJPEG},
		{"shift", "pixels, right and down", []float64{0, 1, 2, 4, 7}, 0, shift},
		{"scale", "factor", []float64{0.7, 0.85, 1, 1.2, 1.4}, 1, scale},
	}
}

// levels maps every value of a pixel alike.
func levels(f func(p, v float64) float64) func(*Sample, float64) error {
	return func(s *Sample, v float64) error {
		var table [256]byte
		for p := range table {
			table[p] = clampByte(f(float64(p), v))
		}
		eachRow(&s.Frame, func(row []byte) {
			for i, p := range row {
				row[i] = table[p]
			}
		})
		return nil
	}
}

func clampByte(v float64) byte { return byte(math.Round(max(0, min(255, v)))) }

func eachRow(f *edged.Frame, do func(row []byte)) {
	for y := range f.H {
		do(f.Pix[y*f.Stride:][:f.W*f.Format.Channels()])
	}
}

// noise adds the same grain to the same picture every time.
func noise(s *Sample, sd float64) error {
	r := rand.New(rand.NewPCG(uint64(len(s.Name)), uint64(s.Frame.W)))
	eachRow(&s.Frame, func(row []byte) {
		for i, p := range row {
			row[i] = clampByte(float64(p) + sd*r.NormFloat64())
		}
	})
	return nil
}

// blur is Gaussian, one axis after the other; edges are repeated.
func blur(s *Sample, sigma float64) error {
	if sigma <= 0 {
		return nil
	}
	n := int(math.Ceil(3 * sigma))
	taps, sum := make([]float64, 2*n+1), 0.0
	for i := range taps {
		d := float64(i - n)
		taps[i] = math.Exp(-d * d / (2 * sigma * sigma))
		sum += taps[i]
	}
	f := &s.Frame
	c := f.Format.Channels()
	along := func(count, length int, at func(line, i int) int) {
		line := make([]float64, length)
		for l := range count {
			for i := range line {
				line[i] = float64(f.Pix[at(l, i)])
			}
			for i := range line {
				v := 0.0
				for k, t := range taps {
					v += t * line[max(0, min(length-1, i+k-n))]
				}
				f.Pix[at(l, i)] = clampByte(v / sum)
			}
		}
	}
	along(f.H*c, f.W, func(l, i int) int { return l/c*f.Stride + i*c + l%c })
	along(f.W*c, f.H, func(l, i int) int { return i*f.Stride + l })
	return nil
}

// throughJPEG encodes and decodes.
func throughJPEG(s *Sample, quality float64) error {
	f := &s.Frame
	if quality >= 100 {
		return nil
	}
	if f.Format == edged.Gray {
		return fmt.Errorf("eval: jpeg: colour pictures are understood")
	}
	red := map[edged.PixelFormat]int{edged.BGR: 2}[f.Format]
	img := image.NewRGBA(image.Rect(0, 0, f.W, f.H))
	for y := range f.H {
		for x := range f.W {
			p, q := f.Pix[y*f.Stride+3*x:], img.Pix[y*img.Stride+4*x:]
			q[0], q[1], q[2], q[3] = p[red], p[1], p[2-red], 255
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: int(quality)}); err != nil {
		return err
	}
	got, err := jpeg.Decode(&b)
	if err != nil {
		return err
	}
	for y := range f.H {
		for x := range f.W {
			r, g, bl, _ := got.At(x, y).RGBA()
			p := f.Pix[y*f.Stride+3*x:]
			p[red], p[1], p[2-red] = byte(r>>8), byte(g>>8), byte(bl>>8)
		}
	}
	return nil
}

// shift moves picture and truth; edges are repeated.
func shift(s *Sample, by float64) error {
	return s.remap(func(y, x float64) (float64, float64) { return y - by, x - by })
}

// scale enlarges picture and truth about the centre.
func scale(s *Sample, by float64) error {
	cy, cx := float64(s.Frame.H-1)/2, float64(s.Frame.W-1)/2
	return s.remap(func(y, x float64) (float64, float64) { return cy + (y-cy)/by, cx + (x-cx)/by })
}

// remap takes each pixel from where at says, bilinear, and its class from the
// nearest pixel there.
func (s *Sample) remap(at func(y, x float64) (float64, float64)) error {
	f, m := &s.Frame, &s.Truth
	c := f.Format.Channels()
	pix, ids := make([]byte, len(f.Pix)), make([]byte, len(m.Pix))
	for y := range f.H {
		for x := range f.W {
			v, u := at(float64(y), float64(x))
			v, u = max(0, min(float64(f.H-1), v)), max(0, min(float64(f.W-1), u))
			y0, x0 := int(v), int(u)
			y1, x1 := min(y0+1, f.H-1), min(x0+1, f.W-1)
			fy, fx := v-float64(y0), u-float64(x0)
			for k := range c {
				p := func(y, x int) float64 { return float64(f.Pix[y*f.Stride+x*c+k]) }
				pix[y*f.Stride+x*c+k] = clampByte((1-fy)*((1-fx)*p(y0, x0)+fx*p(y0, x1)) + fy*((1-fx)*p(y1, x0)+fx*p(y1, x1)))
			}
			ids[y*m.Stride+x] = m.Pix[int(math.Round(v))*m.Stride+int(math.Round(u))]
		}
	}
	f.Pix, m.Pix = pix, ids
	return nil
}
