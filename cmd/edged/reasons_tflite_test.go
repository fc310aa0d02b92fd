//go:build tflite

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edged/model"
)

// strange is a net of strangers with an alteration, or a file of our own.
func strange(t *testing.T, kind, alteration string) string {
	t.Helper()
	s := &stranger{Builder: model.NewBuilder(), seed: 7}
	m, err := s.Build(strangers[kind](s)...)
	if err != nil {
		t.Fatal(err)
	}
	if alteration != "" {
		alterations[alteration](m)
	}
	return save(t, m)
}

// goOnly has an operator that the Go engine alone runs: a transposed convolution
// of floats with weights of 8 bits.
func goOnly(t *testing.T) string {
	s := &stranger{Builder: model.NewBuilder(), seed: 7}
	w := s.PerChannel(model.Const(s.Builder, "w", []int{2, 1, 1, 2}, []int8{3, -5, 7, 90}), 0, []float32{0.1}, []int64{0})
	y := s.Op(model.OpTransposeConv, &model.TransposeConvOptions{StrideH: 1, StrideW: 1}, s.Ints(1, 6, 6, 2), w, s.Input("x", model.TypeFloat32, 1, 6, 6, 2))
	m, err := s.Build(y)
	if err != nil {
		t.Fatal(err)
	}
	return save(t, m)
}

// cutShort is a file that ends too early.
func cutShort(t *testing.T) string {
	file, err := os.ReadFile(strange(t, "same", ""))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cut.tflite")
	writeFile(t, path, file[:len(file)/2])
	return path
}

// TestReasonsOfEveryEngine: whichever engine is asked, and whichever file it does
// not run, the exit code tells the kind of fault (3: an operator is missing, 1: the
// file is damaged, or crashes the library) and the text each engine's reason.
func TestReasonsOfEveryEngine(t *testing.T) {
	type answer struct {
		code  int
		words []string
		not   string
	}
	const state, atan, cut = "a state between frames", "ATAN2", "malformed model"
	runs := answer{code: 0}
	files := []struct {
		name, path string
		on         map[string]answer
	}{
		{"Go alone runs it", goOnly(t), map[string]answer{
			"auto": runs, "go": runs, "tflite": {1, []string{"engine tflite: ", "TRANSPOSE_CONV"}, cut}, "tflite-builtin": {1, []string{"engine tflite-builtin: ", "TRANSPOSE_CONV"}, cut}}},
		{"TFLite alone runs it", strange(t, "rnn", "rnn"), map[string]answer{
			"auto": runs, "go": {3, []string{"engine go: ", state}, cut}, "tflite": runs, "tflite-builtin": runs}},
		{"nobody has it", strange(t, "atan2", "atan2"), map[string]answer{
			"auto": {3, []string{"engine go: ", "engine tflite: ", atan}, cut}, "go": {3, []string{"engine go: ", atan}, "engine tflite"},
			"tflite": {3, []string{"engine tflite: ", atan}, "engine go"}, "tflite-builtin": {3, []string{"engine tflite-builtin: ", atan}, "engine go"}}},
		{"Go has it not, TFLite crashes", strange(t, "rnn", "rnn-int8"), map[string]answer{
			"auto": {3, []string{"engine go: ", state, "engine tflite: "}, cut}, "go": {3, []string{state}, "engine tflite"},
			"tflite": {1, []string{"engine tflite: ", "a child process tried the model first"}, state}, "tflite-builtin": {1, []string{"engine tflite-builtin: ", "a child process tried the model first"}, state}}},
		{"it is damaged", cutShort(t), map[string]answer{
			"auto": {1, []string{cut}, "unsupported"}, "go": {1, []string{cut}, "unsupported"}, "tflite": {1, []string{cut}, "unsupported"}, "tflite-builtin": {1, []string{cut}, "unsupported"}}},
	}
	for _, f := range files {
		for engine, want := range f.on {
			commands := [][]string{{"bench", f.path, "--runs", "1", "--engine", engine}}
			if engine == engineAuto && want.code != 0 {
				commands = append(commands, []string{"verify", f.path, f.path}, []string{"run", "--once", "-c", cameraConfig(t, f.path)})
			}
			for _, args := range commands {
				code, out, errs := runEdged(args...)
				if code != want.code {
					t.Errorf("%s: %v: exit %d, want %d:\n%s%s", f.name, args, code, want.code, out, errs)
				}
				for _, w := range want.words {
					if !strings.Contains(errs, w) {
						t.Errorf("%s: %v: no %q in\n%s", f.name, args, w, errs)
					}
				}
				if want.not != "" && strings.Contains(errs, want.not) {
					t.Errorf("%s: %v: %q in\n%s", f.name, args, want.not, errs)
				}
			}
		}
	}
}

// TestVerifyTellsEachEnginesReason: of two files that each run somewhere, and
// nowhere both.
func TestVerifyTellsEachEnginesReason(t *testing.T) {
	code, _, errs := runEdged("verify", goOnly(t), strange(t, "rnn", "rnn"), "--black-box", "--contract", "frame")
	for _, w := range []string{"no engine loads both models", "engine tflite: ", "TRANSPOSE_CONV", "engine go: ", "a state between frames"} {
		if !strings.Contains(errs, w) {
			t.Errorf("no %q in\n%s", w, errs)
		}
	}
	if code != exitRefused {
		t.Errorf("exit %d, want %d", code, exitRefused)
	}
}

// cameraConfig is a config of one camera on a model.
func cameraConfig(t *testing.T, path string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "edged.toml")
	writeFile(t, file, []byte("[node]\nname = \"n\"\nhttp = \"\"\n[[camera]]\nname = \"c\"\nsource = \"test:belt?size=64x64&frames=1\"\nmodel = \""+path+"\"\n"))
	return file
}
