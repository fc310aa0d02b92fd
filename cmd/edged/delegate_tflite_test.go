//go:build tflite && cgo

package main

import (
	"cmp"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"edged/internal/delegatetest"
	"edged/internal/npy"
	"edged/model"
	"edged/tflite"
)

// edgedCommand runs the program, as a process that can have children of its own.
func edgedCommand(t *testing.T, args ...string) (out string, code int) {
	t.Helper()
	cmd := exec.Command("edged", args...)
	b, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(b), cmd.ProcessState.ExitCode()
}

// TestDelegates: the five that a board may meet. The wrong one and the one that
// crashes are found by the child that tries them; none ends the command but with
// one clear line.
func TestDelegates(t *testing.T) {
	dir := t.TempDir()
	library := delegatetest.Build(t, filepath.Join(cmp.Or(os.Getenv("DEPS"), "../../.deps"), "tflite", "include"))
	net, x := filepath.Join(dir, "net.tflite"), filepath.Join(dir, "x.npy")
	if err := os.WriteFile(net, delegatetest.Net(t), 0o600); err != nil {
		t.Fatal(err)
	}
	writeArray(t, x, &npy.Array{Type: "float32", Shape: []int{1, 8, 8, 3}, Data: make([]byte, 4*8*8*3)})
	for _, c := range []struct {
		mode, want string
		code       int
	}{
		{"none", "0 of 4 operators", exitOK},
		{"", "2 of 4 operators", exitOK},
		{"wrong", "its answers are not the model's", exitFailed},
		{"crash", "segmentation", exitFailed},
		{"fails", "cannot prepare this graph", exitFailed},
	} {
		args := []string{"bench", net, "--runs", "2", "--delegate", library}
		if c.mode != "" {
			args = append(args, "--delegate-option", "mode="+c.mode)
		}
		out, code := edgedCommand(t, args...)
		if code != c.code || !strings.Contains(strings.ToLower(out), strings.ToLower(c.want)) || strings.Count(out, "\n") > 5 {
			t.Errorf("mode %q: exit %d, want %d and %q\n%s", c.mode, code, c.code, c.want, out)
		}
	}
	y := filepath.Join(dir, "y.npy")
	if out, code := edgedCommand(t, "infer", net, "--in", x, "--out", y, "--delegate", library); code != exitOK {
		t.Errorf("infer: exit %d\n%s", code, out)
	}
	for _, args := range [][]string{
		{"bench", net, "--delegate", filepath.Join(dir, "none.so")},
		{"bench", net, "--delegate", library, "--engine", "go"},
		{"bench", net, "--delegate", library, "--delegate-option", "mode"},
		{"bench", net, "--delegate-option", "mode=none"},
	} {
		if out, code := edgedCommand(t, args...); code != exitUsage {
			t.Errorf("%q: exit %d\n%s", args, code, out)
		}
	}
}

// TestVerifyFindsADelegateThatGoesWrong: right in the trial and wrong after it, it
// refutes the proof.
func TestVerifyFindsADelegateThatGoesWrong(t *testing.T) {
	dir := t.TempDir()
	library := delegatetest.Build(t, filepath.Join(cmp.Or(os.Getenv("DEPS"), "../../.deps"), "tflite", "include"))
	base, dense := reluPatch(t, dir)
	right := []string{"verify", base, dense, "--engine", tflite.External(library, nil)}
	if out, code := edgedCommand(t, right...); code != exitOK {
		t.Errorf("a right delegate: exit %d\n%s", code, out)
	}
	late := []string{"verify", base, dense, "--engine", tflite.External(library, map[string]string{"mode": "late", "after": "12"})} // the proof runs each file more often
	if out, code := edgedCommand(t, late...); code != exitRefused {
		t.Errorf("a delegate that goes wrong: exit %d\n%s", code, out)
	}
}

// reluPatch is a patch classifier whose RELU stands by itself, and its dense form.
func reluPatch(t *testing.T, dir string) (base, dense string) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	b := model.NewBuilder()
	conv := func(x model.Ref, out, k, in int) model.Ref {
		w, bias := make([]float32, out*k*k*in), make([]float32, out)
		for i := range w {
			w[i] = r.Float32() - 0.5
		}
		return b.Conv2D(x, model.Const(b, "w", []int{out, k, k, in}, w), model.Const(b, "b", []int{out}, bias),
			model.Conv2DOptions{Padding: model.PaddingValid, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1})
	}
	x := b.Relu(conv(b.Input("x", model.TypeFloat32, 1, 16, 16, 3), 4, 3, 3))
	x = b.MaxPool(x, model.Pool2DOptions{Padding: model.PaddingValid, StrideH: 2, StrideW: 2, FilterHeight: 2, FilterWidth: 2})
	m, err := b.Build(conv(x, 3, 7, 4))
	if err != nil {
		t.Fatal(err)
	}
	file, err := m.Write()
	if err != nil {
		t.Fatal(err)
	}
	base, dense = filepath.Join(dir, "base.tflite"), filepath.Join(dir, "dense.tflite")
	if err := os.WriteFile(base, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := edgedCommand(t, "rewrite", base, "-o", dense, "--input", "24x32"); code != exitOK {
		t.Fatalf("rewrite: exit %d\n%s", code, out)
	}
	return base, dense
}
