package pipeline

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"edged"
)

var plainGrid = edged.Grid{Stride: [2]float64{1, 1}}

func TestMaskOfSeveralClasses(t *testing.T) {
	values := []float32{0.1, 0.7, 0.2, 0.5, 0.1, 0.4, 0, 0, 1, 0.3, 0.3, 0.3}
	want := []uint8{1, 0, 2, 0}
	for _, kind := range []edged.DType{edged.Float32, edged.Int8, edged.Uint8} {
		s := edged.Spec{Name: "o", Shape: []int{1, 2, 2, 3}, Type: kind, Quant: edged.Quant{Scale: 0.01, ZeroPoint: -20}}
		out := aligned(s.Bytes())
		for i, v := range values {
			if kind == edged.Float32 {
				putFloat(out, i, v)
			} else {
				out[i] = byte(int(math.Round(float64(v)/0.01)) - 20)
				if kind == edged.Uint8 {
					out[i] += 30 // keep it positive; the order is what counts
				}
			}
		}
		m, err := NewMasker(MaskConfig{Meaning: Probabilities, Classes: 3, Grid: plainGrid}, s)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Make(out); !slices.Equal(got.Pix, want) || got.W != 2 || got.H != 2 {
			t.Errorf("%v: mask %+v, want %v", kind, got, want)
		}
	}
}

func TestMaskOfOneChannel(t *testing.T) {
	logit := func(p float64) float32 { return float32(math.Log(p / (1 - p))) }
	for _, c := range []struct {
		meaning   Meaning
		threshold float64
		values    []float32
		want      []uint8
	}{
		{Probabilities, 0.5, []float32{0.49, 0.5, 0.51, 0}, []uint8{0, 1, 1, 0}},
		{Logits, 0.5, []float32{-0.01, 0, 0.01, -9}, []uint8{0, 1, 1, 0}},
		{Logits, 0.9, []float32{logit(0.89), logit(0.91), 0, 9}, []uint8{0, 1, 0, 1}},
	} {
		s := spec(edged.Float32, 1, 2, 2, 1)
		m, err := NewMasker(MaskConfig{Meaning: c.meaning, Threshold: c.threshold, Classes: 2, Grid: plainGrid}, s)
		if err != nil {
			t.Fatal(err)
		}
		out := aligned(s.Bytes())
		for i, v := range c.values {
			putFloat(out, i, v)
		}
		if got := m.Make(out).Pix; !slices.Equal(got, c.want) {
			t.Errorf("%s at %v: %v, want %v", c.meaning, c.threshold, got, c.want)
		}
	}
}

func TestMaskOfOneQuantisedChannel(t *testing.T) {
	s := edged.Spec{Name: "o", Shape: []int{1, 1, 4}, Type: edged.Int8, Quant: edged.Quant{Scale: 1.0 / 256, ZeroPoint: -128}}
	m, err := NewMasker(MaskConfig{Meaning: Probabilities, Threshold: 0.5, Classes: 2, Grid: plainGrid, Scores: true}, s)
	if err != nil {
		t.Fatal(err)
	}
	got := m.Make([]byte{0xFF, 0, 1, 0x80}) // -1, 0, 1, -128: 127/256, 128/256, 129/256, 0
	if want := []uint8{0, 1, 1, 0}; !slices.Equal(got.Pix, want) {
		t.Errorf("mask %v, want %v", got.Pix, want)
	}
	for i, want := range []float32{129.0 / 256, 0.5, 129.0 / 256, 1} {
		if m.Scores()[i] != want {
			t.Errorf("score %d: %v, want %v", i, m.Scores()[i], want)
		}
	}
}

func TestScoresAreTheWinnersSoftmax(t *testing.T) {
	s := spec(edged.Float32, 1, 1, 2, 3)
	m, err := NewMasker(MaskConfig{Meaning: Logits, Classes: 3, Grid: plainGrid, Scores: true}, s)
	if err != nil {
		t.Fatal(err)
	}
	out := aligned(s.Bytes())
	rows := [][]float64{{1, 2, 3}, {900, -900, 899}}
	for p, row := range rows {
		for k, v := range row {
			putFloat(out, p*3+k, float32(v))
		}
	}
	m.Make(out)
	want := []float64{math.Exp(3) / (math.Exp(1) + math.Exp(2) + math.Exp(3)), 1 / (1 + math.Exp(-1))}
	for i := range want {
		if got := float64(m.Scores()[i]); math.Abs(got-want[i]) > 1e-6 {
			t.Errorf("score %d: %v, want %v", i, got, want[i])
		}
	}
}

// The whole chain must agree on where things are: a model that marks its
// brightest pixel must have that mark land, through roi, turn and fit, on the
// frame's brightest pixel.
func TestGridLeadsBackToTheFrame(t *testing.T) {
	for _, rotate := range []int{0, 90, 180, 270} {
		for _, roi := range []Rect{{}, {X: 5, Y: 3, W: 30, H: 24}} {
			for _, fit := range []Fit{Crop, Resize} {
				t.Run(fmt.Sprintf("%d-%v-%v", rotate, roi, fit), func(t *testing.T) {
					checkGrid(t, rotate, roi, fit)
				})
			}
		}
	}
}

func checkGrid(t *testing.T, rotate int, roi Rect, fit Fit) {
	const bx, by = 19, 14 // the bright pixel of a 41x33 frame
	f := drawn(41, 33, edged.Gray, func(x, y, _ int) byte {
		if x == bx && y == by {
			return 255
		}
		return 0
	})
	mw, mh := 16, 20
	if fit == Resize {
		mw, mh = 60, 66 // enlarging loses no pixel
	}
	p, err := NewPreparer(PrepareConfig{ROI: roi, Rotate: rotate, Fit: fit, Order: edged.Gray, Mean: []float64{0}, Scale: []float64{1}},
		spec(edged.Float32, 1, mh, mw, 1))
	if err != nil {
		t.Fatal(err)
	}
	in := aligned(4 * mh * mw)
	if err := p.Prepare(in, f); err != nil {
		t.Fatal(err)
	}
	// The "model" hands its input on, so its output lies on the input's pixels.
	m, err := NewMasker(MaskConfig{Meaning: Probabilities, Threshold: 0.999, Classes: 2, Grid: plainGrid, Rotate: rotate},
		spec(edged.Float32, 1, mh, mw, 1))
	if err != nil {
		t.Fatal(err)
	}
	mask := m.Make(in)
	g := p.Place(plainGrid, mh, mw)
	marked := 0
	for r := range mask.H {
		for c := range mask.W {
			if mask.Pix[r*mask.Stride+c] == 0 {
				continue
			}
			marked++
			y, x := g.Origin[0]+float64(r)*g.Stride[0], g.Origin[1]+float64(c)*g.Stride[1]
			// Bilinear weights reach one pixel far.
			if reach := map[Fit]float64{Crop: 0, Resize: 1}[fit]; math.Abs(y-by) > reach || math.Abs(x-bx) > reach {
				t.Errorf("mask (%d,%d) lies at frame y=%v x=%v, the bright pixel at y=%d x=%d", r, c, y, x, by, bx)
			}
		}
	}
	if marked == 0 {
		t.Error("no mask position marks the bright pixel")
	}
}

func TestNewMaskerNamesWhatContradicts(t *testing.T) {
	ok := MaskConfig{Meaning: Logits, Threshold: 0.5, Classes: 2, Grid: plainGrid}
	with := func(change func(*MaskConfig)) MaskConfig { c := ok; change(&c); return c }
	for _, c := range []struct {
		cfg  MaskConfig
		spec edged.Spec
		want string
	}{
		{ok, spec(edged.Float32, 1, 4, 4, 3), "2 labels contradict"},
		{ok, spec(edged.Float32, 1, 10), "one map of shape"},
		{ok, spec(edged.Float32, 1, 2, 2, 300), "at most 256"},
		{ok, spec(edged.Int32, 1, 2, 2, 1), "float32, int8 and uint8"},
		{with(func(c *MaskConfig) { c.Threshold = 0 }), spec(edged.Float32, 1, 2, 2, 1), "threshold 0"},
		{with(func(c *MaskConfig) { c.Meaning = "scores" }), spec(edged.Float32, 1, 2, 2, 1), `"scores"`},
		{with(func(c *MaskConfig) { c.Grid.Stride[1] = 0 }), spec(edged.Float32, 1, 2, 2, 1), "grid stride"},
	} {
		_, err := NewMasker(c.cfg, c.spec)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v on %v: error %v, want it to say %q", c.cfg, c.spec, err, c.want)
		}
	}
}
