package stage

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"

	"edged"
	"edged/internal/pipeline"
	"edged/model"
)

const (
	// maxSampleSide bounds the memory that a small file may ask for.
	maxSampleSide = 1024

	// sampleTolerance is how far a value may lie from the one that the manifest
	// states, as a share of the values' span: engines and 8 bits differ by less,
	// another preparation by more.
	sampleTolerance = 0.05
)

// checkSample runs the sample of a manifest as the camera's frames will be run,
// and compares the answer. A picture smaller than the model's input is laid
// side by side with itself; the first is the one that is asked about.
func checkSample(s *pipeline.Stage, sample *model.Sample) error {
	picture, err := decodeSample(sample.Picture)
	if err != nil {
		return err
	}
	input := s.Engine.Inputs()[0]
	c := s.Prepare.Config()
	p, err := pipeline.NewPreparer(pipeline.PrepareConfig{Order: c.Order, Mean: c.Mean, Scale: c.Scale}, input)
	if err != nil {
		return err
	}
	if err := p.Prepare(s.Engine.Input(0), tiled(picture, input.Shape[1], input.Shape[2])); err != nil {
		return err
	}
	if err := s.Engine.Run(); err != nil {
		return err
	}
	at := [2]int{(picture.Rect.Dy() - 1) / 2, (picture.Rect.Dx() - 1) / 2}
	if sample.At != nil {
		at = *sample.At
	}
	h, w := s.Mask.Size()
	class, values := s.Mask.At(s.Engine.Output(s.Output), nearest(s.Grid, 0, at[0], h), nearest(s.Grid, 1, at[1], w))
	return compareSample(s.Labels, sample, class, values)
}

func decodeSample(data []byte) (*image.RGBA, error) {
	head, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("its picture is no PNG: %w", err)
	}
	if head.Width < 1 || head.Height < 1 || head.Width > maxSampleSide || head.Height > maxSampleSide {
		return nil, fmt.Errorf("its picture is %dx%d: at most %d pixels a side are taken", head.Width, head.Height, maxSampleSide)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("its picture: %w", err)
	}
	b := img.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			out.SetRGBA(x, y, color.RGBAModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.RGBA))
		}
	}
	return out, nil
}

// tiled fills a frame of h by w with a picture, beginning at the upper left.
func tiled(picture *image.RGBA, h, w int) *edged.Frame {
	f := &edged.Frame{Pix: make([]byte, 3*h*w), Stride: 3 * w, W: w, H: h, Format: edged.RGB}
	for y := range h {
		for x := range w {
			at := picture.PixOffset(x%picture.Rect.Dx(), y%picture.Rect.Dy())
			copy(f.Pix[3*(y*w+x):][:3], picture.Pix[at:])
		}
	}
	return f
}

// nearest is the position, of n along an axis, whose centre is the nearest to a pixel.
func nearest(g edged.Grid, axis, pixel, n int) int {
	p := math.Round((float64(pixel) - g.Origin[axis]) / g.Stride[axis])
	return int(min(max(p, 0), float64(n-1)))
}

func compareSample(labels []string, sample *model.Sample, class int, values []float32) error {
	const cure = "the preparation (channel_order, mean, scale) or the labels are not those that the model was trained with, or the sample is of another model"
	if got := labels[class]; got != sample.Class {
		return fmt.Errorf("the model says %q of it, %q is expected: %s", got, sample.Class, cure)
	}
	if len(sample.Values) == 0 {
		return nil
	}
	if len(sample.Values) != len(values) {
		return fmt.Errorf("it states %d values, the output has %d channels", len(sample.Values), len(values))
	}
	low, high := sample.Values[0], sample.Values[0]
	for _, v := range sample.Values {
		low, high = min(low, v), max(high, v)
	}
	allowed := sampleTolerance * max(high-low, math.Abs(high), math.Abs(low))
	for k, v := range values {
		if d := math.Abs(float64(v) - sample.Values[k]); !(d <= allowed) {
			return fmt.Errorf("the model says %.4g for %q, %.4g is expected: %s", v, labels[min(k, len(labels)-1)], sample.Values[k], cure)
		}
	}
	return nil
}
