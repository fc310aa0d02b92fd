package pipeline

import (
	"context"
	"errors"
	"io"
	"testing"

	"edged"
)

// beltCamera is a camera at 640x480 with a model of five float32 classes.
func beltCamera(b testing.TB) *Camera {
	in, out := spec(edged.Float32, 1, 480, 640, 3), spec(edged.Float32, 1, 480, 640, 5)
	p, err := NewPreparer(PrepareConfig{Order: edged.RGB, Mean: []float64{127.5}, Scale: []float64{1 / 127.5}}, in)
	if err != nil {
		b.Fatal(err)
	}
	m, err := NewMasker(MaskConfig{Meaning: Logits, Classes: 5, Grid: plainGrid}, out)
	if err != nil {
		b.Fatal(err)
	}
	stage := &Stage{Engine: newFakeEngine(in, out, nil), Prepare: p, Mask: m, Grid: plainGrid, Labels: make([]string, 5)}
	c := NewCamera("belt", &endless{*noise(640, 480, edged.BGR)}, stage)
	c.Sink = sinkFunc(func(*Result) {})
	return c
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	c := beltCamera(t)
	var f edged.Frame
	step := func() {
		if err := c.step(context.Background(), &f); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	}
	step()
	if n := testing.AllocsPerRun(10, step); n != 0 {
		t.Errorf("%v allocations a frame, want none", n)
	}
}

// BenchmarkFrame is everything but capture, inference and the sink.
func BenchmarkFrame(b *testing.B) {
	c := beltCamera(b)
	var f edged.Frame
	b.ReportAllocs()
	for b.Loop() {
		_ = c.step(context.Background(), &f)
	}
}

func BenchmarkPrepare(b *testing.B) {
	c := beltCamera(b)
	f := noise(640, 480, edged.BGR)
	b.ReportAllocs()
	for b.Loop() {
		if err := c.stage.Prepare.Prepare(c.stage.input, f); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMask(b *testing.B) {
	c := beltCamera(b)
	out := c.stage.Engine.Output(0)
	b.ReportAllocs()
	for b.Loop() {
		c.stage.Mask.Make(out)
	}
}
