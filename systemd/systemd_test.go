package systemd

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// manager listens as the service manager would.
func manager(t *testing.T) *net.UnixConn {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return c
}

// hears is the next notification, empty when none comes within limit.
func hears(t *testing.T, c *net.UnixConn, limit time.Duration) string {
	t.Helper()
	buf := make([]byte, 4096)
	if err := c.SetReadDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	n, err := c.Read(buf)
	if err != nil {
		return ""
	}
	return string(buf[:n])
}

func TestNotifications(t *testing.T) {
	c := manager(t)
	for want, send := range map[string]func() error{
		"READY=1\nSTATUS=2 cameras":     func() error { return Ready("2 cameras") },
		"STATUS=waiting for the broker": func() error { return Status("waiting for the broker") },
		"STOPPING=1":                    Stopping,
	} {
		if err := send(); err != nil {
			t.Fatal(err)
		}
		if got := hears(t, c, 5*time.Second); got != want {
			t.Errorf("heard %q, want %q", got, want)
		}
	}
}

func TestOutsideOfSystemd(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("WATCHDOG_USEC", "")
	if err := Ready("x"); err != nil {
		t.Error(err)
	}
	w, err := NewWatchdog(slog.Default())
	if w != nil || err != nil {
		t.Errorf("a watchdog without being asked for: %v, %v", w, err)
	}
	w.Watch("x", 0, nil)
	w.Run(context.Background()) // returns at once
}

func TestWatchdogIsFedByProgressAlone(t *testing.T) {
	c := manager(t)
	t.Setenv("WATCHDOG_USEC", "200000")
	t.Setenv("WATCHDOG_PID", "")
	var log lockedText
	w, err := NewWatchdog(slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	var mark atomic.Int64
	var idle atomic.Bool
	w.Watch("camera belt", 0, func() (bool, int64) { return idle.Load(), mark.Load() })
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); w.Run(ctx) }()
	move := time.NewTicker(20 * time.Millisecond)
	for range 30 {
		<-move.C
		mark.Add(1)
	}
	move.Stop()
	if got := hears(t, c, time.Second); got != "WATCHDOG=1" {
		t.Fatalf("heard %q while the stage moves", got)
	}
	silence(t, c)
	if !strings.Contains(log.String(), "camera belt") || strings.Count(log.String(), "hangs") != 1 {
		t.Errorf("log: %s", log.String())
	}
	idle.Store(true)
	if got := hears(t, c, 5*time.Second); got != "WATCHDOG=1" {
		t.Errorf("heard %q after the stage has come to rest", got)
	}
	stop()
	<-ended
}

// silence reads until nothing has come for four looks.
func silence(t *testing.T, c *net.UnixConn) {
	t.Helper()
	for range 100 {
		if hears(t, c, 200*time.Millisecond) == "" {
			return
		}
	}
	t.Fatal("the watchdog is fed although the stage hangs")
}

// alive is asked with made-up times: no waiting, no doubt.
func TestAliveByAFakeClock(t *testing.T) {
	w := &Watchdog{log: slog.New(slog.DiscardHandler), limit: 10 * time.Second}
	var fast, slow int64
	w.Watch("fast", 0, func() (bool, int64) { return false, fast })
	w.Watch("slow", time.Minute, func() (bool, int64) { return false, slow })
	start := time.Now()
	for i, step := range []struct {
		at         time.Duration
		fast, slow int64
		want       bool
	}{
		{1 * time.Second, 1, 1, true},
		{10 * time.Second, 1, 1, true},
		{12 * time.Second, 1, 1, false}, // fast has stood since second 1
		{13 * time.Second, 2, 1, true},
		{22 * time.Second, 3, 1, true},
		{31 * time.Second, 4, 1, true},
		{60 * time.Second, 5, 1, true},  // seen to move, though only now
		{62 * time.Second, 6, 1, false}, // slow has stood for more than a minute
		{63 * time.Second, 7, 0, true},  // any change is progress
	} {
		fast, slow = step.fast, step.slow
		if got := w.alive(start.Add(step.at)); got != step.want {
			t.Errorf("step %d, at %v: alive %v", i, step.at, got)
		}
	}
}

func TestCredential(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mqtt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	if p, ok := Credential("mqtt"); !ok || p != filepath.Join(dir, "mqtt") {
		t.Errorf("%q, %v", p, ok)
	}
	for _, name := range []string{"", "absent", "../mqtt", "/etc/passwd"} {
		if p, ok := Credential(name); ok {
			t.Errorf("%q gives %q", name, p)
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if _, ok := Credential("mqtt"); ok {
		t.Error("a credential without a directory")
	}
}
