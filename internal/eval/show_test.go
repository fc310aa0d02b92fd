package eval

import (
	"bytes"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"edged/model"
)

func shown() *Report {
	f := func(v float64) *float64 { return &v }
	return &Report{Images: 2, Source: "test:belt", Tolerance: 2, Engine: "go", Models: []ModelReport{{
		Model: "net", Labels: []string{"bg", "ok"}, Patch: [2]int{39, 39}, Stride: [2]int{8, 8}, Contract: "patch",
		PixelShare: 0.5, ClassShare: []float64{0.75, math.NaN()},
		Ways: []WayScore{
			{Way: "baseline", OutputStride: 8, Upsample: "bilinear", MIoU: f(0.5), IoU: []*float64{f(0.25), nil}, LatencyMS: 1, MACs: 3e8},
			{Way: "patches", OutputStride: 1, MIoU: f(0.91), IoU: []*float64{f(1), f(1)}, LatencyMS: 12.34, Extrapolated: true, MACs: 9e9, EqualToDense: f(1)},
			{Way: "equivalent", OutputStride: 1, MIoU: f(0.9), BoundaryF: f(0.8), IoU: []*float64{f(1), f(1)}, MACs: 4e9},
		},
	}}}
}

func TestTable(t *testing.T) {
	for _, markdown := range []bool{false, true} {
		var b bytes.Buffer
		if err := shown().WriteTable(&b, markdown); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"baseline, bilinear", "~12.3", "50.0", "0.30", " - ", "50.0 % of all pixels", "bg 75.00 %", "100.0 % of these"} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("markdown %v: no %q in\n%s", markdown, want, b.String())
			}
		}
		if strings.Contains(b.String(), "NaN") {
			t.Errorf("NaN is shown:\n%s", b.String())
		}
	}
}

func TestPlot(t *testing.T) {
	dir := t.TempDir()
	for name, starts := range map[string]string{"a.png": "\x89PNG", "a.SVG": "<?xml"} {
		if err := shown().Plot(dir + "/" + name); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(dir + "/" + name)
		if err != nil || !bytes.HasPrefix(b, []byte(starts)) {
			t.Errorf("%s starts with %q, %v", name, b[:min(8, len(b))], err)
		}
	}
	for name, says := range map[string]string{"a.pdf": ".png or .svg", "no/such/folder.png": "folder"} {
		if err := shown().Plot(dir + "/" + name); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (&Report{}).Plot(dir + "/b.png"); err == nil {
		t.Error("a plot of nothing was drawn")
	}
}

func TestMedian(t *testing.T) {
	ms := time.Millisecond
	for want, times := range map[float64][]time.Duration{0: nil, 3: {9 * ms, 3 * ms, 1 * ms}, 2.5: {4 * ms, 2 * ms, 3 * ms, 1 * ms}} {
		near6(t, "median", median(times), want)
	}
}

func TestMemoryByHand(t *testing.T) {
	m, err := model.Read(redNet(t, nil).TFLite)
	if err != nil {
		t.Fatal(err)
	}
	// Constants: weights 3 and 8 floats, biases 1 and 2, a shape of 2. The most that
	// lives at once: the input of 48 floats and the convolution's 16.
	if got, want := memoryOf(m), int64(4*(3+8+1+2+2)+4*(48+16)); got != want {
		t.Errorf("%d bytes, by hand %d", got, want)
	}
}

// Strides of 2 behind each other, then a dense head on 2x2 places: the head gets
// its 2x2 from 2+1+2 = 5 pixels once the strides are gone.
func TestNaiveByHand(t *testing.T) {
	b := model.NewBuilder()
	x := b.Input("x", model.TypeFloat32, 1, 10, 10, 2)
	w := model.Const(b, "w", []int{1, 3, 3, 2}, make([]float32, 18))
	y := b.DepthwiseConv2D(x, w, model.None, model.DepthwiseConv2DOptions{Padding: model.PaddingValid, StrideH: 2, StrideW: 2})
	y = b.MaxPool(y, model.Pool2DOptions{Padding: model.PaddingValid, StrideH: 2, StrideW: 2, FilterHeight: 2, FilterWidth: 2})
	fc := model.Const(b, "fc", []int{3, 8}, make([]float32, 24))
	m := b.Model(b.FullyConnected(b.Reshape(y, 1, 8), fc, model.None, model.FullyConnectedOptions{}))
	before, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	naive, err := Naive(m)
	if err != nil {
		t.Fatal(err)
	}
	after, err := m.Write()
	if err != nil || !bytes.Equal(before, after) {
		t.Error("the net itself was changed")
	}
	if in := naive.Subgraphs[0].Tensors[0].Shape; in[1] != 5 || in[2] != 5 {
		t.Errorf("input %v, by hand 5x5", in)
	}
	for _, op := range naive.Subgraphs[0].Operators {
		if o, ok := op.Options.(*model.Pool2DOptions); ok && (o.StrideH != 1 || o.FilterHeight != 2) {
			t.Errorf("pool %+v", o)
		}
	}
	if err := checkHead(m, 3); err != nil {
		t.Error(err)
	}
	if err := checkHead(m, 5); err == nil || !strings.Contains(err.Error(), "3 scores for 5 labels") {
		t.Errorf("3 scores for 5 labels: %v", err)
	}
}
