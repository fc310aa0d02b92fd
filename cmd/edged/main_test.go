package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts below testdata/script run this very test binary
// under the name edged, and others as a program in which some models crash.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"edged": main, edgedDeadly: mainDeadly})
}

func TestScripts(t *testing.T) {
	nets, err := filepath.Abs("../../train/nets")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{Dir: "testdata/script", Cmds: scriptCommands, Condition: scriptCondition, Setup: func(e *testscript.Env) error {
		e.Setenv("NETS", nets) // the bundled baselines
		e.Setenv("LD_LIBRARY_PATH", os.Getenv("LD_LIBRARY_PATH"))
		return nil
	}})
}

func TestRunReturnsTheExitCodeOfTheContract(t *testing.T) {
	for _, c := range []struct {
		args []string
		want int
	}{
		{[]string{"version"}, exitOK},
		{[]string{}, exitUsage},
		{[]string{"nonsense"}, exitUsage},
		{[]string{"version", "--nonsense"}, exitUsage},
		{[]string{"version", "argument"}, exitUsage},
	} {
		null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := run(context.Background(), c.args, null, null); got != c.want {
			t.Errorf("edged %q: exit %d, want %d", c.args, got, c.want)
		}
		null.Close()
	}
}

func TestErrorsHoldNoControlCharacters(t *testing.T) {
	if got, want := quoteControls("a\x1b[31m\nb\u202e\t\x00 ü %"), "a\\x1b[31m\nb\\u202e\t\\x00 ü %"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	code, _, errs := runEdged("inspect", "no\x1b[2Jfile")
	if code != exitFailed || strings.Contains(errs, "\x1b") {
		t.Errorf("exit %d: %q", code, errs)
	}
}
