//go:build opencv && cgo

package opencv

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"edged"
	"edged/capture"
)

// nobody is the user that GigE's test runs as: root's packet sockets see nothing on
// the loopback interface.
const nobody = 65534

// fakeGigE starts aravis' fake camera on loopback; kill ends it.
func fakeGigE(t *testing.T, serial string) (kill func()) {
	t.Helper()
	path := filepath.Join(os.Getenv("DEPS"), "aravis/usr/bin/arv-fake-gv-camera-0.8")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run `make deps-test`, and go test with the environment of `make env`", err)
	}
	cmd := exec.Command(path, "-i", "127.0.0.1", "-s", serial)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
		program, err := os.Open(path) // its folder may be root's alone
		if err != nil {
			t.Fatal(err)
		}
		defer program.Close()
		cmd.Path, cmd.ExtraFiles = "/proc/self/fd/3", []*os.File{program}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() { cmd.Process.Kill(); cmd.Wait() }
	t.Cleanup(kill)
	return kill
}

// ordinary is the worker, run by an ordinary user.
func ordinary(t *testing.T) (worker string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "edged-gige")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program, err := os.ReadFile(workerPath)
	if err != nil {
		t.Fatal(err)
	}
	copied, script, home := filepath.Join(dir, "edged-camera"), filepath.Join(dir, "as-nobody"), filepath.Join(dir, "home")
	drop := ""
	if os.Getuid() == 0 {
		drop = fmt.Sprintf("setpriv --reuid=%d --regid=%[1]d --clear-groups ", nobody)
	}
	for _, err := range []error{
		os.Chmod(dir, 0o755), os.Mkdir(home, 0o755), os.WriteFile(copied, program, 0o755),
		os.WriteFile(script, []byte("#!/bin/sh\nHOME="+home+" exec "+drop+copied+"\n"), 0o755),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if os.Getuid() == 0 {
		if err := os.Chown(home, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	return script
}

// TestGigE: a GigE Vision camera by its serial number, killed, restarted, and taken.
func TestGigE(t *testing.T) {
	kill := fakeGigE(t, "EDGED1")
	worker := ordinary(t)
	cfg := config("gige:EDGED1?PixelFormat=Mono8&Width=128&Height=64")
	cfg.Worker, cfg.OpenTimeout = worker, 30*time.Second
	var told statuses
	cfg.OnStatus = told.tell
	src := open(t, cfg)
	for range 3 {
		if f := next(t, src); f.W != 128 || f.H != 64 || f.Format != edged.Gray {
			t.Fatalf("%dx%d %v", f.W, f.H, f.Format)
		}
	}

	reasons := make(chan string, 100)
	second := config("gige:Aravis-Fake-EDGED1")
	second.Worker, second.OpenTimeout = worker, 30*time.Second
	second.OnStatus = func(s capture.Status) { reasons <- s.Reason }
	taken := open(t, second)
	if reason := <-reasons; !strings.Contains(reason, "another program has control") {
		t.Errorf("a camera that is taken: %q", reason)
	}
	taken.Close()

	kill()
	before := src.Counts()
	eventually(t, src, "the dead camera is noticed", func(c capture.Counts) bool {
		return c.Failures+c.Stuck > before.Failures+before.Stuck
	})
	fakeGigE(t, "EDGED1")
	next(t, src)
	told.are(t, "+-+")
	balanced(t, src)

	gone := config("gige:NOBODY")
	gone.Worker, gone.Once, gone.OpenTimeout = worker, true, 30*time.Second
	if _, err := capture.Probe(t.Context(), gone); err == nil || !strings.Contains(err.Error(), "present: Aravis-EDGED1") {
		t.Errorf("a camera that is not there: %v", err)
	}
}
