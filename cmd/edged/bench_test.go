package main

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/internal/daemontest"
	"edged/model"
	"edged/train/nets"
)

// A chain of three maps: the first two are alive together, then the last two.
func TestLiveBytesIsTheMostAtOnce(t *testing.T) {
	b := model.NewBuilder()
	x := b.Input("x", model.TypeFloat32, 1, 10, 10, 1)
	wide := b.Conv2D(x, model.Const(b, "w", []int{8, 1, 1, 1}, make([]float32, 8)), model.None, model.Conv2DOptions{})
	thin := b.Conv2D(wide, model.Const(b, "v", []int{1, 1, 1, 8}, make([]float32, 8)), model.None, model.Conv2DOptions{})
	m := b.Model(thin)
	if got, want := liveBytes(m), int64(4*100*(8+1)); got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
}

func TestRacerFigures(t *testing.T) {
	r := racer{result: benchmark{MACs: 2e6}}
	for i := range 100 {
		r.result.times = append(r.result.times, time.Duration(100-i)*time.Millisecond)
	}
	r.finish()
	b := r.result
	if b.MedianMS != 51 || b.P95MS != 96 || b.GMACs < 0.0392 || b.GMACs > 0.0393 {
		t.Errorf("%+v", b)
	}
}

func TestCompareJSON(t *testing.T) {
	path := daemontest.DenseFile(t, t.TempDir(), nets.Valid, 48, 56)
	var out strings.Builder
	code := run(context.Background(), []string{"bench", "--compare", "go,go", "--runs", "2", "--threads", "1", "--json", path}, &out, io.Discard)
	var all []comparison
	if err := json.Unmarshal([]byte(out.String()), &all); err != nil || code != exitOK {
		t.Fatalf("exit %d, %v: %s", code, err, out.String())
	}
	if len(all) != 1 || len(all[0].Results) != 2 || all[0].Ratios[0] != 1 || all[0].Results[1].MACs == 0 || all[0].Results[1].Runs != 2 {
		t.Errorf("%+v", all)
	}
}

func TestStepsJSON(t *testing.T) {
	path := daemontest.DenseFile(t, t.TempDir(), nets.Valid, 48, 56)
	code, out, errs := runEdged("bench", "--engine", "go", "--runs", "2", "--threads", "1", "--steps", "--json", path)
	var b benchmark
	if err := json.Unmarshal([]byte(out), &b); err != nil || code != exitOK {
		t.Fatalf("exit %d, %v: %s%s", code, err, out, errs)
	}
	var macs int64
	share := 0.0
	for _, s := range b.Steps {
		macs += s.MACs
		share += s.Share
		if s.Name == "" || s.Kernel == "" || s.Bytes == 0 {
			t.Errorf("step %+v", s)
		}
	}
	// Batches of a padded picture hold a little more than the dilated convolution computes.
	if len(b.Steps) < 4 || macs > b.MACs || macs < b.MACs*8/10 || share < 0.999 || share > 1.001 {
		t.Errorf("%d steps, %d of %d MACs, shares of %f in all", len(b.Steps), macs, b.MACs, share)
	}
}

func TestStepsAreTheGoEnginesAlone(t *testing.T) {
	code, _, errs := runEdged("bench", "--steps", "net.tflite")
	if code != exitUsage || !strings.Contains(errs, "--engine go") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// TestRestWaitsForBusyThreads: while a thread waits awake no turn begins, and
// one that never sleeps does not stop the benchmark.
func TestRestWaitsForBusyThreads(t *testing.T) {
	for _, busy := range []int{0, 3, 1 << 20} {
		calls, used := 0, time.Duration(0)
		rest(func() time.Duration {
			if calls++; calls <= 2*busy {
				used += restStep
			}
			return used
		})
		if want := 2 * min(busy+1, int(restMost/restStep)); calls != want {
			t.Errorf("a thread awake for %d steps: asked %d times, want %d", busy, calls, want)
		}
	}
	if processorTime() <= 0 {
		t.Error("this process has used no processor time")
	}
}

// counting is an engine that only counts its runs.
type counting struct {
	edged.Engine
	runs int
}

func (c *counting) Run() error { c.runs++; return nil }

// TestTurnTimesARunInAStreamOfRuns: what is timed is one run that others precede.
func TestTurnTimesARunInAStreamOfRuns(t *testing.T) {
	e := &counting{}
	r := racer{engine: e}
	start := time.Now()
	if err := r.turn(); err != nil {
		t.Fatal(err)
	}
	if len(r.result.times) != 1 || e.runs < 2 || time.Since(start) < warmTime {
		t.Errorf("%d times kept of %d runs in %v", len(r.result.times), e.runs, time.Since(start))
	}
}
