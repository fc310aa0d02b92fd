package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"time"

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
	case "slow":
		e, err := fallback.Open(model, o)
		return slowEngine{e}, err
	case "greedy":
		held := make([][]byte, 0, 64)
		for range cap(held) { // 4 GB, of which it touches nothing
			held = append(held, make([]byte, 64<<20))
		}
		return nil, fmt.Errorf("it got %d pieces", len(held))
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
	if len(os.Args) == 3 && os.Args[1] == "crash" {
		os.Exit(runForCrash(os.Args[2]))
	}
	if len(os.Args) < 4 || os.Args[1] != "canary" {
		os.Exit(m.Run())
	}
	data, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = answer(data)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "edged:", err)
		os.Exit(1)
	}
}

// answer is the child's part of a trial.
func answer(data []byte) error {
	t := Trial{Engine: os.Args[3], Threads: 1}
	fl := flag.NewFlagSet("canary", flag.ContinueOnError)
	fl.BoolVar(&t.Timed, "timed", false, "")
	fl.DurationVar(&t.Patience, "patience", 0, "")
	fl.Int64Var(&t.Memory, "memory", 0, "")
	if err := fl.Parse(os.Args[6:]); err != nil {
		return err
	}
	if err := LimitSelf(t.Memory); err != nil {
		return err
	}
	a, err := engines.RunCanary(data, t)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(a)
}

// slowEngine takes longer than a trial waits for one that is behind.
type slowEngine struct{ edged.Engine }

func (e slowEngine) Run() error {
	time.Sleep(2 * leastPatience)
	return e.Engine.Run()
}

func TestTryOfWhatNoEngineRuns(t *testing.T) {
	c, err := engines.Try(context.Background(), []byte("garbage in a file"), "auto", 1, "")
	if err == nil || c.Engine != "" || !strings.Contains(err.Error(), "engine broken: out of order; and ") {
		t.Errorf("garbage runs on %q: %v", c.Engine, err)
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
		"":                                       "engine e: the trial run ended with signal: segmentation fault",
		"Assertion failed\n":                     "engine e: the trial run ended with signal: segmentation fault: Assertion failed",
		"INFO: made a delegate\n\ndouble free\n": "engine e: the trial run ended with signal: segmentation fault: double free",
	} {
		if got := lastWords("e", died, stderr); got != want {
			t.Errorf("%q: %q, want %q", stderr, got, want)
		}
	}
}

// A trial is held to memory_limit: by the engine, which tells what the model asks
// for, and by the kernel.
func TestATrialHonoursTheMemoryLimit(t *testing.T) {
	data, err := os.ReadFile(daemontest.DenseFile(t, t.TempDir(), nets.Valid, 480, 640))
	if err != nil {
		t.Fatal(err)
	}
	e := engines
	e.Limit = func() int64 { return 1 << 20 }
	if err := e.Canary(t.Context(), data, "go", 1); err == nil || !strings.Contains(err.Error(), "memory limit") {
		t.Errorf("with a megabyte: %v", err)
	}
	e.Limit = func() int64 { return 256 << 20 }
	if err := e.Canary(t.Context(), data, "go", 1); err != nil {
		t.Errorf("with what it needs: %v", err)
	}
	if err := e.Canary(t.Context(), data, "greedy", 1); err == nil || !strings.Contains(err.Error(), "out of memory") {
		t.Errorf("an engine that takes what it likes: %v", err)
	}
}
