//go:build tflite && cgo

package model

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// realModels reads the models that `make deps-test` fetches.
func realModels(t *testing.T) map[string][]byte {
	t.Helper()
	deps := os.Getenv("DEPS")
	if deps == "" {
		t.Fatal("DEPS is not set: run through make test, or eval \"$(make -s env)\" first")
	}
	paths, err := filepath.Glob(filepath.Join(deps, "models", "*.tflite"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no models under %s (%v): run make deps-test", deps, err)
	}
	files := map[string][]byte{}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(p)] = b
	}
	return files
}

func TestRealModelsRoundTrip(t *testing.T) {
	for name, b := range realModels(t) {
		t.Run(name, func(t *testing.T) {
			m, err := Read(b)
			if err != nil {
				t.Fatal(err)
			}
			out, err := m.Write()
			if err != nil {
				t.Fatal(err)
			}
			again, err := Read(out)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(m, again) {
				t.Error("changed on the way")
			}
			if !reflect.DeepEqual(m, m.Clone()) {
				t.Error("clone differs")
			}
		})
	}
}
