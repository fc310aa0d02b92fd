//go:build tflite && cgo && linux

package tflite

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

// The child's part: it reports faults into a file and has one.
func TestMain(m *testing.M) {
	if os.Getenv("EDGED_TEST_SAY") != "" {
		sayAll()
	}
	report := os.Getenv("EDGED_TEST_FAULT_REPORT")
	if report == "" {
		os.Exit(m.Run())
	}
	f, err := os.Create(report)
	if err == nil {
		err = debug.SetCrashOutput(f, debug.CrashOptions{})
	}
	if err == nil {
		err = ReportFaults(f)
	}
	if err != nil {
		panic(err)
	}
	switch os.Getenv("EDGED_TEST_FAULT") {
	case "thread":
		faultInThread()
	case "go":
		var p *int
		*p = 1
	case "recovered":
		func() {
			defer func() { _ = recover() }()
			var p *int
			*p = 1
		}()
		os.Exit(7)
	case "wait":
		time.Sleep(time.Minute)
	}
}

func TestFaultsAreReported(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for fault, want := range map[string]string{
		"thread":    "a fault in a thread of the library",
		"go":        "goroutine 1 ",
		"recovered": "",
		"wait":      "", // killed
	} {
		report := filepath.Join(t.TempDir(), "crash.txt")
		run := append(strings.Fields(os.Getenv("EDGED_RUN")), exe) // the emulator, on another machine's processor
		cmd := exec.Command(run[0], run[1:]...)
		cmd.Env = append(os.Environ(), "EDGED_TEST_FAULT_REPORT="+report, "EDGED_TEST_FAULT="+fault)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if fault == "wait" {
			for range 600 { // the report is there once the child listens for faults
				if _, err := os.Stat(report); err == nil {
					break
				}
				time.Sleep(50 * time.Millisecond)
			}
			_ = cmd.Process.Kill() // its end is what counts
		}
		err := cmd.Wait()
		text, readErr := os.ReadFile(report)
		if readErr != nil {
			t.Fatal(readErr)
		}
		if err == nil || want == "" && len(text) != 0 || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v, report %.300q, want %q", fault, err, text, want)
		}
	}
}
