package eval

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"edged"
	"edged/fallback"
	"edged/model"
)

// redNet is a patch classifier that can be computed by hand. It looks at 4x4
// pixels with total stride 2: a strided max pool, then a dense layer that adds the
// upper left and the lower right of the four maxima of red. Class 1: any red there.
func redNet(t testing.TB, facts *model.Manifest) Net {
	t.Helper()
	b := model.NewBuilder()
	x := b.Input("image", model.TypeFloat32, 1, 4, 4, 3)
	pick := model.Const(b, "pick", []int{1, 1, 1, 3}, []float32{1. / 255, 0, 0})
	red := b.Conv2D(x, pick, model.Const(b, "b0", []int{1}, []float32{0}), model.Conv2DOptions{Padding: model.PaddingValid})
	pool := b.MaxPool(red, model.Pool2DOptions{
		Padding: model.PaddingValid, StrideW: 2, StrideH: 2, FilterWidth: 2, FilterHeight: 2,
	})
	w := model.Const(b, "w", []int{2, 4}, []float32{0, 0, 0, 0, 1, 0, 0, 1})
	bias := model.Const(b, "b", []int{2}, []float32{0.5, 0})
	y := b.FullyConnected(b.Reshape(pool, 1, 4), w, bias, model.FullyConnectedOptions{})
	m := b.Model(b.Name(y, "logits"))
	if facts != nil {
		if err := m.SetManifest(facts); err != nil {
			t.Fatal(err)
		}
	}
	tfl, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	return Net{Name: "red", TFLite: tfl}
}

func redFacts() *model.Manifest {
	m := &model.Manifest{Schema: model.ManifestSchema, Labels: []string{"none", "red"}}
	m.Input = model.Input{ChannelOrder: "RGB", Mean: []float64{0}, Scale: []float64{1}}
	m.Output = model.Output{Tensor: "logits", Meaning: "logits"}
	return m
}

// picture is seeded noise with some red pixels.
type picture struct {
	w, h int
	red  []bool
}

func newPicture(seed uint64, w, h int) picture {
	r := rand.New(rand.NewPCG(seed, 0))
	p := picture{w, h, make([]bool, w*h)}
	for i := range p.red {
		p.red[i] = r.IntN(25) == 0
	}
	return p
}

// pool is the max pool at stride 1: any red in the 2x2 pixels from (y, x).
func (p picture) pool(y, x int) bool {
	at := func(y, x int) bool { return p.red[y*p.w+x] }
	return at(y, x) || at(y, x+1) || at(y+1, x) || at(y+1, x+1)
}

// net is the class of the patch at (y, x); reach is how far apart the two maxima
// are: 2 in the net as it was trained, 1 in the naive one.
func (p picture) net(y, x, reach int) uint8 {
	if p.pool(y, x) || p.pool(y+reach, x+reach) {
		return 1
	}
	return 0
}

// mask calls of for every pixel that a 4x4 patch or its like can answer for.
func (p picture) mask(of func(y, x int) uint8) edged.Mask {
	m := edged.Mask{Pix: make([]uint8, p.w*p.h), Stride: p.w, W: p.w, H: p.h}
	for y := 2; y < p.h-2; y++ {
		for x := 2; x < p.w-2; x++ {
			m.Pix[y*p.w+x] = of(y, x)
		}
	}
	return m
}

// pictures are samples whose truth is what the net itself says of each patch: a
// patch's centre lies between four pixels, the upper left one counts for it.
type pictures []picture

func (p pictures) Len() int { return len(p) }

func (p pictures) At(i int, s *Sample) error {
	q := p[i]
	s.Name = "noise"
	s.Frame = edged.Frame{Pix: make([]byte, 3*q.w*q.h), Stride: 3 * q.w, W: q.w, H: q.h, Format: edged.BGR}
	for k, red := range q.red {
		s.Frame.Pix[3*k], s.Frame.Pix[3*k+1] = 200, 100 // blue and green say nothing
		if red {
			s.Frame.Pix[3*k+2] = 255
		}
	}
	s.Truth = q.mask(func(y, x int) uint8 { return q.net(y-1, x-1, 2) })
	return nil
}

func testConfig() Config {
	c := Default()
	c.Open, c.Patches = fallback.Open, 0
	return c
}

func way(t *testing.T, r *ModelReport, name string, stride int, upsample string) *WayScore {
	t.Helper()
	for i := range r.Ways {
		if w := &r.Ways[i]; w.Way == name && w.OutputStride == stride && w.Upsample == upsample {
			return w
		}
	}
	t.Fatalf("no way %s at stride %d %s in %+v", name, stride, upsample, r.Ways)
	return nil
}

// The report against the same masks made by hand, for pictures of two sizes.
func TestCompareByHand(t *testing.T) {
	all := pictures{newPicture(1, 21, 14), newPicture(2, 21, 14), newPicture(3, 16, 18)}
	var steps []int
	cfg := testConfig()
	cfg.Progress = func(_ string, done, _ int) { steps = append(steps, done) }
	r, err := Compare(t.Context(), cfg, redNet(t, redFacts()), all)
	if err != nil {
		t.Fatal(err)
	}
	if len(steps) != 4 || r.Patch != [2]int{4, 4} || r.Stride != [2]int{2, 2} || r.Contract != "patch" {
		t.Fatalf("progress %v, report %+v", steps, r)
	}
	dense := func(p picture, y, x int) uint8 { return p.net(y-1, x-1, 2) }
	// Output j of the baseline looks at the patch at 2j, its centre is pixel 2j+1.5.
	strided := func(p picture, y, x int) uint8 { return p.net((y-1)/2*2, (x-1)/2*2, 2) }
	// The naive net sees 3x3 pixels, its centre is a pixel.
	naive := func(p picture, y, x int) uint8 { return p.net(y-1, x-1, 1) }
	for _, c := range []struct {
		way      string
		stride   int
		upsample string
		of       func(p picture, y, x int) uint8
	}{
		{"baseline", 2, "nearest", strided}, {"equivalent", 2, "nearest", strided},
		{"equivalent", 1, "", dense}, {"patches", 1, "", dense}, {"naive", 1, "", naive},
	} {
		want := NewScore(2, DefaultTolerance)
		for _, p := range all {
			truth := p.mask(func(y, x int) uint8 { return dense(p, y, x) })
			got := p.mask(func(y, x int) uint8 { return c.of(p, y, x) })
			want.Add(&truth, &got, scoredRegion(p))
		}
		w := way(t, r, c.way, c.stride, c.upsample)
		near6(t, c.way+" mIoU", *w.MIoU, want.MeanIoU())
		near6(t, c.way+" boundary F", *w.BoundaryF, want.MeanBoundaryF())
		near6(t, c.way+" pixels", float64(w.PixelsScored), float64(want.Pixels()))
	}
	p := way(t, r, "patches", 1, "")
	near6(t, "equal to dense", *p.EqualToDense, 1)
	near6(t, "dense mIoU", *p.DenseMIoU, 1)
	if naive := way(t, r, "naive", 1, ""); *naive.MIoU > 0.9 {
		t.Errorf("the naive net is nearly right (%.3f): this test shows nothing", *naive.MIoU)
	}
}

// scoredRegion is where all ways answer: from the centre of the first patch of the
// baseline to the centre of its last one.
func scoredRegion(p picture) Region {
	last := func(n int) int { return (n-4)/2*2 + 2 } // 2j + 1.5, rounded down, plus one
	return Region{2, 2, last(p.w), last(p.h)}
}

func TestCompareSamplesPatches(t *testing.T) {
	cfg := testConfig()
	cfg.Patches = 20
	r, err := Compare(t.Context(), cfg, redNet(t, redFacts()), pictures{newPicture(9, 40, 30)})
	if err != nil {
		t.Fatal(err)
	}
	w := way(t, r, "patches", 1, "")
	if w.PixelsScored == 0 || w.PixelsScored > 20 || w.BoundaryF != nil || !w.Extrapolated {
		t.Fatalf("%+v", w)
	}
	if all := int64(37 * 27); w.MACs%all != 0 || w.MACs == 0 {
		t.Errorf("%d multiplications are not those of %d patches", w.MACs, all)
	}
}

func TestCompareRefuses(t *testing.T) {
	rewritten := redFacts()
	rewritten.BaselineSHA256 = strings.Repeat("0", 64)
	silent := redFacts()
	silent.Input = model.Input{}
	one := pictures{newPicture(1, 20, 20)}
	for _, c := range []struct {
		name, says string
		net        Net
		samples    Samples
	}{
		{"no manifest", "edged manifest", redNet(t, nil), one},
		{"no preparation", "edged manifest", redNet(t, silent), one},
		{"rewritten", "give the baseline", redNet(t, rewritten), one},
		{"too small", "3x20 pixels", redNet(t, redFacts()), pictures{newPicture(1, 3, 20)}},
		{"damaged", "model", Net{Name: "junk", TFLite: []byte("junk")}, one},
	} {
		_, err := Compare(t.Context(), testConfig(), c.net, c.samples)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want an error that says %q", c.name, err, c.says)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Compare(ctx, testConfig(), redNet(t, redFacts()), one); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for _, cfg := range []Config{{}, {Open: fallback.Open, Tolerance: -1}, {Open: fallback.Open, Patches: -1}} {
		if _, err := Compare(t.Context(), cfg, redNet(t, redFacts()), one); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
}

func TestReportIsJSON(t *testing.T) {
	r, err := Compare(t.Context(), testConfig(), redNet(t, redFacts()), pictures{newPicture(4, 12, 12)})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(Report{Models: []ModelReport{*r}})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{`"miou":`, `"boundary_f":`, `"pixel_accuracy":`, `"iou":`, `"latency_ms":`, `"macs":`, `"memory_bytes":`, `"output_stride":1`} {
		if !strings.Contains(string(b), key) {
			t.Errorf("no %s in %s", key, b)
		}
	}
}
