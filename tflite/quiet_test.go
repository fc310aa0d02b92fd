//go:build tflite && cgo && linux

package tflite

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// sayAll is the child's part: the library speaks, then Go panics.
func sayAll() {
	quiet()
	say("INFO", "Created a delegate")
	say("WARNING", "look out")
	say("INFO", "and so on")
	say("ERROR", "that was all\nINFO: in the middle")
	panic("the end of sayAll")
}

// Of what the library says only INFO is kept off standard error; Go's panics are
// there whole.
func TestQuietKeepsInfoAlone(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	run := append(strings.Fields(os.Getenv("EDGED_RUN")), exe) // the emulator, on another machine's processor
	cmd := exec.Command(run[0], run[1:]...)
	cmd.Env = append(os.Environ(), "EDGED_TEST_SAY=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Error("the child does not panic")
	}
	said := string(out)
	want := "WARNING: look out\nERROR: that was all\npanic: the end of sayAll"
	if !strings.HasPrefix(said, want) || !strings.Contains(said, "tflite.sayAll") || strings.Contains(said, "delegate") {
		t.Errorf("it says\n%s", said)
	}
}
