//go:build tflite && cgo

package model_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"edged"
	"edged/model"
	"edged/tflite"
)

// runAll fills every input with seeded noise, runs once, and gives the outputs.
func runAll(t *testing.T, file []byte) [][]byte {
	t.Helper()
	e, err := tflite.OpenBuiltin(file, edged.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	r := rand.New(rand.NewPCG(1, 2))
	for i, s := range e.Inputs() {
		if s.Type != edged.Float32 {
			t.Fatalf("input %v: a test for float inputs", s)
		}
		for k := range edged.View[float32](e.Input(i)) {
			edged.View[float32](e.Input(i))[k] = r.Float32()
		}
	}
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for i := range e.Outputs() {
		out = append(out, bytes.Clone(e.Output(i)))
	}
	return out
}

// A real model that was read and written gives the same bits.
func TestRealModelsRunAsBefore(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(os.Getenv("DEPS"), "models", "*.tflite"))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, path := range paths {
		if strings.HasPrefix(filepath.Base(path), "selfie") {
			continue // a custom operator that TFLite does not have
		}
		ran++
		t.Run(filepath.Base(path), func(t *testing.T) {
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			m, err := model.Read(before)
			if err != nil {
				t.Fatal(err)
			}
			m.UpdateVersions()
			after, err := m.Write()
			if err != nil {
				t.Fatal(err)
			}
			want, got := runAll(t, before), runAll(t, after)
			for i := range want {
				if !bytes.Equal(want[i], got[i]) {
					t.Errorf("output %d differs", i)
				}
			}
			if slices.Max(want[0]) == slices.Min(want[0]) {
				t.Error("output 0 is constant: nothing is compared")
			}
		})
	}
	if ran < 6 {
		t.Errorf("%d models under %q; make deps-test fetches six that TFLite runs", ran, os.Getenv("DEPS"))
	}
}

// checkShapes loads a graph on TFLite, which computes the shapes by itself, and
// compares the outputs' with what the builder inferred.
func checkShapes(t *testing.T, name string, build func(b *model.Builder) []model.Ref) {
	t.Helper()
	b := model.NewBuilder()
	m, err := b.Build(build(b)...)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	file, err := m.Write()
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	e, err := tflite.OpenBuiltin(file, edged.Options{Threads: 1})
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	defer e.Close()
	if err := e.Run(); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	g := m.Subgraphs[0]
	for i, id := range g.Outputs {
		want, got := e.Outputs()[i], g.Tensors[id]
		if fmt.Sprint(want.Shape) != fmt.Sprint(got.Shape) || want.Type.String() != got.Type.String() {
			t.Errorf("%s: output %d: TFLite says %v, inferred %v%v", name, i, want, got.Type, got.Shape)
		}
	}
}

func TestShapesAreTFLites(t *testing.T) {
	for name, build := range every {
		checkShapes(t, name, build)
	}
}
