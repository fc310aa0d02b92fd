package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"edged"
	"edged/internal/daemontest"
	"edged/tflite"
	"edged/train/nets"
)

func TestAnEngineAskedForByNameNeverGivesWay(t *testing.T) {
	data, err := daemontest.DenseNet(nets.Valid, 48, 56)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range engineNames {
		e, err := openEngine(name, data, edged.Options{Threads: 1})
		linked := tflite.Linked() || name == engineGo || name == engineAuto
		if (err == nil) != linked {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err != nil {
			continue
		}
		family, _, _ := strings.Cut(name, "-")
		if name != engineAuto && !strings.HasPrefix(e.Name(), family) {
			t.Errorf("%s: got %s", name, e.Name())
		}
		if name == engineTFLiteBuiltin && !strings.Contains(e.Name(), "builtin") {
			t.Errorf("%s: got %s", name, e.Name())
		}
		e.Close()
	}
	var exit *exitError
	if _, err := openEngine("warp", data, edged.Options{}); !errors.As(err, &exit) || exit.code != exitUsage {
		t.Errorf("an engine that is not: %v", err)
	}
}

func TestAutoTellsBothReasons(t *testing.T) {
	_, err := openEngine(engineAuto, []byte("garbage in a file"), edged.Options{})
	if err == nil || !strings.Contains(err.Error(), "engine go") || tflite.Linked() && !strings.Contains(err.Error(), "engine tflite") {
		t.Errorf("%v", err)
	}
}

func TestFilmedBeltIsAFilm(t *testing.T) {
	path := t.TempDir() + "/belt.avi"
	if err := filmBelt(context.Background(), path, 1); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(data, []byte("00dc")); n != 2*demoClipFPS { // each frame, and its place in the index
		t.Errorf("%d frames and index entries, want %d", n, 2*demoClipFPS)
	}
}

// The trial of a model is this program itself, started again. Every engine that
// is linked is tried.
func TestAutoTriesEveryEngine(t *testing.T) {
	data, err := daemontest.DenseNet(nets.ValidInt8, 48, 56)
	if err != nil {
		t.Fatal(err)
	}
	c, err := engines.Try(context.Background(), data, engineAuto, 1, "")
	if err != nil || !slices.Contains(linkedEngines(), c.Engine) || len(c.Odd) > 0 {
		t.Errorf("%+v, %v; want one of %q", c, err, linkedEngines())
	}
	for _, name := range linkedEngines() {
		if !strings.Contains(c.Why, name+" ") {
			t.Errorf("%q does not tell of %s", c.Why, name)
		}
	}
}

// TestTheGoEngineByItsOtherName: what was called fallback still runs, under the
// name that it has now.
func TestTheGoEngineByItsOtherName(t *testing.T) {
	net := daemontest.DenseFile(t, t.TempDir(), nets.Valid, 48, 56)
	for _, args := range [][]string{{"--engine", "fallback"}, {"--engine", "fallback", "--steps"}, {"--compare", "fallback,go"}} {
		code, out, errs := runEdged(append([]string{"bench", net, "--runs", "1"}, args...)...)
		if code != exitOK || !strings.Contains(out, "go ") || strings.Contains(out, "fallback") {
			t.Errorf("%v: exit %d\n%s%s", args, code, out, errs)
		}
	}
}
