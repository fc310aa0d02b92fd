package signals

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

// TestMain plays, in a child, a process that is sent a signal before it releases:
// SIGTERM, since who runs the tests under nohup has SIGHUP ignored.
func TestMain(m *testing.M) {
	if os.Getenv("EDGED_SIGNALS_PART") == "" {
		Release()
		os.Exit(m.Run())
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
	for len(early.stop) == 0 {
		time.Sleep(time.Millisecond)
	}
	Release()
	time.Sleep(10 * time.Second)
}

func send(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		t.Fatal(err)
	}
}

// What came before the daemon asked is still there; a broken pipe has no effect.
func TestSignalsWait(t *testing.T) {
	early.catch()
	defer signal.Reset()
	for _, s := range []syscall.Signal{syscall.SIGPIPE, syscall.SIGHUP, syscall.SIGTERM} {
		send(t, s)
	}
	for len(early.hangup) == 0 || len(early.stop) == 0 {
		time.Sleep(time.Millisecond)
	}
	ctx, hangup, done := Daemon(t.Context())
	defer done()
	<-hangup
	<-ctx.Done()
	if t.Context().Err() != nil {
		t.Error("the parent has ended")
	}
}

// A process that releases dies of the signal that had waited.
func TestReleaseSendsOn(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "EDGED_SIGNALS_PART=release")
	err = cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v, want SIGTERM", err)
	}
}
