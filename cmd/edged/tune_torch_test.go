//go:build torch

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edged/model"
	"edged/rewrite"
	"edged/train/nets"
	"edged/tune"
)

// The whole way, with PyTorch: dense net, labelled frames of the changed scene, the
// tuned dense net, its baseline, the proof, int8. make test-tune runs it.
func TestTuneOnTheChangedScene(t *testing.T) {
	dir := t.TempDir()
	images, masks := changedScene(t, 8, 160, 120)
	file := func(name string) string { return filepath.Join(dir, name) }
	b, err := nets.Read(nets.Valid)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, file("net.tflite"), b)
	do := func(args ...string) string {
		t.Helper()
		code, out, errs := runEdged(args...)
		if code != exitOK {
			t.Fatalf("%q: exit %d: %s", args, code, errs)
		}
		return out
	}
	do("rewrite", file("net.tflite"), "-o", file("dense.tflite"), "--input", "120x160")
	args := []string{"tune", file("dense.tflite"), "--images", images, "--masks", masks, "-o", file("tuned.tflite"), "--json", "--threads", "2", "--steps", "8", "--work", file("work"), "--epochs"}
	do(append(args, "2")...)
	state := file("work/state.pt")
	whole, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	fails := func(says string) {
		t.Helper()
		code, _, errs := runEdged(append(args, "8")...)
		lines := strings.Split(strings.TrimSpace(errs), "\n")
		if last := lines[len(lines)-1]; code != exitFailed || !strings.Contains(last, says) {
			t.Errorf("exit %d, want a last line that says %q: %s", code, says, errs)
		}
	}
	writeFile(t, state, whole[:len(whole)/2])
	fails("cannot be read")
	writeFile(t, state, whole)
	if err := os.Symlink("/dev/full", state+".new"); err != nil {
		t.Fatal(err)
	}
	fails("state.pt: No space left on device")
	if err := os.Remove(state + ".new"); err != nil {
		t.Fatal(err)
	}
	out := do(append(args, "8")...) // it goes on
	var r tune.Result
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	t.Logf("mIoU %.4f, before %.4f; torch differed by %g", r.After, r.Before, r.Checked)
	if len(r.Epochs) != 6 || !r.Epochs[0].Resumed {
		t.Errorf("%d epochs, it did not go on: %+v", len(r.Epochs), r.Epochs)
	}
	if r.After < r.Before+0.1 || r.Kept != 2 || r.Frames != 6 || r.Checked > 1e-4 {
		t.Errorf("%+v", r)
	}
	do("rewrite", "--inverse", file("tuned.tflite"), "-o", file("back.tflite"))
	sameWeightsBack(t, file("tuned.tflite"), file("back.tflite"))
	if out := do("verify", file("back.tflite"), file("tuned.tflite"), "--positions", "64", "--engine", "go"); !strings.Contains(out, "proved") {
		t.Error(out)
	}
	do("quantize", file("tuned.tflite"), "--images", images, "-o", file("int8.tflite"))
}

// sameWeightsBack: every weight of the baseline is in the tuned net, byte for byte.
func sameWeightsBack(t *testing.T, tuned, back string) {
	t.Helper()
	read := func(path string) *model.Model {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		m, err := model.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	dense, base := read(tuned), read(back)
	n := 0
	for _, x := range base.Subgraphs[0].Tensors {
		if data := base.Data(x); x.Type == model.TypeFloat32 && data != nil {
			n++
			found := false
			for _, y := range dense.Subgraphs[0].Tensors {
				found = found || bytes.Equal(dense.Data(y), data)
			}
			if !found {
				t.Errorf("weight %s of the baseline is not in the tuned net", x.Name)
			}
		}
	}
	if n != 10 {
		t.Errorf("%d weights", n)
	}
	if _, err := rewrite.Again(base, "", dense); err != nil {
		t.Error(err)
	}
}
