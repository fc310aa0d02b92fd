//go:build tflite && cgo

package tflite

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"edged"
	"edged/internal/delegatetest"
	"edged/internal/noise"
)

func delegateNamed(t *testing.T, library, mode string) string {
	t.Helper()
	var options map[string]string
	if mode != "" {
		options = map[string]string{"mode": mode}
	}
	return External(library, options)
}

// frame runs the test net on noise.
func frame(t *testing.T, open edged.Opener, runs int) (name string, out []float32) {
	t.Helper()
	e, err := open(delegatetest.Net(t), edged.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	noise.Fill(e.Input(0), e.Inputs()[0].Type)
	for range runs {
		if err := e.Run(); err != nil {
			t.Fatal(err)
		}
	}
	return e.Name(), slices.Clone(edged.View[float32](e.Output(0)))
}

// TestExternalDelegate: one that takes nothing, one that is right, one that is
// wrong; each says how many operators it has.
func TestExternalDelegate(t *testing.T) {
	library := delegatetest.Build(t, filepath.Join(deps(), "tflite", "include"))
	_, want := frame(t, OpenBuiltin, 1)
	for mode, c := range map[string]struct {
		taken string
		same  bool
	}{"none": {"0 of 4", true}, "": {"2 of 4", true}, "wrong": {"2 of 4", false}, "late": {"2 of 4", true}} {
		name, got := frame(t, OpenExternal(delegateNamed(t, library, mode)), 2)
		if slices.Equal(got, want) != c.same || !strings.Contains(name, c.taken) || !strings.Contains(name, "libtestdelegate.so") {
			t.Errorf("mode %q: %s, same answers: %v", mode, name, slices.Equal(got, want))
		}
	}
	if _, got := frame(t, OpenExternal(delegateNamed(t, library, "late")), 300); slices.Equal(got, want) {
		t.Error("the delegate that goes wrong after 200 runs has not")
	}
}

// TestExternalDelegateRefused: each fault by its own words, and nothing is loaded.
func TestExternalDelegateRefused(t *testing.T) {
	library := delegatetest.Build(t, filepath.Join(deps(), "tflite", "include"))
	for name, want := range map[string]string{
		delegateNamed(t, library, "fails"):             "cannot prepare this graph",
		External(library, map[string]string{"m": "x"}): "knows the options mode and after alone",
		External("/nowhere/lib.so", nil):               "/nowhere/lib.so",
		External("lib.so", nil):                        "whole path",
		External(soOf(t), nil):                         "no external delegate",
	} {
		e, err := OpenExternal(name)(delegatetest.Net(t), edged.Options{Threads: 1})
		if err == nil {
			e.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// soOf is a library that is no delegate: TensorFlow Lite itself.
func soOf(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(deps(), "tflite", "linux_*", "libtensorflowlite_c.so"))
	if err != nil || len(found) == 0 {
		t.Fatal("no library", err)
	}
	for _, f := range found {
		if abs, err := filepath.Abs(f); err == nil && strings.Contains(f, goarch) {
			return abs
		}
	}
	return found[0]
}

func TestExternalNames(t *testing.T) {
	options := map[string]string{"a": "b=c&d", "x y": "ü?", "empty": ""}
	library, got, err := ParseExternal(External("/opt/a b.so", options))
	if library != "/opt/a b.so" || err != nil || !maps.Equal(got, options) {
		t.Errorf("%s %v %v", library, got, err)
	}
	if IsExternal("tflite") || !IsExternal(External("/x", nil)) {
		t.Error("which names are of delegates")
	}
}
