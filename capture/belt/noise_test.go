package belt

import (
	"math"
	"testing"
)

func TestStreamsAreTheirOwn(t *testing.T) {
	first := map[uint64][]uint64{}
	for a := range uint64(20) {
		for b := range uint64(20) {
			r := newRNG(a, b)
			v := r.next()
			if with, ok := first[v]; ok {
				t.Fatalf("(%d,%d) starts like %v", a, b, with)
			}
			first[v] = []uint64{a, b}
		}
	}
	x, y := newRNG(4, 5), newRNG(4, 5)
	for range 10 {
		if x.next() != y.next() {
			t.Fatal("one key gives two streams")
		}
	}
}

func TestRandomNumbersKeepTheirRanges(t *testing.T) {
	r := newRNG(1)
	var sum, square float64
	const n = 20000
	for range n {
		if v := r.float(); v < 0 || v >= 1 {
			t.Fatalf("float %v", v)
		}
		if v := r.in(-3, 5); v < -3 || v >= 5 {
			t.Fatalf("in %v", v)
		}
		if v := r.n(7); v < 0 || v > 6 {
			t.Fatalf("n %v", v)
		}
		g := r.gauss()
		sum, square = sum+g, square+g*g
	}
	// Five standard errors of the mean and of the variance of n normal numbers.
	if mean := sum / n; math.Abs(mean) > 5/math.Sqrt(n) {
		t.Errorf("mean of the normal numbers %v", mean)
	}
	if v := square / n; math.Abs(v-1) > 5*math.Sqrt(2.0/n) {
		t.Errorf("variance of the normal numbers %v", v)
	}
}

// Textures wrap without a seam: across the border they change no faster than
// elsewhere.
func TestTexturesWrap(t *testing.T) {
	r := newRNG(2)
	for name, tex := range map[string]texture{"cloud": newCloud(&r), "brush": newBrush(&r)} {
		inside, border := 0.0, 0.0
		for i := range texSize {
			at := float64(i)
			inside = max(inside, math.Abs(tex.at(at, 200)-tex.at(at, 201)), math.Abs(tex.at(200, at)-tex.at(201, at)))
			border = max(border, math.Abs(tex.at(at, texSize-1)-tex.at(at, texSize)), math.Abs(tex.at(texSize-1, at)-tex.at(texSize, at)))
		}
		if border > 2*inside {
			t.Errorf("%s: a step of %.3f over the border, at most %.3f inside", name, border, inside)
		}
		if got, want := tex.at(-3.5, 7), tex.at(texSize-3.5, 7-texSize); got != want {
			t.Errorf("%s: %v at -3.5, %v a period on", name, got, want)
		}
		spread(t, name, tex)
	}
}

// spread wants values around 0 that use the range -1..1 without leaving it far.
func spread(t *testing.T, name string, tex texture) {
	t.Helper()
	sum, square := 0.0, 0.0
	for _, v := range tex {
		if math.Abs(float64(v)) > 2 {
			t.Fatalf("%s: value %v", name, v)
		}
		sum, square = sum+float64(v), square+float64(v)*float64(v)
	}
	n := float64(len(tex))
	if mean, dev := sum/n, math.Sqrt(square/n); math.Abs(mean) > 0.1 || dev < 0.15 || dev > 0.5 {
		t.Errorf("%s: mean %.3f, deviation %.3f", name, mean, dev)
	}
}

func TestTextureInterpolates(t *testing.T) {
	tex := make(texture, texSize*texSize)
	tex[0], tex[1], tex[texSize], tex[texSize+1] = 1, 2, 3, 4
	for _, c := range []struct{ x, y, want float64 }{{0, 0, 1}, {1, 0, 2}, {0.5, 0, 1.5}, {0, 0.5, 2}, {0.5, 0.5, 2.5}, {0.25, 1, 3.25}} {
		if got := tex.at(c.x, c.y); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("at (%g,%g): %g, want %g", c.x, c.y, got, c.want)
		}
	}
}

// Ground steel is smooth along its marks and rough across.
func TestBrushIsAnisotropic(t *testing.T) {
	r := newRNG(3)
	tex := newBrush(&r)
	along, across := 0.0, 0.0
	for i := range 20000 {
		x, y := float64(i%texSize), float64(i/texSize*7)
		along += math.Abs(tex.at(x, y) - tex.at(x+3, y))
		across += math.Abs(tex.at(x, y) - tex.at(x, y+3))
	}
	if along*2 > across {
		t.Errorf("changes along %.0f, across %.0f: not twice as much", along, across)
	}
}

func TestGrainHasItsStrength(t *testing.T) {
	for _, sigma := range []float64{0, 2.2, 6} {
		r := newRNG(4)
		strip := newGrain(&r, sigma, 100)
		sum, square := 0.0, 0.0
		for _, v := range strip {
			sum, square = sum+float64(v), square+float64(v)*float64(v)
		}
		n := float64(len(strip))
		dev := math.Sqrt(square / n)
		// Brightness and colour add up: sqrt(0.85² + 0.45² + 0.35²) of sigma; rounding
		// to whole levels adds 1/12 to the variance.
		want := math.Sqrt(sigma*sigma*(0.85*0.85+0.45*0.45+0.35*0.35) + 1.0/12)
		if sigma == 0 {
			want = 0
		}
		if math.Abs(dev-want) > 0.03*want || math.Abs(sum/n) > 7*(dev+0.01)/math.Sqrt(grainLen) { // five standard errors; neighbours are alike
			t.Errorf("sigma %g: deviation %.3f, want %.3f, mean %.3f", sigma, dev, want, sum/n)
		}
		for i := range 300 {
			if strip[3*grainLen+i] != strip[i] {
				t.Fatal("the tail does not repeat the head")
			}
		}
	}
}

func TestSmoothSteps(t *testing.T) {
	for _, c := range []struct{ got, want float64 }{
		{step(2, 4, 1), 0}, {step(2, 4, 3), 0.5}, {step(2, 4, 9), 1}, {step(4, 2, 1), 1}, {step(4, 2, 5), 0},
		{bump(0, 2), 1}, {bump(2, 2), 0}, {bump(-5, 2), 0}, {bump(1, 2), 0.5625}, {lerp(2, 6, 0.25), 3},
	} {
		if math.Abs(c.got-c.want) > 1e-12 {
			t.Errorf("got %g, want %g", c.got, c.want)
		}
	}
}
