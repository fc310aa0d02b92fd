//go:build opencv && cgo

package opencv

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"edged"
	"edged/capture"
	"edged/capture/cameratest"
)

const (
	tags  = "opencv customenv gocv_specific_modules gocv_videoio"
	vtest = "/usr/share/doc/opencv-doc/examples/data/vtest.avi" // Debian's opencv-doc: 795 frames of 768x576
)

// workerPath is the real edged-camera, built for these tests.
var workerPath string

func TestMain(m *testing.M) {
	cameratest.Main()
	dir, err := os.MkdirTemp("", "edged-camera-test")
	if err == nil {
		workerPath = filepath.Join(dir, "edged-camera")
		var out []byte
		out, err = exec.Command("go", "build", "-tags", tags, "-o", workerPath, "edged/cmd/edged-camera").CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build edged-camera:", err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// config is a Config with the deadlines short enough for a test.
func config(source string) capture.Config {
	return capture.Config{
		Name: "test", Source: source, Worker: workerPath, Log: slog.New(slog.DiscardHandler),
		OpenTimeout: 8 * time.Second, ReadTimeout: 2 * time.Second,
		RetryMin: 50 * time.Millisecond, RetryMax: 300 * time.Millisecond, CrashMax: 300 * time.Millisecond,
	}
}

func open(t testing.TB, cfg capture.Config) capture.Source {
	t.Helper()
	src, err := capture.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

// next waits for a frame for as long as a recovery may take.
func next(t testing.TB, src capture.Source) (f edged.Frame) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	if err := src.Next(ctx, &f); err != nil {
		t.Fatalf("no frame: %v; counts %+v", err, src.Counts())
	}
	return f
}

// drain reads src to its end.
func drain(t testing.TB, src capture.Source) (frames uint64, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	var f edged.Frame
	for {
		if err = src.Next(ctx, &f); err != nil {
			return frames, err
		}
		frames++
	}
}

func balanced(t testing.TB, src capture.Source) capture.Counts {
	t.Helper()
	c := src.Counts()
	if !c.Balanced() {
		t.Errorf("the account does not balance: %+v", c)
	}
	return c
}

// eventually waits until the counts satisfy ok, taking frames meanwhile.
func eventually(t testing.TB, src capture.Source, what string, ok func(capture.Counts) bool) {
	t.Helper()
	deadline := time.Now().Add(40 * time.Second)
	for !ok(src.Counts()) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s; counts %+v", what, src.Counts())
		}
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		var f edged.Frame
		src.Next(ctx, &f)
		cancel()
	}
}

// workers are the process ids of this process' camera workers.
func workers(t testing.TB) (pids []int) {
	t.Helper()
	paths, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, path := range paths {
		exe, err := os.Readlink(path)
		if err != nil || exe != workerPath {
			continue
		}
		var pid int
		fmt.Sscanf(path, "/proc/%d/exe", &pid)
		pids = append(pids, pid)
	}
	return pids
}

// ffmpeg makes a file for a test.
func ffmpeg(t testing.TB, args string, out string) {
	t.Helper()
	cmd := exec.Command("ffmpeg", append(append([]string{"-hide_banner", "-loglevel", "error", "-nostdin", "-y"}, strings.Fields(args)...), out)...)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, b)
	}
}

// residentMemory is a process' resident set in bytes, shared memory left out.
func residentMemory(t testing.TB, pid int) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(b), "\n") {
		var kb int64
		if n, _ := fmt.Sscanf(line, "RssAnon: %d kB", &kb); n == 1 {
			return kb << 10
		}
	}
	t.Fatalf("no RssAnon in %s", b)
	return 0
}

// statuses collects what OnStatus is told.
type statuses struct {
	mu     sync.Mutex
	states string // + online, - offline
}

func (s *statuses) tell(st capture.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := "-"
	if st.Online {
		state = "+"
	}
	if !strings.HasSuffix(s.states, state) { // the reason has changed
		s.states += state
	}
}

// are waits until the states told are want.
func (s *statuses) are(t testing.TB, want string) {
	t.Helper()
	for range 1500 {
		s.mu.Lock()
		got := s.states
		s.mu.Unlock()
		if got == want {
			return
		}
		if len(got) > len(want) {
			t.Errorf("states told: %s, want %s", got, want)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("states told: never %s", want)
}
