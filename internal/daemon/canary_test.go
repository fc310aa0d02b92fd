package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"testing"

	"edged"
	"edged/fallback"
	"edged/internal/daemontest"
	"edged/train/nets"
)

const version = "1.2.3-test"

// engines are those of the tests: the engine in Go, and one that is broken.
var engines = Engines{Open: openEngine, Auto: []string{"broken", "go"}}

func openEngine(name string, model []byte, o edged.Options) (edged.Engine, error) {
	switch name {
	case "go":
	case "crash":
		debug.SetTraceback("crash") // ends by SIGABRT, as an assertion in C does
		panic("as a library would")
	default:
		return nil, fmt.Errorf("engine %s: out of order", name)
	}
	return fallback.Open(model, o)
}

// TestMain lets this test binary be the child that tries a model.
func TestMain(m *testing.M) {
	if len(os.Args) < 4 || os.Args[1] != "canary" {
		os.Exit(m.Run())
	}
	data, err := io.ReadAll(os.Stdin)
	if err == nil {
		_, err = engines.RunCanary(data, os.Args[3], edged.Options{Threads: 1})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "edged:", err)
		os.Exit(1)
	}
}

func TestTryPicksTheFirstEngineThatSurvives(t *testing.T) {
	data, err := daemontest.DenseNet(nets.ValidInt8, 48, 56)
	if err != nil {
		t.Fatal(err)
	}
	name, err := engines.Try(context.Background(), data, "auto", 1)
	if name != "go" || err == nil || err.Error() != "engine broken: out of order" {
		t.Errorf("%s, %v; want go, and why not the other", name, err)
	}
	if name, err := engines.Try(context.Background(), []byte("garbage in a file"), "auto", 1); err == nil || name != "" {
		t.Errorf("garbage runs on %q", name)
	}
}

func TestCanaryTellsWhatIsWrong(t *testing.T) {
	err := engines.Canary(context.Background(), []byte("this is garbage"), "go", 1)
	if err == nil || !strings.Contains(err.Error(), "no .tflite file") {
		t.Errorf("garbage: %v", err)
	}
	err = engines.Canary(context.Background(), []byte("any"), "crash", 1)
	if err == nil || err.Error() != "engine crash: the trial run ended with signal: aborted: panic: as a library would" {
		t.Errorf("a crash: %v", err)
	}
	data, err := daemontest.DenseNet(nets.Valid, 48, 56)
	if err != nil {
		t.Fatal(err)
	}
	if err := engines.Canary(context.Background(), data, "go", 1); err != nil {
		t.Errorf("a good model: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := engines.Canary(ctx, data, "go", 1); err == nil {
		t.Error("a canary that may not sing")
	}
}

func TestLastWords(t *testing.T) {
	died := errors.New("signal: segmentation fault")
	for stderr, want := range map[string]string{
		"INFO: x\nedged: engine tflite: no such operator\n": "engine tflite: no such operator",
		"":                   "engine e: the trial run ended with signal: segmentation fault",
		"Assertion failed\n": "engine e: the trial run ended with signal: segmentation fault: Assertion failed",
	} {
		if got := lastWords("e", died, stderr); got != want {
			t.Errorf("%q: %q, want %q", stderr, got, want)
		}
	}
}
