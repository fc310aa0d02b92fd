package daemon

import (
	"testing"

	"edged"
	"edged/capture"
	"edged/internal/config"
	"edged/internal/pipeline"
)

// Pictures are decoded coarser only where they are resized in any case.
func TestEnough(t *testing.T) {
	resized := capture.Enough{ROI: [4]int{8, 8, 320, 320}, W: 24, H: 32} // turned by a quarter
	for name, c := range map[string]struct {
		cam  config.Camera
		fit  pipeline.Fit
		want capture.Enough
	}{
		"crop":     {config.Camera{}, pipeline.Crop, capture.Enough{}},
		"resize":   {config.Camera{}, pipeline.Resize, resized},
		"auto":     {config.Camera{Decode: "auto"}, pipeline.Resize, resized},
		"full":     {config.Camera{Decode: "full"}, pipeline.Resize, capture.Enough{}},
		"quality":  {config.Camera{Quality: &config.Quality{}}, pipeline.Resize, capture.Enough{}},
		"shadow":   {config.Camera{Shadow: "new.tflite"}, pipeline.Resize, capture.Enough{}},
		"each":     {config.Camera{Trigger: "camera"}, pipeline.Resize, capture.Enough{}},
		"kept":     {config.Camera{}, pipeline.Resize, capture.Enough{}},
		"interval": {config.Camera{Trigger: "interval:1s"}, pipeline.Resize, resized},
	} {
		p, err := pipeline.NewPreparer(pipeline.PrepareConfig{
			Fit: c.fit, Rotate: 90, ROI: pipeline.Rect{X: 8, Y: 8, W: 320, H: 320}, Order: edged.RGB, Mean: []float64{0}, Scale: []float64{1},
		}, edged.Spec{Type: edged.Float32, Shape: []int{1, 24, 32, 3}})
		if err != nil {
			t.Fatal(err)
		}
		if got := enough(&c.cam, &pipeline.Stage{Prepare: p}, name == "kept"); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
