//go:build faults

package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"edged/capture/cameratest"
)

// soaked are the cameras of a soak beside those at full load.
type soaked struct {
	folder  string
	parts   *cameratest.MJPEG
	written atomic.Uint64 // pictures into the folder
	served  atomic.Pointer[Recorder]
}

// run has the folder get a picture every 60 ms, 1,000 a minute where the machine keeps
// up, and the GigE camera lose its power again and again, until the test is over.
func (s *soaked) run(t *testing.T, long time.Duration) (stop func()) {
	t.Helper()
	var wg sync.WaitGroup
	over := make(chan struct{})
	wg.Go(func() {
		tick := time.NewTicker(60 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
			}
			i := int(s.written.Load())
			if rec := s.served.Load(); s.written.Load() > 100 && (rec == nil || s.written.Load() > 100+rec.Latest("c3").Seq) {
				continue // this machine does not keep up
			}
			name := filepath.Join(s.folder, fmt.Sprintf("p%d.jpg", i))
			if err := os.WriteFile(name+".part", cameratest.Picture(128, 112, i), 0o644); err != nil {
				t.Error(err)
			}
			os.Rename(name+".part", name)
			s.written.Add(1)
			os.Remove(filepath.Join(s.folder, fmt.Sprintf("p%d.jpg", i-2000))) // as who uploads them clears up
		}
	})
	wg.Go(func() {
		for camera := cameratest.StartGigE(t, "EDGED1"); ; {
			select {
			case <-over:
				return
			case <-time.After(max(long/20, 8*time.Second)):
			}
			camera.Kill()
			time.Sleep(3 * time.Second)
			camera = cameratest.StartGigE(t, "EDGED1")
		}
	})
	stop = sync.OnceFunc(func() { close(over); wg.Wait() })
	t.Cleanup(stop)
	return stop
}

// trendTime is how long a soak must be for its memory to be judged: in less caches and
// arenas still fill.
const trendTime = 2 * time.Minute

// TestSoak runs two cameras at full load for EDGED_SOAK, one through a worker, one as
// fast as the engine takes frames; beside them a line that pauses for up to half a
// minute, a folder of 1,000 pictures a minute and a GigE camera that comes and goes.
func TestSoak(t *testing.T) {
	long := 20 * time.Second
	if text := os.Getenv("EDGED_SOAK"); text != "" {
		var err error
		if long, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	camera := cameratest.StartMJPEG(t, "", 320, 240, 25)
	s := soaked{folder: t.TempDir(), parts: cameratest.StartTriggered(t, "", 128, 112, 200*time.Millisecond, time.Second, 200*time.Millisecond, 6*time.Second, 30*time.Second)}
	stop := s.run(t, long)
	r := NewRig(t, Setup{
		Sources: []string{camera.URL(), "test:belt?size=320x240&fps=0", s.parts.URL(), s.folder, gigeSource + "&Height=112"},
		Each:    map[int]string{2: `trigger = "camera"`}, H: 112, W: 128, Wrap: withoutRawSockets,
	})
	s.served.Store(r.Rec)
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
		if long >= trendTime && trend.Grows(last.At) {
			t.Errorf("%s memory grows", name)
		}
	}
	stop()
	for _, fate := range []string{"refused", "passed_over"} {
		if n := r.metric(`edged_frames_total{camera="c2",fate="` + fate + `"}`); n != 0 {
			t.Errorf("%v parts %s", n, fate)
		}
	}
	r.comes("a result of each picture of the folder", func() bool { return r.Rec.Latest("c3").Seq == s.written.Load() })
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
