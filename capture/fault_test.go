package capture

import (
	"context"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"edged"
)

func contains(err error, part string) bool { return err != nil && strings.Contains(err.Error(), part) }

// statuses collects what OnStatus is told.
type statuses struct {
	mu  sync.Mutex
	all []Status
}

func (s *statuses) tell(st Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, st)
}

// are waits until the states told are want (+ online, - offline), one for all that
// follow each other with other reasons, and returns the last reason for being offline.
func (s *statuses) are(t *testing.T, want string) (reason string) {
	t.Helper()
	got := ""
	for range 500 {
		s.mu.Lock()
		got = ""
		for _, st := range s.all {
			state := "+"
			if !st.Online {
				state, reason = "-", st.Reason
			}
			if !strings.HasSuffix(got, state) {
				got += state
			}
		}
		s.mu.Unlock()
		if len(got) >= len(want) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if got != want {
		t.Errorf("states told: %s, want %s; last reason %q", got, want, reason)
	}
	return reason
}

// TestWorkerFaults breaks a live camera's worker at frame 20, once, in every
// way, and wants frame after frame again.
func TestWorkerFaults(t *testing.T) {
	for _, c := range []struct {
		script string
		reason string // part of the offline status
		check  func(Counts) bool
	}{
		{"crash=20", "killed", func(c Counts) bool { return c.Crashes == 1 && c.Restarts == 1 }},
		{"hang=20", "reading", func(c Counts) bool { return c.Stuck == 1 && c.Restarts == 1 }},
		{"stop=20", "sign of life", func(c Counts) bool { return c.Stuck == 1 && c.Restarts == 1 }},
		// What a decoder had kept when the network fell silent, and when that was.
		{"pause=20&ms=1200", "no picture for 900ms", func(c Counts) bool { return c.Stuck == 1 && c.Restarts == 1 && c.By.Stale == 1 }},
		{"end=20", "connection reset", func(c Counts) bool { return c.Failures == 1 && c.Restarts == 0 && c.Opens == 2 }},
		{"lose=20&grow=20", "killed", func(c Counts) bool { return c.Crashes == 1 && c.By.Lost >= 1 && c.SizeChanges >= 1 }},
	} {
		t.Run(c.script, func(t *testing.T) {
			t.Parallel()
			var told statuses
			cfg := fake("fps=200&" + c.script + "&" + mark(t))
			cfg.OnStatus = told.tell
			if strings.HasPrefix(c.script, "stop") {
				cfg.ReadTimeout = 20 * time.Second // so that only the signs of life can tell
			}
			src := mustOpen(t, cfg)
			last, again := uint64(0), 0
			for again < 10 && last < 5000 {
				f, n := next(t, src)
				if f.Seq <= last {
					t.Fatalf("seq %d after %d", f.Seq, last)
				}
				if n < f.Seq {
					again++
				}
				last = f.Seq
			}
			if reason := told.are(t, "+-+"); !strings.Contains(reason, c.reason) {
				t.Errorf("offline because of %q, want it to name %q", reason, c.reason)
			}
			if got := balanced(t, src); !c.check(got) {
				t.Errorf("counts %+v", got)
			}
			src.Close()
			if got := balanced(t, src); got.Refused != got.By.Lost+got.By.Stale {
				t.Errorf("counts after Close %+v", got)
			}
		})
	}
}

func TestOpenHangs(t *testing.T) {
	cfg := fake("fps=100&openhang=1&" + mark(t))
	cfg.OpenTimeout = 700 * time.Millisecond
	src := mustOpen(t, cfg)
	next(t, src)
	if c := balanced(t, src); c.Stuck < 1 || c.Restarts < 1 {
		t.Errorf("counts %+v", c)
	}
}

// TestComesBack: a camera that is away is said to be so once, and its return
// is found without a new process.
func TestComesBack(t *testing.T) {
	var told statuses
	m := mark(t)
	cfg := fake("fps=100&openfail=no+route&" + m)
	cfg.OnStatus = told.tell
	src := mustOpen(t, cfg)
	for src.Counts().Failures < 5 {
		time.Sleep(5 * time.Millisecond)
	}
	if reason := told.are(t, "-"); reason != "no route" {
		t.Errorf("offline because of %q", reason)
	}
	path, err := url.QueryUnescape(strings.TrimPrefix(m, "mark="))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	next(t, src)
	told.are(t, "-+")
	if c := balanced(t, src); c.Restarts != 0 {
		t.Errorf("counts %+v: retrying needs no new worker", c)
	}
}

// TestReasonsAreCurrent: why a camera is away is told anew when that changes, and is
// news when it is another kind of reason.
func TestReasonsAreCurrent(t *testing.T) {
	var told statuses
	cfg := fakeFile(t, "openfail=fault+17")
	there := cfg.Source
	cfg.Source, cfg.OnStatus = there+".later", told.tell
	mustOpen(t, cfg)
	told.awaits(t, "does not exist", false)
	if err := os.Rename(there, cfg.Source); err != nil {
		t.Fatal(err)
	}
	told.awaits(t, "fault 17", false)
	if err := os.WriteFile(cfg.Source, []byte("openfail=fault+18"), 0o600); err != nil {
		t.Fatal(err)
	}
	told.awaits(t, "fault 18", true)
}

// awaits waits until the state told last is offline for a reason.
func (s *statuses) awaits(t *testing.T, reason string, old bool) {
	t.Helper()
	var last Status
	for range 500 {
		s.mu.Lock()
		if n := len(s.all); n > 0 {
			last = s.all[n-1]
		}
		s.mu.Unlock()
		if !last.Online && strings.Contains(last.Reason, reason) {
			if last.Old != old {
				t.Errorf("%+v, want Old %v", last, old)
			}
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("the state told last is %+v, want %q", last, reason)
}

// TestProbeTellsTheReason: a source that never opens is known by why, not by the end
// of the time that it was given.
func TestProbeTellsTheReason(t *testing.T) {
	cfg := fake("openhang=1")
	cfg.OpenTimeout = 300 * time.Millisecond
	if _, err := Probe(context.Background(), cfg); err == nil || !strings.Contains(err.Error(), "opening the camera took longer than 300ms") {
		t.Errorf("%v", err)
	}
}

// TestMissingFileAppears: the daemon waits for a file, no worker does.
func TestMissingFileAppears(t *testing.T) {
	cfg := fakeFile(t, "n=3")
	there := cfg.Source
	cfg.Source = there + ".later"
	cfg.EveryFrame = true
	src := mustOpen(t, cfg)
	for src.Counts().Failures < 3 {
		time.Sleep(5 * time.Millisecond)
	}
	if c := src.Counts(); c.Opens != 0 {
		t.Errorf("counts %+v: a worker was started for a file that is not there", c)
	}
	if err := os.Rename(there, cfg.Source); err != nil {
		t.Fatal(err)
	}
	if _, n := next(t, src); n != 1 {
		t.Errorf("first picture is %d", n)
	}
	cfg.Source, cfg.Once = there, true
	if _, err := Open(cfg); !contains(err, there) {
		t.Errorf("once: %v, want an error that names the file", err)
	}
}

// TestFileResumes: a worker that dies on a file goes on where it was.
func TestFileResumes(t *testing.T) {
	cfg := fakeFile(t, "n=60&crash=30&"+mark(t))
	cfg.EveryFrame = true
	src := mustOpen(t, cfg)
	for i := uint64(1); i <= 60; i++ {
		if f, n := next(t, src); n != i || f.Seq != i {
			t.Fatalf("frame %d: picture %d, seq %d", i, n, f.Seq)
		}
	}
	var f edged.Frame
	if err := src.Next(context.Background(), &f); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	if c := balanced(t, src); c.Read != 60 || c.Crashes != 1 || c.Restarts != 1 || c.Missing != 0 {
		t.Errorf("counts %+v", c)
	}
}

func TestHopelessFile(t *testing.T) {
	cfg := fakeFile(t, "n=60&crash=30&promise=60")
	cfg.EveryFrame = true
	src := mustOpen(t, cfg)
	for range 29 {
		next(t, src)
	}
	var f edged.Frame
	err := src.Next(context.Background(), &f)
	if !contains(err, filepath.Base(cfg.Source)) || !contains(err, "frame 29") || !contains(err, "killed") {
		t.Errorf("a file that kills its reader every time: %v", err)
	}
	if c := balanced(t, src); c.Crashes != hopeless || c.Delivered != 29 {
		t.Errorf("counts %+v", c)
	}
}

func TestTruncatedFile(t *testing.T) {
	cfg := fakeFile(t, "n=60&promise=100")
	cfg.EveryFrame = true
	src := mustOpen(t, cfg)
	for range 60 {
		next(t, src)
	}
	var f edged.Frame
	if err := src.Next(context.Background(), &f); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	if c := balanced(t, src); c.Missing != 40 || c.Read != 60 {
		t.Errorf("counts %+v", c)
	}
}

func TestUndecodable(t *testing.T) {
	for _, script := range []string{"n=0", "n=0&openfail=not+a+video"} {
		cfg := fakeFile(t, script)
		cfg.Once = true
		src := mustOpen(t, cfg)
		var f edged.Frame
		if err := src.Next(context.Background(), &f); !contains(err, cfg.Source) {
			t.Errorf("%s: %v, want an error that names the file", script, err)
		}
		balanced(t, src)
	}
}

// TestOthersGoOn: while one camera hangs and another crashes without end, the
// third misses nothing.
func TestOthersGoOn(t *testing.T) {
	mustOpen(t, fake("fps=100&hang=5"))
	mustOpen(t, fake("fps=100&crash=5"))
	cfg := fakeFile(t, "n=500&fps=250")
	cfg.EveryFrame = true
	src := mustOpen(t, cfg)
	for i := uint64(1); i <= 500; i++ {
		if f, n := next(t, src); n != i || f.Seq != i {
			t.Fatalf("frame %d: picture %d, seq %d", i, n, f.Seq)
		}
	}
	if c := balanced(t, src); c.Restarts+c.Stuck+c.Crashes != 0 {
		t.Errorf("counts %+v", c)
	}
}

func TestTelling(t *testing.T) {
	for words, want := range map[string]string{
		"":                                      "",
		"one\ntwo\n":                            ": two",
		"x\npanic: no\ngoroutine":               ": panic: no",
		"why\n[rtsp @ 0x1] [verbose] hello\n":   ": why",
		"SIGSEGV: segmentation violation\nPC=0": ": SIGSEGV: segmentation violation",
		strings.Repeat("x", 400):                ": " + strings.Repeat("x", 300),
	} {
		if got := telling(words); got != want {
			t.Errorf("telling(%q) = %q, want %q", words, got, want)
		}
	}
}

// A worker reads back what its libraries say to standard error: a decoder tells
// of a damaged frame nowhere else.
func TestAWorkerHearsItsLibraries(t *testing.T) {
	_, err := Probe(context.Background(), fake("recall"))
	if err == nil || !strings.Contains(err.Error(), "error while decoding MB 3") {
		t.Errorf("%v", err)
	}
}
