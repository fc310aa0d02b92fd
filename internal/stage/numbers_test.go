package stage

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/fallback"
	"edged/internal/config"
	"edged/internal/pipeline"
	"edged/model"
)

// threeClasses is a 1x1 convolution of a grey picture to three maps, and what
// tail makes of them: class 1 where it is bright, and weight w for class 2.
func threeClasses(t *testing.T, w float32, tail func(b *model.Builder, x model.Ref) model.Ref) *File {
	t.Helper()
	b := model.NewBuilder()
	x := b.Input("x", model.TypeFloat32, 1, 4, 5, 1)
	weights := model.Const(b, "w", []int{3, 1, 1, 1}, []float32{0, 1, w})
	y := b.Conv2D(x, weights, model.Const(b, "b", []int{3}, []float32{100, 0, -1000}), model.Conv2DOptions{StrideH: 1, StrideW: 1})
	m, err := b.Build(b.Name(tail(b, b.Name(y, "map")), "out"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	return &File{Name: "net.tflite", Data: data, Model: m}
}

func openFile(f *File) (*pipeline.Stage, error) {
	cam := &config.Camera{
		Name: "cam", Labels: []string{"dark", "bright", "third"}, Prepare: &config.Prepare{ChannelOrder: "GRAY", Mean: []float64{0}, Scale: []float64{1}},
		Output: &config.Output{Meaning: "logits", Stride: []float64{1, 1}, Origin: []float64{0, 0}},
	}
	return Open(f, cam, func(_ string, m []byte, o edged.Options) (edged.Engine, error) { return fallback.Open(m, o) }, edged.Options{Threads: 1})
}

func openNet(t *testing.T, f *File) *pipeline.Stage {
	t.Helper()
	s, err := openFile(f)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func argMax(b *model.Builder, x model.Ref) model.Ref {
	return b.Op(model.OpArgMax, &model.ArgMaxOptions{OutputType: model.TypeInt32}, x, b.Ints(3))
}

func quantise(b *model.Builder, x model.Ref) model.Ref { return b.Quantize(x, model.TypeInt8, 2, 0) }

// oneFrame is a source of one picture.
type oneFrame struct {
	f    edged.Frame
	done bool
}

func (s *oneFrame) Next(_ context.Context, f *edged.Frame) error {
	if s.done {
		return io.EOF
	}
	*f, s.done = s.f, true
	return nil
}

type masks [][]byte

func (m *masks) Publish(r *pipeline.Result) { *m = append(*m, slices.Clone(r.Mask.Pix)) }

func serve(t *testing.T, s *pipeline.Stage) (masks, *pipeline.Camera) {
	t.Helper()
	pix := make([]byte, 20)
	for i := range pix {
		pix[i] = byte(10 * i)
	}
	c := pipeline.NewCamera("cam", &oneFrame{f: edged.Frame{Pix: pix, Stride: 5, W: 5, H: 4, Format: edged.Gray, Time: time.Now()}}, s)
	c.Log = slog.New(slog.DiscardHandler)
	var m masks
	c.Sink = &m
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return m, c
}

// What ends in whole numbers gives masks where the map below holds numbers, and
// none where it does not: an ARG_MAX is taken off, what else hides it is looked
// at behind the outputs.
func TestWholeNumbersHideNothing(t *testing.T) {
	want := []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1}
	for name, tail := range map[string]func(b *model.Builder, x model.Ref) model.Ref{
		"ARG_MAX": argMax, "QUANTIZE": quantise, "RELU and QUANTIZE": func(b *model.Builder, x model.Ref) model.Ref { return quantise(b, b.Relu(x)) },
	} {
		got, c := serve(t, openNet(t, threeClasses(t, 1, tail)))
		if len(got) != 1 || !slices.Equal(got[0], want) {
			t.Errorf("%s: masks %v, %+v", name, got, c.Counts())
		}
		// An overflow downwards: class 2 loses everywhere, and is infinite.
		over := threeClasses(t, -math.MaxFloat32, tail)
		if name == "RELU and QUANTIZE" {
			over = threeClasses(t, math.MaxFloat32, tail)
		}
		got, c = serve(t, openNet(t, over))
		if n := c.Counts(); len(got) != 0 || n.Failed() != 1 {
			t.Errorf("%s that overflows: masks %v, %+v", name, got, n)
		}
	}
}

func TestExamine(t *testing.T) {
	for name, c := range map[string]struct {
		file      *File
		not, warn string
	}{
		"sound":     {threeClasses(t, 1, argMax), "", ""},
		"overflows": {threeClasses(t, -math.MaxFloat32, quantise), "clamped", ""},
		"damaged":   {threeClasses(t, float32(math.NaN()), quantise), `"w" holds NaN`, ""},
		"still": {threeClasses(t, 1, func(b *model.Builder, x model.Ref) model.Ref {
			return b.Mul(x, model.Const(b, "zero", []int{3}, []float32{0, 0, 0}), model.ActNone)
		}), "", "the same for two different pictures"},
	} {
		s := openNet(t, c.file)
		x, err := Examine(s)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if c.not == "" != (x.NotNumbers == nil) || x.NotNumbers != nil && !strings.Contains(x.NotNumbers.Error(), c.not) {
			t.Errorf("%s: not numbers: %v, want %q", name, x.NotNumbers, c.not)
		}
		if got := strings.Join(x.Warnings, ";"); (c.warn == "") != (got == "") || !strings.Contains(got, c.warn) {
			t.Errorf("%s: warnings %q, want %q", name, got, c.warn)
		}
		s.Engine.Close()
	}
}

// pngOf is a picture of one colour, with another pixel in the middle.
func pngOf(t *testing.T, h, w int, all, middle color.Gray) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = all.Y
	}
	img.SetGray((w-1)/2, (h-1)/2, middle)
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A sample that the model answers as stated passes; another answer, other
// values, and pictures that are none are told.
func TestSampleIsChecked(t *testing.T) {
	bright, dark := color.Gray{Y: 200}, color.Gray{Y: 10}
	good := pngOf(t, 3, 3, dark, bright) // class bright in its middle alone
	for name, c := range map[string]struct {
		sample model.Sample
		says   string
	}{
		"right":        {model.Sample{Picture: good, Class: "bright", Values: []float64{100, 200, -800}}, ""},
		"elsewhere":    {model.Sample{Picture: good, Class: "dark", At: &[2]int{0, 1}}, ""},
		"tiled":        {model.Sample{Picture: good, Class: "bright", At: &[2]int{1, 4}}, ""},
		"other class":  {model.Sample{Picture: good, Class: "dark"}, `says "bright" of it, "dark" is expected: the preparation`},
		"other values": {model.Sample{Picture: good, Class: "bright", Values: []float64{100, 100, -800}}, "is expected"},
		"no picture":   {model.Sample{Picture: []byte("GIF89a"), Class: "dark"}, "no PNG"},
		"too large":    {model.Sample{Picture: pngOf(t, 1, maxSampleSide+1, dark, dark), Class: "dark"}, "at most 1024"},
		"other output": {model.Sample{Picture: good, Class: "bright", Values: []float64{1}}, "states 1 values"},
	} {
		f := threeClasses(t, 1, func(_ *model.Builder, x model.Ref) model.Ref { return x })
		c.sample.Picture = slices.Clone(c.sample.Picture)
		if err := f.Model.SetManifest(&model.Manifest{Schema: model.ManifestSchema, Sample: &c.sample}); err != nil {
			t.Fatal(name, err)
		}
		s, err := openFile(f)
		if err == nil {
			s.Engine.Close()
		}
		if (c.says == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}
