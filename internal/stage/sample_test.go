package stage

import (
	"bytes"
	"image"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"

	"edged"
	"edged/fallback"
	"edged/internal/config"
	"edged/model"
	"edged/rewrite"
	"edged/train/nets"
)

// A baseline's sample goes along into its dense net, and what the baseline says
// of the patch is what the dense net says at its place; with the channels
// swapped it is not.
func TestSampleSurvivesRewriting(t *testing.T) {
	data, err := nets.Read(nets.Valid)
	if err != nil {
		t.Fatal(err)
	}
	base, err := model.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	withSample(t, base, data)
	r, err := rewrite.Rewrite(base, strings.Repeat("0", 64), rewrite.Options{Input: [2]int{70, 60}})
	if err != nil {
		t.Fatal(err)
	}
	for _, order := range []string{"", "swapped"} {
		f, err := r.Model.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		if order != "" {
			f.Input.ChannelOrder = map[string]string{"RGB": "BGR", "BGR": "RGB"}[f.Input.ChannelOrder]
		}
		if err := r.Model.SetManifest(f); err != nil {
			t.Fatal(err)
		}
		dense, err := r.Model.Write()
		if err != nil {
			t.Fatal(err)
		}
		m, err := model.Read(dense)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Open(&File{Name: "d", Data: dense, Model: m}, &config.Camera{Name: "c"},
			func(_ string, m []byte, o edged.Options) (edged.Engine, error) { return fallback.Open(m, o) }, edged.Options{Threads: 1})
		if (err == nil) != (order == "") {
			t.Errorf("order %q: %v", order, err)
		}
		if err == nil {
			s.Engine.Close()
		}
	}
}

// withSample gives base a coloured patch and what it says of it.
func withSample(t *testing.T, base *model.Model, data []byte) {
	t.Helper()
	f, err := base.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	e, err := fallback.Open(data, edged.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	shape := e.Inputs()[0].Shape
	img := image.NewRGBA(image.Rect(0, 0, shape[2], shape[1]))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range img.Pix {
		img.Pix[i] = byte(random.UintN(64)) + 64*byte(2-i%4%3) // redder than blue
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, img); err != nil {
		t.Fatal(err)
	}
	in := edged.View[float32](e.Input(0))
	for i := range in {
		c, at := i%3, i/3*4
		if f.Input.ChannelOrder == "BGR" {
			c = 2 - c
		}
		in[i] = float32((float64(img.Pix[at+c]) - f.Input.Mean[i%3%len(f.Input.Mean)]) * f.Input.Scale[i%3%len(f.Input.Scale)])
	}
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	f.Sample = &model.Sample{Picture: picture.Bytes()}
	best := 0
	for k, v := range edged.View[float32](e.Output(0)) {
		f.Sample.Values = append(f.Sample.Values, float64(v))
		if f.Sample.Values[best] < float64(v) {
			best = k
		}
	}
	f.Sample.Class = f.Labels[best]
	if err := base.SetManifest(f); err != nil {
		t.Fatal(err)
	}
}
