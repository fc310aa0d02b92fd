package quality

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"edged"
)

// scene is a picture of stripes and noise, seen through a blur of so many passes.
func scene(w, h int, format edged.PixelFormat, passes int, gain float64) *edged.Frame {
	ch := format.Channels()
	f := &edged.Frame{W: w, H: h, Format: format, Stride: w*ch + 5}
	f.Pix = make([]byte, f.Stride*h)
	r := rand.New(rand.NewPCG(1, 2))
	plane := make([]float64, w*h)
	for i := range plane {
		plane[i] = 40 + 150*float64((i%w/9+i/w/7)%2) + 6*r.NormFloat64()
	}
	for range passes {
		next := slices.Clone(plane)
		for y := 1; y < h-1; y++ {
			for x := 1; x < w-1; x++ {
				i := y*w + x
				next[i] = (plane[i] + plane[i-1] + plane[i+1] + plane[i-w] + plane[i+w]) / 5
			}
		}
		plane = next
	}
	for y := range h {
		for x := range w {
			for c := range ch {
				f.Pix[y*f.Stride+x*ch+c] = byte(min(max(gain*plane[y*w+x]+float64(c), 0), 255))
			}
		}
	}
	return f
}

func whole(f *edged.Frame) Rect { return Rect{0, 0, f.W, f.H} }

// exact is the definition, over every pixel.
func exact(f *edged.Frame, r Rect) (q edged.Quality) {
	at := func(x, y int) float64 {
		p := f.Pix[(r.Y+y)*f.Stride+(r.X+x)*f.Format.Channels():]
		switch f.Format {
		case edged.BGR:
			return math.Round(0.114*float64(p[0]) + 0.587*float64(p[1]) + 0.299*float64(p[2]))
		case edged.RGB:
			return math.Round(0.299*float64(p[0]) + 0.587*float64(p[1]) + 0.114*float64(p[2]))
		}
		return float64(p[0])
	}
	var sum, squares, lap, lapSquares, inner float64
	n := float64(r.W * r.H)
	for y := range r.H {
		for x := range r.W {
			v := at(x, y)
			sum += v
			squares += v * v
			if v <= darkest {
				q.Dark += 1 / n
			}
			if v >= brightest {
				q.Bright += 1 / n
			}
			if x > 0 && y > 0 && x < r.W-1 && y < r.H-1 {
				l := at(x-1, y) + at(x+1, y) + at(x, y-1) + at(x, y+1) - 4*v
				lap += l
				lapSquares += l * l
				inner++
			}
		}
	}
	q.Contrast = math.Sqrt(variance(sum, squares, n))
	if inner > 0 {
		q.Blur = variance(lap, lapSquares, inner)
	}
	return q
}

func near(a, b, share, least float64) bool { return math.Abs(a-b) <= max(least, share*math.Abs(b)) }

// TestMeasure: as the definition, exactly where every row is looked at, and nearly
// where bands are.
func TestMeasure(t *testing.T) {
	var m Meter
	for _, c := range []struct {
		w, h  int
		share float64
	}{{64, 48, 0.02}, {3, 3, 0.02}, {1, 1, 0.02}, {2, 70, 0.02}, {97, 72, 0.02}, {160, 97, 0.1}, {640, 480, 0.1}, {321, 1000, 0.1}} {
		for _, format := range []edged.PixelFormat{edged.BGR, edged.RGB, edged.Gray} {
			for _, gain := range []float64{0.1, 1, 3} {
				f := scene(c.w, c.h, format, 1, gain)
				r := whole(f)
				if c.w > 50 {
					r = Rect{7, 5, c.w - 12, c.h - 9}
				}
				got, want := m.Measure(f, r), exact(f, r)
				if !near(got.Dark, want.Dark, c.share, 0.03) || !near(got.Bright, want.Bright, c.share, 0.03) ||
					!near(got.Contrast, want.Contrast, c.share, 0.5) || !near(got.Blur, want.Blur, c.share, 3) {
					t.Errorf("%dx%d %v gain %v: %+v, want %+v", c.w, c.h, format, gain, got, want)
				}
			}
		}
	}
}

// TestMeasureTellsBlur: each pass of a blur costs sharpness, and no contrast to speak of.
func TestMeasureTellsBlur(t *testing.T) {
	var m Meter
	last := math.Inf(1)
	for passes := range 6 {
		f := scene(640, 480, edged.BGR, passes, 1)
		q := m.Measure(f, whole(f))
		if q.Blur > last/1.3 {
			t.Errorf("%d passes: %v after %v", passes, q.Blur, last)
		}
		last = q.Blur
	}
}

// TestBands: no more rows than are worth their time, over the whole height.
func TestBands(t *testing.T) {
	for _, h := range []int{85, 100, 480, 1080, 4000} {
		var rows []int
		for y := 0; y < h; y++ {
			if y = skip(y, h); y < h {
				rows = append(rows, y)
			}
		}
		slices.Sort(rows)
		if n := len(slices.Compact(slices.Clone(rows))); n != len(rows) || n > rowsWhole || n < rowsWhole*2/3 {
			t.Errorf("height %d: %d rows, %d different", h, len(rows), n)
		}
		if rows[0] != 0 || rows[len(rows)-1] < h-2*bandRows {
			t.Errorf("height %d: rows %d to %d", h, rows[0], rows[len(rows)-1])
		}
	}
}

func TestAlike(t *testing.T) {
	m := Meter{Repeats: true}
	f := scene(64, 400, edged.Gray, 0, 1)
	for i := range 3 {
		if q := m.Measure(f, whole(f)); q.Alike != i+1 {
			t.Errorf("picture %d: alike %d", i, q.Alike)
		}
	}
	f.Pix[13*f.Stride+60] ^= 1 // outside of the bands, and all the same
	if q := m.Measure(f, whole(f)); q.Alike != 1 {
		t.Errorf("another picture: alike %d", q.Alike)
	}
}

func TestMeasureAllocatesNothing(t *testing.T) {
	m := Meter{Repeats: true}
	f := scene(640, 480, edged.BGR, 0, 1)
	m.Measure(f, whole(f))
	if n := testing.AllocsPerRun(10, func() { m.Measure(f, Rect{10, 10, 600, 400}) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestLearnt: what is learnt from good pictures lets them all pass, and neither a
// black one nor an overexposed, blurred or grey one.
func TestLearnt(t *testing.T) {
	var m Meter
	var seen Range
	var good []edged.Quality
	for i := range 12 {
		f := scene(320, 240, edged.BGR, i%2, 0.9+0.02*float64(i))
		q := m.Measure(f, whole(f))
		good = append(good, q)
		seen.Add(q)
	}
	l := seen.Limits()
	for i, q := range good {
		if why := l.Outside(nil, &q); len(why) != 0 {
			t.Errorf("good picture %d: %+v", i, why)
		}
	}
	for _, c := range []struct {
		f    *edged.Frame
		kind string
	}{
		{scene(320, 240, edged.BGR, 0, 0), Dark}, {scene(320, 240, edged.BGR, 0, 9), Bright},
		{scene(320, 240, edged.BGR, 9, 1), Blur}, {scene(320, 240, edged.BGR, 0, 0.3), Contrast},
	} {
		q := m.Measure(c.f, whole(c.f))
		if why := l.Outside(nil, &q); !slices.ContainsFunc(why, func(r edged.Reason) bool { return r.Kind == c.kind && r.Text != "" }) {
			t.Errorf("%s: %+v with %+v", c.kind, why, q)
		}
	}
	frozen := Limits{Frozen: 2}
	if why := frozen.Outside(nil, &edged.Quality{Alike: 2}); len(why) != 1 || why[0].Kind != Frozen || !frozen.Any() || new(Limits).Any() {
		t.Errorf("frozen: %+v", why)
	}
}

func BenchmarkMeasure(b *testing.B) {
	for _, format := range []edged.PixelFormat{edged.BGR, edged.Gray} {
		b.Run("640x480/"+format.String(), func(b *testing.B) {
			m := Meter{Repeats: true}
			f := scene(640, 480, format, 0, 1)
			b.ReportAllocs()
			for b.Loop() {
				m.Measure(f, whole(f))
			}
		})
	}
}
