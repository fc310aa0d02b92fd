package audit

import (
	"image/color"
	"math"
	"testing"
	"time"

	"edged"
	"edged/internal/pipeline"
)

// What a prepared input was made from comes back as a picture.
func TestPictureOfAnInput(t *testing.T) {
	for _, c := range []struct {
		order edged.PixelFormat
		typ   edged.DType
	}{{edged.RGB, edged.Float32}, {edged.BGR, edged.Float32}, {edged.RGB, edged.Int8}, {edged.BGR, edged.Uint8}, {edged.Gray, edged.Float32}} {
		ch := c.order.Channels()
		spec := edged.Spec{Shape: []int{1, 3, 4, ch}, Type: c.typ, Quant: edged.Quant{Scale: 1.0 / 64, ZeroPoint: map[edged.DType]int32{edged.Uint8: 128}[c.typ]}}
		cfg := pipeline.PrepareConfig{Order: c.order, Mean: []float64{128}, Scale: []float64{1.0 / 64}}
		p, err := pipeline.NewPreparer(cfg, spec)
		if err != nil {
			t.Fatal(err)
		}
		f := edged.Frame{Pix: make([]byte, 12*3), Stride: 12, W: 4, H: 3, Format: edged.RGB}
		for i := range f.Pix {
			f.Pix[i] = byte(7 * i)
		}
		if c.order == edged.Gray {
			f = edged.Frame{Pix: f.Pix[:12], Stride: 4, W: 4, H: 3, Format: edged.Gray}
		}
		input := make([]byte, spec.Bytes())
		if err := p.Prepare(input, &f); err != nil {
			t.Fatal(err)
		}
		img := pictureOf(input, spec, cfg, [4]int{1, 2, 2, 2})
		at := f.Pix[2*f.Stride+3*f.Format.Channels():]
		want := color.NRGBA{at[0], at[0], at[0], 255}
		if c.order != edged.Gray {
			want = color.NRGBA{at[0], at[1], at[2], 255}
		}
		if got := img.NRGBAAt(1, 1); got != want || img.Bounds().Dx() != 2 {
			t.Errorf("%s %s: %v, want %v", c.order, c.typ, got, want)
		}
	}
}

// A margin is more than what was measured and than rounding, and never so much
// that a wrong engine would pass.
func TestMargins(t *testing.T) {
	float := edged.Spec{Type: edged.Float32}
	steps := edged.Spec{Type: edged.Int8, Quant: edged.Quant{Scale: 0.5}}
	for _, c := range []struct {
		spec           edged.Spec
		one            bool
		measured, size float64
		least, most    float64
	}{
		{float, true, 0, 10, 1e-4, 1e-3},
		{float, true, 1e-4, 10, 1.6e-3, 1.6e-3},
		{float, true, 5, 10, 0, 0.04},
		{steps, false, 0, 10, 0.5, 0.5001},
		{steps, true, 0, 10, 0.25, 0.25},
		{steps, true, 0.5, 10, 4, 4.0001},
	} {
		if got, _ := marginFor(c.spec, c.one, c.measured, c.size); got < c.least*(1-1e-9) || got > c.most*(1+1e-9) || math.IsNaN(got) {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// The frame's path copies a frame only when one is wanted, and never waits.
func TestSlotTakesOneFrame(t *testing.T) {
	s := newSlot()
	spec := edged.Spec{Shape: []int{1, 1, 1, 2}, Type: edged.Float32}
	m, err := pipeline.NewMasker(pipeline.MaskConfig{Meaning: pipeline.Logits, Classes: 2, Grid: edged.Grid{Stride: [2]float64{1, 1}}}, spec)
	if err != nil {
		t.Fatal(err)
	}
	serve := func(seq uint64, answered bool) {
		s.Prepared([]byte{byte(seq)})
		if answered {
			s.Answered(&pipeline.Result{Seq: seq, Frame: &edged.Frame{Time: time.Now()}, Stage: &pipeline.Stage{Mask: m}}, []byte{byte(seq + 100)})
		}
	}
	serve(1, true) // nobody has asked
	s.want.Store(true)
	serve(2, false) // refused on its way
	serve(3, true)
	serve(4, true)
	select {
	case <-s.full:
	default:
		t.Fatal("no frame")
	}
	if s.seq != 3 || s.answer.Input[0] != 3 || s.answer.Output[0] != 103 {
		t.Errorf("seq %d: %v", s.seq, s.answer)
	}
}
