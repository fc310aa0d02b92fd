package pipeline

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
)

// numbersEngine gives two maps of 2x2 with three channels; the second is what
// the first was made from.
type numbersEngine struct {
	*fakeEngine
	second []byte
}

func (e *numbersEngine) Outputs() []edged.Spec {
	under := e.out
	under.Name = "under"
	return []edged.Spec{e.out, under}
}

func (e *numbersEngine) Output(i int) []byte { return [][]byte{e.output, e.second}[i] }

// numbersCamera serves one frame for each entry of values, which is what stands
// in a channel that loses: of the map, or of what it was made from.
func numbersCamera(t *testing.T, under bool, values ...float32) (*Camera, *bytes.Buffer) {
	t.Helper()
	s := spec(edged.Float32, 1, 2, 2, 3)
	e := &numbersEngine{fakeEngine: newFakeEngine(spec(edged.Float32, 1, 2, 2, 1), s, nil), second: aligned(s.Bytes())}
	runs := 0
	e.run = func(f *fakeEngine) error {
		for i := range 4 {
			putFloat(f.output, 3*i+1, 5) // class 1 wins everywhere
		}
		dst := f.output
		if under {
			dst = e.second
		}
		putFloat(dst, 3*2+2, values[runs])
		runs++
		return nil
	}
	gray := PrepareConfig{Order: edged.Gray, Mean: []float64{0}, Scale: []float64{1}}
	p, err := NewPreparer(gray, e.in)
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewMasker(MaskConfig{Meaning: Logits, Classes: 3, Grid: edged.Grid{Stride: [2]float64{1, 1}}}, e.out)
	if err != nil {
		t.Fatal(err)
	}
	source := &fakeSource{frames: slices.Repeat([]*edged.Frame{grey(2, 2, 9)}, len(values))}
	c := NewCamera("cam", source, &Stage{Engine: e, Prepare: p, Mask: m, Watch: []int{1}, Grid: m.cfg.Grid, Labels: []string{"a", "b", "c"}})
	var log bytes.Buffer
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	return c, &log
}

// A NaN or an infinity in a channel that loses is no result, and neither is one
// in the tensor that the map was made from; the fault is told once.
func TestOutputsThatAreNoNumbersAreNoResults(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for _, under := range []bool{false, true} {
		c, log := numbersCamera(t, under, nan, 1, inf, nan, 2)
		var told []error
		published := 0
		c.Faulted = func(err error) { told = append(told, err) }
		c.Sink = sinkFunc(func(*Result) { published++ })
		if err := c.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		n := c.Counts()
		if published != 2 || n.Published != 2 || n.Failed() != 3 || n.RefusedByReason()["not_a_number"] != 3 {
			t.Errorf("under %v: published %d, %+v", under, published, n)
		}
		var e *edged.NumberError
		if len(told) != 1 || !errors.As(told[0], &e) || !slices.Equal(e.At, []int{0, 1, 0, 2}) {
			t.Errorf("under %v: told %v", under, told)
		}
		if got := strings.Count(log.String(), "not a number"); got != 1 || strings.Count(log.String(), "\n") != 1 {
			t.Errorf("under %v: %d lines:\n%s", under, got, log)
		}
	}
}

// A pause ends the fault, another model begins another.
func TestNumberlessIsToldAgain(t *testing.T) {
	nan := float32(math.NaN())
	c, _ := numbersCamera(t, false, nan, nan)
	told := 0
	c.Faulted = func(error) { told++ }
	c.Sink = sinkFunc(func(*Result) {})
	err := errors.New("not a number")
	c.tellNumberless(err)
	c.tellNumberless(err)
	if told != 1 {
		t.Fatalf("told %d times", told)
	}
	c.numberless = time.Now().Add(-2 * numberlessQuiet)
	c.tellNumberless(err)
	c.adopt(c.stage)
	c.tellNumberless(err)
	if told != 3 {
		t.Errorf("told %d times, want once for each fault", told)
	}
}

func TestUnfitModelsGiveNoResult(t *testing.T) {
	c, _ := numbersCamera(t, false, 1, 1)
	c.stage.Unfit = errors.New("a constant is not a number")
	c.Sink = sinkFunc(func(*Result) { t.Error("a result") })
	if err := c.Run(context.Background()); err != nil || c.counts.refused[RefusedNumber].Load() != 2 {
		t.Error(err, c.Counts())
	}
}

// A mean and a scale may each be finite and make infinities.
func TestPrepareRefusesWhatOverflows(t *testing.T) {
	for _, c := range []struct {
		mean, scale []float64
		ok          bool
	}{
		{[]float64{127.5}, []float64{1 / 127.5}, true},
		{[]float64{0, 0, 1e38}, []float64{1, 1, 1e5}, false},
		{[]float64{-1e39}, []float64{1}, false},
		{[]float64{0}, []float64{1e37}, false},
		{[]float64{1e38}, []float64{3}, true},
		{[]float64{0}, []float64{1e300}, false},
	} {
		for _, typ := range []edged.DType{edged.Float32, edged.Int8} {
			_, err := NewPreparer(PrepareConfig{Order: edged.RGB, Mean: c.mean, Scale: c.scale}, spec(typ, 1, 2, 2, 3))
			if (err == nil) != c.ok {
				t.Errorf("%s, mean %v, scale %v: %v", typ, c.mean, c.scale, err)
			}
		}
	}
}
