// Package delegatetest builds the external delegate that tests load: one library
// that, as its option "mode" says, takes nothing ("none"), takes RELU and is right
// (no mode), is wrong ("wrong"), is wrong after 200 runs, or
// as many as its option "after" says ("late"), crashes ("crash") or fails to prepare
// a graph ("fails").
package delegatetest

import (
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"edged/model"
)

//go:embed testdata/delegate.c
var source []byte

// compilers are for the machines that tests run on, emulated ones too.
var compilers = map[string]string{"arm64": "aarch64-linux-gnu-gcc", "amd64": "x86_64-linux-gnu-gcc"}

// Build compiles the delegate with the headers below include.
func Build(t testing.TB, include string) string {
	t.Helper()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "delegate.c"), filepath.Join(dir, "libtestdelegate.so")
	if err := os.WriteFile(from, source, 0o600); err != nil {
		t.Fatal(err)
	}
	cc := compilers[runtime.GOARCH]
	if _, err := exec.LookPath(cc); err != nil {
		cc = "cc"
	}
	out, err := exec.Command(cc, "-shared", "-fPIC", "-O1", "-fvisibility=hidden", "-I", include, "-o", to, from).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cc, err, out)
	}
	return to
}

// Net is a small net with two RELUs on maps, in float32, ending in channels.
func Net(t testing.TB) []byte {
	t.Helper()
	b := model.NewBuilder()
	x := b.Input("x", model.TypeFloat32, 1, 8, 8, 3)
	y := b.Relu(b.Add(x, model.Const(b, "c", []int{3}, []float32{0.1, -0.2, 0.05}), model.ActNone))
	y = b.Relu(b.Mul(y, model.Const(b, "m", []int{3}, []float32{0.5, -1, 2}), model.ActNone))
	m, err := b.Build(y)
	if err != nil {
		t.Fatal(err)
	}
	file, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	return file
}
