//go:build faults

package faults

import (
	"os"
	"testing"
	"time"

	"edged/capture/cameratest"
)

// TestSoak runs two cameras at full load for EDGED_SOAK: one through a worker,
// one as fast as the engine takes frames.
func TestSoak(t *testing.T) {
	long := 20 * time.Second
	if text := os.Getenv("EDGED_SOAK"); text != "" {
		var err error
		if long, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	camera := cameratest.StartMJPEG(t, "", 320, 240, 25)
	r := NewRig(t, Setup{Sources: []string{camera.URL(), "test:belt?size=320x240&fps=0"}, H: 112, W: 128})
	time.Sleep(min(long/6, 5*time.Minute)) // caches, arenas and the collector's own tables fill: the last is level after some four minutes
	r.Settle()
	var samples []Sample
	for begin := time.Now(); time.Since(begin) < long; time.Sleep(min(long/20, 10*time.Second)) {
		v, err := r.Daemon.Vitals()
		if err != nil {
			t.Fatal(err)
		}
		samples = append(samples, Sample{time.Since(begin), v})
	}
	last := samples[len(samples)-1]
	for i := 0; i < len(samples); i += max(1, len(samples)/12) {
		t.Logf("%8v %v", samples[i].At.Round(time.Second), samples[i].Vitals)
	}
	t.Logf("%8v %v", last.At.Round(time.Second), last.Vitals)
	for name, of := range map[string]func(Vitals) int64{"resident": rss, "Go's heap": heap} {
		trend := TrendOf(samples, of)
		t.Logf("%s, %d samples over %v: %v", name, len(samples), last.At.Round(time.Second), trend)
		if trend.Grows(last.At) {
			t.Errorf("%s memory grows", name)
		}
	}
	r.Returned()
	r.Close()
	if s, ok := r.Rec.Stats(); ok {
		for cam, c := range s.Cameras {
			t.Logf("%s: read %d = published %d + passed over %d + refused %d + failed %d", cam, c.Read, c.Published, c.PassedOver, c.Refused, c.Failed)
		}
		for kind, a := range s.Delivery {
			t.Logf("%s: %+v", kind, a)
		}
	}
}

// A line that rises is told from scatter around a level one.
func TestTrend(t *testing.T) {
	line := func(perHour, scatter float64) []Sample {
		var s []Sample
		for i := range 60 {
			at := time.Duration(i) * time.Minute
			noise := scatter * float64(i%5-2)
			s = append(s, Sample{at, Vitals{RSS: int64(50<<20 + perHour*at.Hours() + noise)}})
		}
		return s
	}
	if got := TrendOf(line(20<<20, 1<<20), rss); !got.Grows(time.Hour) || got.Slope < 18<<20 || got.Slope > 22<<20 {
		t.Errorf("a leak of 20 MiB/h: %v", got)
	}
	if got := TrendOf(line(0, 2<<20), rss); got.Grows(time.Hour) {
		t.Errorf("scatter alone: %v", got)
	}
}
