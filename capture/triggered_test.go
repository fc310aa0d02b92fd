package capture

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"edged"
	"edged/capture/internal/shm"
)

// losses collects what OnLoss is told.
type losses struct {
	mu  sync.Mutex
	all []Loss
}

func (l *losses) tell(x Loss) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, x)
}

// by are the pictures lost for each reason.
func (l *losses) by() map[string]uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := map[string]uint64{}
	for _, x := range l.all {
		n[x.Reason] += x.N
	}
	return n
}

// triggered is a Config for a camera that takes a picture when a part comes, with
// every deadline that knows regularity far below its pauses.
func triggered(gaps string) (Config, *losses) {
	var lost losses
	cfg := fake("gaps=" + gaps)
	cfg.Triggered, cfg.OnLoss = true, lost.tell
	cfg.ReadTimeout, cfg.StallAfter, cfg.MaxAge, cfg.FrozenAfter = 250*time.Millisecond, 20*time.Millisecond, 20*time.Millisecond, 100*time.Millisecond
	return cfg, &lost
}

// TestTriggeredPauses: no part is lost, nor the camera away, for the pauses of a
// line, the one before the first part included.
func TestTriggeredPauses(t *testing.T) {
	var told statuses
	cfg, lost := triggered("600.5.5.5.400.5.400.5.700.5.5.400.1.1.1.1.300.5")
	cfg.OnStatus = told.tell
	src := mustOpen(t, cfg)
	for i := range uint64(18) {
		if f, n := next(t, src); n != i+1 || f.Seq != i+1 {
			t.Fatalf("part %d: picture %d, seq %d", i+1, n, f.Seq)
		}
	}
	told.are(t, "+")
	if c := balanced(t, src); c.Delivered != 18 || c.Refused+c.PassedOver+c.Stuck+c.Failures != 0 || len(lost.by()) != 0 {
		t.Errorf("counts %+v, lost %v", c, lost.by())
	}
}

// TestTriggeredIsOnlineBeforeItsFirstPart: an open camera that nobody has triggered
// yet is well.
func TestTriggeredIsOnlineBeforeItsFirstPart(t *testing.T) {
	var told statuses
	cfg, _ := triggered("3600000")
	cfg.OnStatus, cfg.OpenTimeout = told.tell, 300*time.Millisecond
	src := mustOpen(t, cfg)
	told.are(t, "+")
	time.Sleep(2 * cfg.OpenTimeout)
	told.are(t, "+")
	if c := balanced(t, src); c.Stuck+c.Failures != 0 || c.Opens != 1 {
		t.Errorf("counts %+v", c)
	}
}

// TestTriggeredBurst: parts that come closer together than the caller takes them
// wait in their order, older than a continuous picture may be. Those for which
// there is no memory are told of.
func TestTriggeredBurst(t *testing.T) {
	cfg, lost := triggered("1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.900")
	cfg.Slots = 5
	src := mustOpen(t, cfg)
	_, first := next(t, src) // lent: four more slots
	var got []uint64
	for src.Counts().Waiting < 4 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond) // the last of the burst find no slot
	for range 5 {
		_, n := next(t, src)
		got = append(got, n)
	}
	if first != 1 || !slices.Equal(got, []uint64{2, 3, 4, 5, 21}) {
		t.Errorf("pictures %d, %v: want the first five in order, then the part after the burst", first, got)
	}
	c := balanced(t, src)
	if c.PassedOver != 15 || c.Refused != 0 || lost.by()["passed_over"] != c.PassedOver {
		t.Errorf("counts %+v, lost %v", c, lost.by())
	}
}

// TestTriggeredRefusals: whatever refuses a part's picture, the reason is told.
func TestTriggeredRefusals(t *testing.T) {
	for script, want := range map[string]string{
		"fps=100&corrupt=5": "corrupt", "fps=100&empty=5": "corrupt", "fps=100&black=5": "black",
		"fps=100&freeze=5": "frozen", "fps=100&lose=5&grow=5&" + mark(t): "lost",
	} {
		t.Run(want+" "+script[:12], func(t *testing.T) {
			var lost losses
			cfg := fake(script)
			cfg.Triggered, cfg.OnLoss, cfg.RefuseBlack = true, lost.tell, true
			cfg.Idle, cfg.FrozenAfter = 300*time.Millisecond, 10*time.Millisecond
			src := mustOpen(t, cfg)
			go func() {
				var f edged.Frame
				for src.Next(context.Background(), &f) == nil {
				}
			}()
			for src.Counts().Refused == 0 {
				time.Sleep(time.Millisecond)
			}
			src.Close()
			if c := balanced(t, src); lost.by()[want] == 0 || c.Refused != lost.by()["corrupt"]+lost.by()["black"]+lost.by()["frozen"]+lost.by()["lost"]+lost.by()["stale"] {
				t.Errorf("counts %+v, lost %v, want %s", c, lost.by(), want)
			}
		})
	}
}

// TestIdleEnds: silence for longer than idle is a fault, and what the library
// returns when it has given up is no picture of now.
func TestIdleEnds(t *testing.T) {
	var told statuses
	var lost losses
	cfg := fake("fps=100&pause=10&ms=700&" + mark(t))
	cfg.Triggered, cfg.Idle, cfg.OnStatus, cfg.OnLoss = true, 500*time.Millisecond, told.tell, lost.tell
	cfg.ReadTimeout = 300 * time.Millisecond
	src := mustOpen(t, cfg)
	go func() {
		var f edged.Frame
		for src.Next(context.Background(), &f) == nil {
		}
	}()
	if reason := told.are(t, "+-+"); reason != "no picture for 500ms" {
		t.Errorf("offline because of %q", reason)
	}
	if c := balanced(t, src); c.By.Stale != 1 || c.Refused != c.By.Stale+c.By.Lost || lost.by()["stale"] != 1 {
		t.Errorf("counts %+v, lost %v", c, lost.by())
	}
}

// TestRegularCameraSaysWhatHelps: one picture in a while is a stuck camera until
// somebody says that it is not.
func TestRegularCameraSaysWhatHelps(t *testing.T) {
	var told statuses
	cfg := fake("gaps=1.1.60000")
	cfg.OnStatus, cfg.ReadTimeout = told.tell, 300*time.Millisecond
	mustOpen(t, cfg)
	if reason := told.are(t, "+-"); !strings.Contains(reason, `trigger = "camera"`) {
		t.Errorf("offline because of %q", reason)
	}
}

// slowStart is what a worker of that name does before it says hello.
func slowStart(name string) {
	switch name {
	case "slow start": // as on a cold card: it computes for longer than the deadline
		for began := time.Now(); time.Since(began) < 3*time.Second; {
		}
	case "no start":
		time.Sleep(time.Minute)
	}
}

// TestSlowStart: a worker that gets on is not killed for a deadline that another
// machine keeps; one that stands still is.
func TestSlowStart(t *testing.T) {
	cfg := fake("fps=100")
	cfg.Name, cfg.OpenTimeout = "slow start", time.Second
	src := mustOpen(t, cfg)
	next(t, src)
	if c := balanced(t, src); c.Stuck != 0 || c.Restarts != 0 {
		t.Errorf("counts %+v", c)
	}
	var told statuses
	cfg.Name, cfg.OnStatus, cfg.OpenTimeout = "no start", told.tell, 400*time.Millisecond
	mustOpen(t, cfg)
	if reason := told.are(t, "-"); reason != "camera worker did not start: it made no headway for 400ms" {
		t.Errorf("offline because of %q", reason)
	}
}

func TestHeadway(t *testing.T) {
	const limit = time.Second
	var h headway
	for i := range headwaySpan {
		h.steps[i] = time.Duration(10-i) * 100 * time.Millisecond // the latest at 1 s
	}
	for _, c := range []struct {
		now  time.Duration
		want bool
	}{{900 * time.Millisecond, false}, {1100 * time.Millisecond, false}, {1950 * time.Millisecond, true}, {20 * time.Second, true}} {
		if got := h.stuck(c.now, 0, limit, longestOpen); got != c.want {
			t.Errorf("stuck at %v: %v", c.now, got)
		}
	}
	for i := range h.steps {
		h.steps[i] = time.Hour // it gets on, for ever
	}
	if !h.stuck(longestOpen*limit+1, 0, limit, longestOpen) {
		t.Error("nothing ends a worker that gets on and gives nothing")
	}
	var seen headway
	seen.look(os.Getpid(), shm.Now())
	if seen.steps[0] == 0 {
		t.Error("this process has done nothing")
	}
}

func TestParseUsage(t *testing.T) {
	for line, want := range map[string]usage{
		"7 (edged) camera) S 1 7 7 0 -1 4194560 900 0 12 0 34 56 0 0 20 0 9 0 100": {12, 90},
		"7 (x) S 1 2": {}, "": {}, "7 (x) S 1 7 7 0 -1 4194560 900 0 -1 0 34 56 0": {},
	} {
		if got, ok := parseUsage([]byte(line)); got != want || ok != (want != usage{}) {
			t.Errorf("%q: %v, %v", line, got, ok)
		}
	}
	if _, ok := usageOf(0); ok {
		t.Error("there is no process 0 to read")
	}
}

func FuzzParseUsage(f *testing.F) {
	f.Add([]byte("7 (edged-camera) S 1 7 7 0 -1 4194560 900 0 12 0 34 56 0 0 20"))
	f.Fuzz(func(_ *testing.T, b []byte) { parseUsage(b) })
}
