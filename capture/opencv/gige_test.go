//go:build opencv && cgo

package opencv

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/capture"
	"edged/capture/cameratest"
)

// nobody is the user that GigE's test runs as: root's packet sockets see nothing on
// the loopback interface.
const nobody = 65534

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
	fake := cameratest.StartGigE(t, "EDGED1")
	worker := ordinary(t)
	cfg := config("gige:EDGED1?PixelFormat=Mono8&Width=128&Height=64")
	cfg.Worker, cfg.OpenTimeout = worker, 30*time.Second
	var told statuses
	cfg.OnStatus = told.tell
	src := open(t, cfg)
	for number := uint64(0); number < 3; {
		f := next(t, src)
		if f.W != 128 || f.H != 64 || f.Format != edged.Gray || f.Number <= number {
			t.Fatalf("%dx%d %v, its number is %d after %d", f.W, f.H, f.Format, f.Number, number)
		}
		number = f.Number
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

	fake.Kill()
	before := src.Counts()
	eventually(t, src, "the dead camera is noticed", func(c capture.Counts) bool {
		return c.Failures+c.Stuck > before.Failures+before.Stuck
	})
	cameratest.StartGigE(t, "EDGED1")
	next(t, src)
	told.are(t, "+-+")
	balanced(t, src)

	if all := capture.GigECameras(time.Second); !slices.ContainsFunc(all, func(s string) bool { return strings.Contains(s, "Aravis-EDGED1") }) {
		t.Errorf("cameras on the network: %q", all)
	}
	gone := config("gige:NOBODY")
	gone.Worker, gone.Once, gone.OpenTimeout = worker, true, 30*time.Second
	if _, err := capture.Probe(t.Context(), gone); err == nil || !strings.Contains(err.Error(), "present: Aravis-EDGED1") {
		t.Errorf("a camera that is not there: %v", err)
	}
}

// TestGigETrigger: a camera that waits for its line, which nobody pulls, is open and
// well, for longer than aravissrc's patience of 2 s; its line is what triggers it, and no
// clock.
func TestGigETrigger(t *testing.T) {
	cameratest.StartGigE(t, "EDGED1")
	cfg := config("gige:EDGED1?PixelFormat=Mono8&Width=128&Height=64&TriggerMode=On&TriggerSource=Line0&TriggerActivation=RisingEdge")
	cfg.Worker, cfg.OpenTimeout, cfg.Triggered = ordinary(t), 30*time.Second, true
	var told statuses
	cfg.OnStatus = told.tell
	src := open(t, cfg)
	told.are(t, "+") // RetryMax after the opening
	time.Sleep(time.Second)
	told.are(t, "+")
	if c := balanced(t, src); c.Read != 0 || c.Opens != 1 || c.Failures+c.Stuck > 0 {
		t.Errorf("%+v", c)
	}
}

// TestGigECommand: a camera that takes a picture for each command is asked for one when
// somebody waits, and for no other; its silence in between, longer than aravissrc's
// patience of 2 s, is no fault. Every pixel format of the fake camera is read.
func TestGigECommand(t *testing.T) {
	cameratest.StartGigE(t, "EDGED1")
	worker := ordinary(t)
	for pixels, format := range map[string]edged.PixelFormat{"Mono8": edged.Gray, "Mono16": edged.Gray, "RGB8": edged.BGR, "BayerRG8": edged.BGR} {
		cfg := config("gige:EDGED1?Width=128&Height=64&TriggerMode=On&TriggerSource=Software&PixelFormat=" + pixels)
		cfg.Worker, cfg.OpenTimeout = worker, 30*time.Second
		src := open(t, cfg)
		for range 3 {
			asked := time.Now()
			f := next(t, src)
			if f.W != 128 || f.H != 64 || f.Format != format {
				t.Fatalf("%s: %dx%d %v", pixels, f.W, f.H, f.Format)
			}
			if f.Seq > 1 && f.Time.Before(asked) { // the first one is asked for by the opening
				t.Errorf("%s: a picture of %v before it was asked for", pixels, asked.Sub(f.Time))
			}
			if pixels == "Mono8" && f.Seq == 1 {
				time.Sleep(2500 * time.Millisecond)
			}
		}
		if c := balanced(t, src); c.Read != 3 || c.Opens != 1 || c.Failures+c.Stuck > 0 {
			t.Errorf("%s: %+v", pixels, c)
		}
		src.Close()
	}
}
