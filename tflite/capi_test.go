//go:build tflite && cgo

package tflite

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"edged"
)

// capi compiles testdata/capi.c and returns the command that runs it. CC and
// EDGED_RUN (a launcher such as qemu) serve the cross-compiled test binary.
func capi(t *testing.T) []string {
	t.Helper()
	bin, deps := filepath.Join(t.TempDir(), "capi"), deps()
	lib := filepath.Join(deps, "tflite", "linux_"+runtime.GOARCH)
	args := strings.Fields(cmp.Or(os.Getenv("CC"), "gcc"))
	args = append(args, "-O2", "-o", bin, "testdata/capi.c", "-I"+filepath.Join(deps, "tflite", "include"),
		"-L"+lib, "-ltensorflowlite_c", "-Wl,-rpath,"+lib)
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("compile capi.c: %v\n%s", err, out)
	}
	return append(strings.Fields(os.Getenv("EDGED_RUN")), bin)
}

func TestOutputsEqualTheCAPI(t *testing.T) {
	run := capi(t)
	for _, name := range []string{"pose_landmark_lite", "face_detection_short_range"} {
		for kernels, open := range map[string]edged.Opener{"xnnpack": Open, "builtin": OpenBuiltin} {
			t.Run(name+"/"+kernels, func(t *testing.T) { equalCAPI(t, run, name, kernels, open) })
		}
	}
}

func equalCAPI(t *testing.T, run []string, name, kernels string, open edged.Opener) {
	e, err := open(npmModel(t, name), edged.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	in := edged.View[float32](e.Input(0))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range in {
		in[i] = r.Float32()
	}
	input, output := filepath.Join(t.TempDir(), "in"), filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(input, e.Input(0), 0o600); err != nil {
		t.Fatal(err)
	}
	args := slices.Concat(run[1:], []string{filepath.Join(deps(), "models", name+".tflite"), input, output, kernels})
	if out, err := exec.Command(run[0], args...).CombinedOutput(); err != nil {
		t.Fatalf("capi: %v\n%s", err, out)
	}
	want, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for i := range e.Outputs() {
		got = append(got, e.Output(i)...)
	}
	if len(want) == 0 || !bytes.Equal(got, want) {
		t.Errorf("outputs differ from the C API's: %d bytes here, %d there", len(got), len(want))
	}
}
