package capture

import (
	"context"
	"testing"
	"time"

	"edged"
)

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		script string
		set    func(*Config)
		refuse uint64 // the number of the picture that must not come, 0: none
		check  func(Counts) bool
	}{
		{"corrupt=10", nil, 10, func(c Counts) bool { return c.By == Refusals{Corrupt: 1} }},
		{"empty=10", nil, 10, func(c Counts) bool { return c.By == Refusals{Corrupt: 1} }},
		{"pause=10&ms=400", func(c *Config) { c.StallAfter = 100 * time.Millisecond }, 10,
			func(c Counts) bool { return c.By.Stale == 1 && c.Refused == 1 }},
		{"pause=10&ms=300", func(c *Config) { c.StallAfter = -1 }, 0, func(c Counts) bool { return c.Refused == 0 }},
	} {
		t.Run(c.script, func(t *testing.T) {
			cfg := fake("fps=100&" + c.script)
			cfg.EveryFrame = true
			if c.set != nil {
				c.set(&cfg)
			}
			src := mustOpen(t, cfg)
			for i := uint64(1); i <= 30; i++ {
				if i == c.refuse {
					continue
				}
				if f, n := next(t, src); n != i || f.Seq != i {
					t.Fatalf("frame %d: picture %d, seq %d", i, n, f.Seq)
				}
			}
			if got := balanced(t, src); !c.check(got) {
				t.Errorf("counts %+v", got)
			}
		})
	}
}

// TestFrozen: a picture that stands still is refused after a while and said to
// be away; a new connection does not make it good, the first change does.
func TestFrozen(t *testing.T) {
	var told statuses
	cfg := fake("fps=100&freeze=10&thaw=45")
	cfg.FrozenAfter = 200 * time.Millisecond
	cfg.ReadTimeout, cfg.AliveTimeout = time.Minute, time.Minute // a busy machine is no stuck worker
	cfg.EveryFrame = true
	cfg.OnStatus = told.tell
	src := mustOpen(t, cfg)
	last := uint64(0)
	for last < 70 {
		_, last = next(t, src)
	}
	if reason := told.are(t, "+-+"); reason != "the picture has not changed for 200ms" {
		t.Errorf("offline because of %q", reason)
	}
	c := balanced(t, src)
	if c.By.Frozen < 5 || c.By.Frozen > 35 || c.Refused != c.By.Frozen {
		t.Errorf("counts %+v: 35 like pictures at 100 a second, the first 200 ms of them good", c)
	}
}

func TestFrozenReconnects(t *testing.T) {
	cfg := fake("fps=100&freeze=1")
	cfg.FrozenAfter = 100 * time.Millisecond
	src := mustOpen(t, cfg)
	go func() {
		var f edged.Frame
		for src.Next(context.Background(), &f) == nil {
		}
	}()
	for src.Counts().Restarts < 2 {
		time.Sleep(10 * time.Millisecond)
	}
	good := src.Counts().Delivered
	for src.Counts().Restarts < 4 {
		time.Sleep(10 * time.Millisecond)
	}
	if c := balanced(t, src); c.Delivered != good {
		t.Errorf("counts %+v: %d frames delivered after two reconnections, more after four", c, good)
	}
}

func TestBlack(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		cfg := fake("fps=200&black=5")
		cfg.RefuseBlack = refuse
		src := mustOpen(t, cfg)
		for src.Counts().Black < 10 {
			var f edged.Frame
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
			src.Next(ctx, &f)
			cancel()
		}
		src.Close()
		if c := balanced(t, src); refuse != (c.By.Black > 0) || refuse && c.By.Black != c.Black {
			t.Errorf("refuse %v: counts %+v", refuse, c)
		}
	}
}

// TestMaxAge: a frame that has waited too long is not handed out as news. A
// machine that sleeps over the next frame has shown nothing, and tries again.
func TestMaxAge(t *testing.T) {
	for range 20 {
		if growsOld(t) {
			return
		}
	}
	t.Error("no frame grew old before the next one came")
}

func growsOld(t *testing.T) bool {
	cfg := fake("fps=100&pause=5&ms=400")
	cfg.MaxAge = 100 * time.Millisecond
	src := mustOpen(t, cfg)
	next(t, src)
	for src.Counts().Read+src.Counts().Waiting < 4 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond) // frame 4 grows old
	began, late := time.Now(), src.Counts().Read > 4
	f, n := next(t, src)
	age, took := time.Since(f.Time), time.Since(began)
	c := balanced(t, src)
	src.Close()
	if late || took > 300*time.Millisecond || n > 5 { // the next one took its place
		return false
	}
	if n < 5 || age > 300*time.Millisecond || c.By.Stale != 1 {
		t.Errorf("picture %d came, %v old; counts %+v", n, age, c)
	}
	return true
}

func TestRhythm(t *testing.T) {
	at := time.Now()
	for _, c := range []struct {
		name   string
		pauses []time.Duration
		stall  int // index of the pause that is a stall, -1: none
	}{
		{"even", []time.Duration{0, 1, 1, 1, 1, 1}, -1},
		{"stall", []time.Duration{0, 1, 1, 50, 1, 1}, 3},
		{"slow camera", []time.Duration{0, 50, 50, 50, 60, 50}, -1},
		{"slow start", []time.Duration{0, 90, 1, 1, 1, 1}, -1},
	} {
		var r rhythm
		for i, p := range c.pauses {
			at = at.Add(p * 100 * time.Millisecond)
			if got := r.stalled(at, time.Second); got != (i == c.stall) {
				t.Errorf("%s: pause %d is a stall: %v", c.name, i, got)
			}
		}
	}
}

// TestInspector: a change anywhere ends a freeze, in the rows looked at or not.
func TestInspector(t *testing.T) {
	const w, h = 100, 200
	f := edged.Frame{Pix: make([]byte, w*h*3), Stride: w * 3, W: w, H: h, Time: time.Now()}
	in := newInspector(Config{FrozenAfter: time.Second}, true)
	step := func(want bool) {
		t.Helper()
		f.Time = f.Time.Add(300 * time.Millisecond)
		if got := in.frozen(&f); got != want {
			t.Errorf("frozen: %v, want %v", got, want)
		}
	}
	step(false)
	for range 2 {
		for range 3 {
			step(false)
		}
		step(true)
		step(true)
		f.Pix[3*f.Stride+7] ^= 1 // row 3 of every 6 is not looked at first
		step(false)
	}
	f.Pix[0] ^= 1
	step(false)
	off := newInspector(Config{FrozenAfter: time.Nanosecond}, false)
	for range 5 {
		if off.frozen(&f) {
			t.Error("a file is called frozen")
		}
	}
}

func TestBlackLooksAtWholePicture(t *testing.T) {
	f := edged.Frame{Pix: make([]byte, 30*40), Stride: 30, W: 27, H: 40, Format: edged.Gray}
	for y := range f.H {
		f.Pix[y*f.Stride+28] = 255 // padding
	}
	if !black(&f) {
		t.Error("a black picture is not")
	}
	f.Pix[39*f.Stride+26] = blackest + 1
	if black(&f) {
		t.Error("a picture with a lit corner is called black")
	}
}

// TestBackoff: waits double up to the longest, with jitter, and start again.
func TestBackoff(t *testing.T) {
	b := backoff{min: time.Second, max: 30 * time.Second}
	for range 2 {
		for _, most := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
			if d := b.wait(); d < most*time.Second/2 || d > most*time.Second {
				t.Errorf("wait of %v, want %ds or at least half of it", d, most)
			}
		}
		b.reset()
	}
}
