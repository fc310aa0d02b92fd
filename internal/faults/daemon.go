// Package faults runs the built programs, bin/edged and bin/edged-camera,
// through what a factory does to them: brokers that die, cameras that freeze,
// disks that fill, models that are garbage. It holds the harness - the daemon
// as a process, its vital signs, and a subscriber that keeps accounts; the
// scenarios are its tests, with build tag faults: `make test-faults`.
package faults

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stopTime is how long a daemon may take to end after SIGTERM.
const stopTime = 5 * time.Second

// Daemon is one bin/edged process, which may be started again and again.
type Daemon struct {
	t       testing.TB
	Dir     string   // its configuration, model and state
	HTTP    string   // host and port of page and metrics
	Wrap    []string // a command that starts it in place of itself, for example prlimit
	Env     []string // beside this process's own
	program string   // in place of bin/edged
	config  string
	cmd     *exec.Cmd
	done    chan struct{} // closed when it has ended
	err     error         // how
}

// Bin is the path of a built program: in EDGED_BIN, else in bin of the source.
func Bin(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("EDGED_BIN")
	if dir == "" {
		dir = filepath.Join("..", "..", "bin")
	}
	path, err := filepath.Abs(filepath.Join(dir, name))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("%s is not built: run `make build` first: %v", name, err)
	}
	return path
}

// NewDaemon writes a configuration into dir. Start runs it.
func NewDaemon(t testing.TB, dir, http, config string) *Daemon {
	t.Helper()
	d := &Daemon{t: t, Dir: dir, HTTP: http}
	d.Configure(config)
	t.Cleanup(func() {
		d.Kill()
		if t.Failed() {
			t.Logf("the daemon's log:\n%s", tail(d.Log(), 6000))
		}
	})
	return d
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// Configure replaces the configuration, for the next Start.
func (d *Daemon) Configure(config string) {
	d.t.Helper()
	d.config = filepath.Join(d.Dir, "edged.toml")
	if err := os.WriteFile(d.config, []byte(config), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// Config is the path of the configuration.
func (d *Daemon) Config() string { return d.config }

func (d *Daemon) logFile() string { return filepath.Join(d.Dir, "edged.log") }

// Log is what every run has written to standard error so far.
func (d *Daemon) Log() string {
	b, _ := os.ReadFile(d.logFile())
	return string(b)
}

// Start runs the daemon. It does not wait until it is ready.
func (d *Daemon) Start() {
	d.t.Helper()
	log, err := os.OpenFile(d.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer log.Close()
	program := d.program
	if program == "" {
		program = Bin(d.t, "edged")
	}
	args := append(append([]string{}, d.Wrap...), program, "run", "-c", d.config)
	d.cmd = exec.Command(args[0], args[1:]...)
	d.cmd.Stdout, d.cmd.Stderr = log, log
	d.cmd.Env = append(os.Environ(), d.Env...)
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) {
		d.err = cmd.Wait()
		close(done)
	}(d.cmd, d.done)
}

// PID is the daemon's process.
func (d *Daemon) PID() int { return d.cmd.Process.Pid }

// Running tells whether the process lives.
func (d *Daemon) Running() bool {
	if d.done == nil {
		return false
	}
	select {
	case <-d.done:
		return false
	default:
		return true
	}
}

// Signal sends sig to the daemon alone.
func (d *Daemon) Signal(sig syscall.Signal) {
	d.t.Helper()
	if err := d.cmd.Process.Signal(sig); err != nil {
		d.t.Fatalf("signal %v to the daemon: %v", sig, err)
	}
}

// Kill ends the daemon as a power cut would. It may be called twice.
func (d *Daemon) Kill() {
	if d.Running() {
		_ = d.cmd.Process.Kill()
		<-d.done
	}
}

// Stop asks the daemon to end and tells how long it took: at most 5 seconds,
// with exit code 0.
func (d *Daemon) Stop() time.Duration {
	d.t.Helper()
	if !d.Running() {
		d.t.Fatalf("the daemon has ended by itself: %v", d.err)
	}
	begin := time.Now()
	d.Signal(syscall.SIGTERM)
	select {
	case <-d.done:
	case <-time.After(4 * stopTime):
		d.t.Errorf("the daemon does not end on SIGTERM")
		d.Kill()
	}
	took := time.Since(begin)
	if took > stopTime {
		d.t.Errorf("the daemon took %v to end, want at most %v", took, stopTime)
	}
	if d.err != nil {
		d.t.Errorf("the daemon ended with %v", d.err)
	}
	return took
}

// Ended waits until the daemon has ended by itself and gives its exit code.
func (d *Daemon) Ended(limit time.Duration) int {
	d.t.Helper()
	select {
	case <-d.done:
	case <-time.After(limit):
		d.t.Fatalf("the daemon did not end within %v", limit)
	}
	var exit *exec.ExitError
	if errors.As(d.err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// Edged runs bin/edged with args to its end and returns what it printed.
func Edged(t testing.TB, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs strings.Builder
	cmd := exec.Command(Bin(t, "edged"), args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// DenseModel writes a bundled net, rewritten by the built program for an input
// of h x w, to path in one step.
func DenseModel(t testing.TB, base []byte, path string, h, w int) {
	t.Helper()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "base.tflite"), filepath.Join(dir, "dense.tflite")
	if err := os.WriteFile(from, base, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := Edged(t, "rewrite", from, "-o", to, "--input", fmt.Sprintf("%dx%d", h, w)); code != 0 {
		t.Fatalf("rewrite: exit code %d: %s", code, errs)
	}
	data, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	Replace(t, path, data)
}

// Replace puts data in path's place as a careful copier does: written beside
// it, then renamed.
func Replace(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}
