package belt

import (
	"math"
	"testing"

	"edged"
)

// stats are mean and deviation of brightness, and mean colour, of the pixels that
// a test picks.
type stats struct{ n, sum, square, blue, red float64 }

func (s *stats) add(p []byte) {
	v := (float64(p[0]) + float64(p[1]) + float64(p[2])) / 3
	s.n, s.sum, s.square = s.n+1, s.sum+v, s.square+v*v
	s.blue, s.red = s.blue+float64(p[0]), s.red+float64(p[2])
}

func (s *stats) mean() float64 { return s.sum / s.n }
func (s *stats) dev() float64  { return math.Sqrt(max(0, s.square/s.n-s.mean()*s.mean())) }

// perClass gathers statistics of clear pixels over some frames.
func perClass(t *testing.T, c Config) (out [Classes]stats) {
	t.Helper()
	s := mustScene(t, c)
	var f edged.Frame
	var m edged.Mask
	for k := uint64(0); k < 4000; k += 150 {
		s.Render(k, &f, &m)
		for y := 2; y < m.H-2; y++ {
			for x := 2; x < m.W-2; x++ {
				if uniform(&m, x, y, 2) {
					out[m.Pix[y*m.Stride+x]].add(f.Pix[y*f.Stride+3*x:])
				}
			}
		}
	}
	return out
}

// What a person sees at a glance: dark belt, bright steel, dark rough pits, dull
// and tinted stains, scratches that are dark and bright at once.
func TestClassesLookTheirPart(t *testing.T) {
	c := perClass(t, small())
	if b, m := c[Background].mean(), c[Metal].mean(); b > 70 || m < 110 || m > 215 {
		t.Errorf("belt %.0f, metal %.0f grey levels", b, m)
	}
	if p, m := c[Pit].mean(), c[Metal].mean(); p > 0.7*m || p < 1.2*c[Background].mean() {
		t.Errorf("pits %.0f, metal %.0f: pits are dark but no holes", p, m)
	}
	if s, m := c[Stain].mean(), c[Metal].mean(); s > 0.92*m || s < 0.5*m {
		t.Errorf("stains %.0f, metal %.0f", s, m)
	}
	if s, m := c[Scratch].dev(), c[Metal].dev(); s < 1.2*m {
		t.Errorf("deviation of scratches %.1f, of metal %.1f", s, m)
	}
	for class, s := range c {
		if s.mean()+2*s.dev() > 254 && class != int(Metal) {
			t.Errorf("%s: mean %.0f, deviation %.0f: it is blown out", Labels()[class], s.mean(), s.dev())
		}
	}
}

// The picture's edges are where the truth's are: from the border of a part inwards
// it turns bright within two pixels.
func TestTruthMeetsThePicture(t *testing.T) {
	c := small()
	c.Defects, c.Grain = 0, 0
	s := mustScene(t, c)
	var f edged.Frame
	var m edged.Mask
	var in, out stats
	for k := uint64(0); k < 3000; k += 300 {
		s.Render(k, &f, &m)
		for y := 4; y < m.H-4; y++ {
			for x := 4; x < m.W-4; x++ {
				if m.Pix[y*m.Stride+x] != Metal || m.Pix[y*m.Stride+x-1] != Background {
					continue
				}
				in.add(f.Pix[y*f.Stride+3*(x+2):])
				out.add(f.Pix[y*f.Stride+3*(x-3):])
			}
		}
	}
	if in.n < 500 || in.mean() < 2*out.mean() {
		t.Errorf("two pixels inside %.0f, two outside %.0f, at %.0f places", in.mean(), out.mean(), in.n)
	}
}

func TestLightDrifts(t *testing.T) {
	c := small()
	s := mustScene(t, c)
	low, high := math.Inf(1), math.Inf(-1)
	for k := range uint64(3000) {
		power, tilt, _ := s.lamp(k)
		low, high = min(low, power), max(high, power)
		if math.Abs(tilt) > 0.071 {
			t.Fatalf("frame %d: tilt %.3f", k, tilt)
		}
		next, _, _ := s.lamp(k + 1)
		if math.Abs(next-power) > 0.02 {
			t.Fatalf("frame %d: the light jumps by %.3f", k, next-power)
		}
	}
	if low > 0.96 || high < 1.04 || low < 0.85 || high > 1.15 {
		t.Errorf("light from %.3f to %.3f", low, high)
	}
}

// Grain is what differs between two frames of a belt that stands still, but for
// the lamp's flicker.
func TestGrainIsFreshInEveryFrame(t *testing.T) {
	c := small()
	c.Speed = 0
	s := mustScene(t, c)
	var a, b edged.Frame
	s.Render(10, &a, nil)
	s.Render(11, &b, nil)
	var square, n float64
	for i := range a.Pix {
		if a.Pix[i] < 120 { // the tone curve squeezes bright pixels
			d := float64(a.Pix[i]) - float64(b.Pix[i])
			square, n = square+d*d, n+1
		}
	}
	want := c.Grain * math.Sqrt2 // about: brightness and colour add up to sigma
	if dev := math.Sqrt(square / n); dev < 0.8*want || dev > 1.4*want {
		t.Errorf("two frames differ by %.2f grey levels, want about %.2f", dev, want)
	}
}

func TestToneCurve(t *testing.T) {
	last := uint8(0)
	for v := -toneBias; v < toneLen-toneBias; v++ {
		got := tone(float64(v))
		if got < last {
			t.Fatalf("tone(%d) = %d after %d", v, got, last)
		}
		last = got
	}
	if tone(-5) != 0 || tone(100) != 100 || tone(190) != 190 || tone(300) == 255 {
		t.Errorf("tone: %d %d %d %d", tone(-5), tone(100), tone(190), tone(300))
	}
}

// span against its formula in floating point.
func TestSpanIsItsFormula(t *testing.T) {
	c := small()
	s := mustScene(t, c)
	r := newRNG(6)
	src, light := make([]uint32, 97), make([]uint32, 97)
	for i := range src {
		src[i], light[i] = uint32(r.next()), uint32(r.in(0.7, 1.3)*one)
	}
	grain := make([]int8, 3*97)
	for i := range grain {
		grain[i] = int8(r.n(21) - 10)
	}
	const lamp, band = 30000, 4000
	dst := make([]byte, 3*97)
	s.span(dst, src, light, grain, lamp, band)
	for i, v := range src {
		l := float64(light[i]) / one * lamp / one
		shine := float64(v>>24) * float64(s.band[(band+bandX*i)&bandMask]) / 256
		for ch := range 3 {
			want := float64(tone((float64(v>>(8*ch)&255)+shine)*l + float64(grain[3*i+ch])))
			if math.Abs(float64(dst[3*i+ch])-want) > 2 { // three roundings down
				t.Fatalf("pixel %d channel %d: %d, formula %.1f", i, ch, dst[3*i+ch], want)
			}
		}
	}
}

// The highest light there can be stays inside the tables and the 32 bits.
func TestNothingOverflows(t *testing.T) {
	brightest := uint64(255+255*200/256) * (one * 14 / 10) * one >> 15
	if brightest > math.MaxUint32 {
		t.Errorf("base times light takes %d, more than 32 bits", brightest)
	}
	if top := (255+255*200/256)*12/10 + 127 + toneBias; top >= toneLen {
		t.Errorf("the tone curve is looked up at %d of %d", top, toneLen)
	}
}

func TestBlurKeepsBrightness(t *testing.T) {
	for _, speed := range []int{0, 1, 3, 9, 64} {
		c := small()
		c.Speed = speed
		sum, off := 0.0, 0.0
		for i, w := range mustScene(t, c).blur {
			sum, off = sum+float64(w), off+float64(w)*float64(i-reach)
		}
		if math.Abs(sum-1) > 1e-6 || math.Abs(off) > 1e-6 {
			t.Errorf("speed %d: the lens passes %.4f of the light, shifted by %.4f", speed, sum, off)
		}
	}
}
