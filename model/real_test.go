//go:build tflite && cgo

package model

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
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

// Every shape that the files state is found again from the inputs' alone.
func TestRealModelsInferShapes(t *testing.T) {
	for name, b := range realModels(t) {
		t.Run(name, func(t *testing.T) {
			m, err := Read(b)
			if err != nil {
				t.Fatal(err)
			}
			c := m.Clone()
			for _, op := range c.Subgraphs[0].Operators {
				for _, id := range op.Outputs {
					c.Subgraphs[0].Tensors[id].Shape = nil
				}
			}
			if err := c.InferShapes(0); err != nil {
				t.Fatal(err)
			}
			for i, want := range m.Subgraphs[0].Tensors {
				if got := c.Subgraphs[0].Tensors[i].Shape; !slices.Equal(got, want.Shape) {
					t.Errorf("tensor %d %q: %v, the file says %v", i, want.Name, got, want.Shape)
				}
			}
		})
	}
}

// The rules give the versions that the files state, but for two that
// MediaPipe's own writer sets lower than TensorFlow's converter does.
func TestRealModelsVersions(t *testing.T) {
	lower := map[BuiltinOperator]int32{OpDequantize: 2, OpResizeBilinear: 1} // float16, half-pixel centres
	for name, b := range realModels(t) {
		m, err := Read(b)
		if err != nil {
			t.Fatal(err)
		}
		for i, op := range m.Subgraphs[0].Operators {
			code := m.Code(op)
			got := m.OpVersion(m.Subgraphs[0], op)
			if got != code.Version && (got != 3 || lower[code.Builtin] != code.Version) {
				t.Errorf("%s: operator %d %s: version %d, the file says %d", name, i, code.Name(), got, code.Version)
			}
		}
	}
}
