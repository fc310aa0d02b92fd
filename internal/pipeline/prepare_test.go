package pipeline

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"edged"
)

var unit = PrepareConfig{Order: edged.RGB, Mean: []float64{0}, Scale: []float64{1}}

// noise is a picture of pseudo-random pixels.
func noise(w, h int, format edged.PixelFormat) *edged.Frame {
	r := rand.New(rand.NewPCG(uint64(w), uint64(h)))
	return drawn(w, h, format, func(int, int, int) byte { return byte(r.Uint32()) })
}

// turnedPixel is the definition of a clockwise turn: where pixel (x, y) of the
// turned rectangle of w by h comes from.
func turnedPixel(x, y, w, h, rotate int) (int, int) {
	switch rotate {
	case 90:
		return y, h - 1 - x
	case 180:
		return w - 1 - x, h - 1 - y
	case 270:
		return w - 1 - y, x
	}
	return x, y
}

// wantPixel computes the prepared value of the definition, one pixel at a time.
func wantPixel(f *edged.Frame, roi Rect, cfg PrepareConfig, mw, mh, x, y, k int) float64 {
	tw, th := roi.W, roi.H
	if cfg.Rotate%180 != 0 {
		tw, th = th, tw
	}
	fx, fy := turnedPixel(x+(tw-mw)/2, y+(th-mh)/2, roi.W, roi.H, cfg.Rotate)
	fx, fy = fx+roi.X, fy+roi.Y
	if f.Format == edged.Gray {
		return float64(at(f, fx, fy, 0))
	}
	first, last := 0, 2
	if f.Format == edged.BGR {
		first, last = 2, 0
	}
	r, g, b := float64(at(f, fx, fy, first)), float64(at(f, fx, fy, 1)), float64(at(f, fx, fy, last))
	switch {
	case cfg.Order == edged.Gray:
		return math.Round(0.299*r + 0.587*g + 0.114*b)
	case cfg.Order == edged.BGR:
		return [3]float64{b, g, r}[k]
	}
	return [3]float64{r, g, b}[k]
}

func TestPrepareCropsTurnsAndReorders(t *testing.T) {
	const mw, mh = 6, 4
	for _, format := range []edged.PixelFormat{edged.BGR, edged.RGB, edged.Gray} {
		for _, order := range []edged.PixelFormat{edged.BGR, edged.RGB, edged.Gray} {
			for _, rotate := range []int{0, 90, 180, 270} {
				for _, roi := range []Rect{{}, {X: 3, Y: 2, W: 9, H: 11}} {
					t.Run(fmt.Sprintf("%v-%v-%d-%v", format, order, rotate, roi), func(t *testing.T) {
						f := noise(17, 15, format)
						cfg := PrepareConfig{ROI: roi, Rotate: rotate, Order: order, Mean: []float64{10}, Scale: []float64{0.5}}
						p, err := NewPreparer(cfg, spec(edged.Float32, 1, mh, mw, order.Channels()))
						if err != nil {
							t.Fatal(err)
						}
						dst := aligned(4 * mw * mh * order.Channels())
						if err := p.Prepare(dst, f); err != nil {
							t.Fatal(err)
						}
						full := roi
						if full == (Rect{}) {
							full = Rect{W: f.W, H: f.H}
						}
						for i, got := range floats(dst) {
							k, x, y := i%order.Channels(), i/order.Channels()%mw, i/order.Channels()/mw
							want := (wantPixel(f, full, cfg, mw, mh, x, y, k) - 10) / 2
							// A grey value may round the other way: BT.601 in 14 bits.
							if diff := math.Abs(float64(got) - want); diff > 0.5 || diff > 0 && order != edged.Gray {
								t.Fatalf("pixel (%d,%d) channel %d: %v, want %v", x, y, k, got, want)
							}
						}
					})
				}
			}
		}
	}
}

func TestPrepareQuantises(t *testing.T) {
	f := noise(5, 3, edged.BGR)
	for _, c := range []struct {
		kind  edged.DType
		quant edged.Quant
		want  func(pixel byte) byte
	}{
		{edged.Uint8, edged.Quant{Scale: 1.0 / 255}, func(p byte) byte { return p }},
		{edged.Int8, edged.Quant{Scale: 1.0 / 255, ZeroPoint: -128}, func(p byte) byte { return byte(int(p) - 128) }},
		{edged.Int8, edged.Quant{Scale: 0.004, ZeroPoint: 10}, func(p byte) byte {
			return byte(int8(min(math.Round(float64(p)/255/float64(float32(0.004)))+10, 127)))
		}},
	} {
		s := edged.Spec{Name: "q", Shape: []int{1, 3, 5, 3}, Type: c.kind, Quant: c.quant}
		cfg := PrepareConfig{Order: edged.RGB, Mean: []float64{0}, Scale: []float64{1.0 / 255}}
		p, err := NewPreparer(cfg, s)
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]byte, s.Bytes())
		if err := p.Prepare(dst, f); err != nil {
			t.Fatal(err)
		}
		for i, got := range dst {
			if want := c.want(at(f, i/3%5, i/15, 2-i%3)); got != want {
				t.Fatalf("%v: element %d: %d, want %d", s, i, got, want)
			}
		}
	}
}

// A linear ramp resized by the half-pixel rule stays the ramp, away from the
// border: value(x) = position of the output pixel's centre in input pixels.
func TestResizeKeepsARamp(t *testing.T) {
	f := drawn(80, 60, edged.BGR, func(x, y, k int) byte { return byte([3]int{2 * x, 3 * y, 50}[k]) })
	cfg := unit
	cfg.Order, cfg.Fit = edged.BGR, Resize
	for _, size := range [][2]int{{30, 40}, {60, 80}, {90, 100}, {17, 33}} {
		h, w := size[0], size[1]
		p, err := NewPreparer(cfg, spec(edged.Float32, 1, h, w, 3))
		if err != nil {
			t.Fatal(err)
		}
		dst := aligned(4 * h * w * 3)
		if err := p.Prepare(dst, f); err != nil {
			t.Fatal(err)
		}
		for i, got := range floats(dst) {
			k, x, y := i%3, i/3%w, i/3/w
			sx := min(max((float64(x)+0.5)*80/float64(w)-0.5, 0), 79)
			sy := min(max((float64(y)+0.5)*60/float64(h)-0.5, 0), 59)
			want := [3]float64{2 * sx, 3 * sy, 50}[k]
			if math.Abs(float64(got)-want) > 0.51 {
				t.Fatalf("%dx%d: pixel (%d,%d) channel %d: %v, want %v", w, h, x, y, k, got, want)
			}
		}
	}
}

func TestSeenIsWhatReachesTheModel(t *testing.T) {
	for _, c := range []struct {
		rotate int
		fit    Fit
		want   Rect
	}{
		{0, Crop, Rect{X: 2 + 3, Y: 1 + 2, W: 4, H: 6}},   // 10x10 in the middle of which lie 4x6
		{90, Crop, Rect{X: 2 + 2, Y: 1 + 3, W: 6, H: 4}},  // the same, lying down
		{180, Crop, Rect{X: 2 + 3, Y: 1 + 2, W: 4, H: 6}}, // even margins stay where they are
		{0, Resize, Rect{X: 2, Y: 1, W: 10, H: 10}},
	} {
		cfg := PrepareConfig{ROI: Rect{2, 1, 10, 10}, Rotate: c.rotate, Fit: c.fit, Order: edged.Gray, Mean: []float64{0}, Scale: []float64{1}}
		p, err := NewPreparer(cfg, spec(edged.Float32, 1, 6, 4, 1))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Prepare(aligned(4*6*4), noise(20, 20, edged.Gray)); err != nil {
			t.Fatal(err)
		}
		if got := p.Seen(); got != c.want {
			t.Errorf("rotate %d, %v: %+v, want %+v", c.rotate, c.fit, got, c.want)
		}
	}
}

func TestPrepareRefusesFrames(t *testing.T) {
	cfg := unit
	p, err := NewPreparer(cfg, spec(edged.Float32, 1, 8, 8, 3))
	if err != nil {
		t.Fatal(err)
	}
	cfg.ROI = Rect{X: 4, Y: 4, W: 10, H: 10}
	part, err := NewPreparer(cfg, spec(edged.Float32, 1, 8, 8, 3))
	if err != nil {
		t.Fatal(err)
	}
	short := noise(9, 9, edged.BGR)
	short.Pix = short.Pix[:len(short.Pix)-20]
	narrow := noise(9, 9, edged.BGR)
	narrow.Stride = 8
	dst := aligned(4 * 8 * 8 * 3)
	for _, c := range []struct {
		name string
		p    *Preparer
		f    *edged.Frame
		want error
	}{
		{"low", p, noise(9, 7, edged.BGR), ErrTooSmall},
		{"narrow", p, noise(7, 9, edged.BGR), ErrTooSmall},
		{"roi outside", part, noise(13, 14, edged.BGR), ErrROI},
		{"too few bytes", p, short, ErrFrame},
		{"rows overlap", p, narrow, ErrFrame},
		{"empty", p, &edged.Frame{Pix: []byte{1}}, ErrFrame},
	} {
		if err := c.p.Prepare(dst, c.f); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		// A refused frame leaves nothing behind: the next good one is served.
		if err := c.p.Prepare(dst, noise(20, 20, edged.BGR)); err != nil {
			t.Errorf("%s: the next frame: %v", c.name, err)
		}
	}
}

func TestNewPreparerNamesWhatContradicts(t *testing.T) {
	with := func(change func(*PrepareConfig)) PrepareConfig { c := unit; change(&c); return c }
	for _, c := range []struct {
		cfg  PrepareConfig
		spec edged.Spec
		want string
	}{
		{with(func(c *PrepareConfig) { c.Rotate = 45 }), spec(edged.Float32, 1, 8, 8, 3), "rotate 45"},
		{with(func(c *PrepareConfig) { c.ROI = Rect{X: -1, W: 2, H: 2} }), spec(edged.Float32, 1, 8, 8, 3), "roi"},
		{with(func(c *PrepareConfig) { c.Order = edged.Gray }), spec(edged.Float32, 1, 8, 8, 3), "channel order Gray"},
		{with(func(c *PrepareConfig) { c.Mean = []float64{1, 2} }), spec(edged.Float32, 1, 8, 8, 3), "mean has 2 numbers"},
		{with(func(c *PrepareConfig) { c.Scale = []float64{math.NaN()} }), spec(edged.Float32, 1, 8, 8, 3), "finite"},
		{unit, spec(edged.Float32, 1, 8, 8, 4), "1 or 3"},
		{unit, spec(edged.Float32, 2, 8, 8, 3), "one picture"},
		{unit, spec(edged.Int32, 1, 8, 8, 3), "float32, int8 and uint8"},
		{PrepareConfig{Order: edged.RGB, Mean: []float64{0}, Scale: []float64{1.0 / 255}}, edged.Spec{Name: "q", Shape: []int{1, 8, 8, 3}, Type: edged.Uint8}, "takes bytes as they are"},
		{unit, edged.Spec{Name: "q", Shape: []int{1, 8, 8, 3}, Type: edged.Uint8, Quant: edged.Quant{Scale: -1}}, "quantisation scale of -1"},
	} {
		_, err := NewPreparer(c.cfg, c.spec)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v on %v: error %v, want it to say %q", c.cfg, c.spec, err, c.want)
		}
	}
}

// TestBytesAsTheyAre: an input of bytes without a scale takes the pixel itself.
func TestBytesAsTheyAre(t *testing.T) {
	for _, c := range []struct {
		kind edged.DType
		mean float64
		want func(int) byte
	}{
		{edged.Uint8, 0, func(p int) byte { return byte(p) }},
		{edged.Int8, 128, func(p int) byte { return byte(p - 128) }},
	} {
		p, err := NewPreparer(PrepareConfig{Order: edged.Gray, Mean: []float64{c.mean}, Scale: []float64{1}},
			edged.Spec{Name: "q", Shape: []int{1, 16, 16, 1}, Type: c.kind})
		if err != nil {
			t.Fatal(err)
		}
		pix, dst := make([]byte, 256), make([]byte, 256)
		for i := range pix {
			pix[i] = byte(i)
		}
		if err := p.Prepare(dst, &edged.Frame{Pix: pix, Stride: 16, W: 16, H: 16, Format: edged.Gray}); err != nil {
			t.Fatal(err)
		}
		for i, got := range dst {
			if got != c.want(i) {
				t.Fatalf("%s: pixel %d became %d", c.kind, i, got)
			}
		}
	}
}
