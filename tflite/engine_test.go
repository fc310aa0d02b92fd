//go:build tflite && cgo

package tflite

import (
	"cmp"
	"os"
	"path/filepath"
	"testing"

	"edged"
)

// deps is where internal/setup/deps.sh puts what is fetched.
func deps() string { return cmp.Or(os.Getenv("DEPS"), "../.deps") }

// npmModel reads one of the models that `make deps-test` fetches.
func npmModel(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(deps(), "models", name+".tflite"))
	if err != nil {
		t.Fatalf("test model: %v (make deps-test fetches it)", err)
	}
	return b
}

func TestOpenRealModel(t *testing.T) {
	for name, open := range map[string]edged.Opener{nameXNNPACK: Open, nameBuiltin: OpenBuiltin} {
		e, err := open(npmModel(t, "pose_landmark_lite"), edged.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		if e.Name() != name {
			t.Errorf("Name() = %q, want %q", e.Name(), name)
		}
		if in := e.Inputs(); len(in) != 1 || in[0].Bytes() != 256*256*3*4 || len(e.Input(0)) != in[0].Bytes() {
			t.Errorf("inputs %v", in)
		}
		for i := range edged.View[float32](e.Input(0)) {
			edged.View[float32](e.Input(0))[i] = float32(i%255) / 255
		}
		if err := e.Run(); err != nil {
			t.Fatal(err)
		}
		if out := e.Outputs(); len(out) != 5 || len(e.Output(0)) != 195*4 {
			t.Errorf("outputs %v", out)
		}
	}
}
