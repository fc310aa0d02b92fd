package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edged/train/data"
)

func TestRunExitCodes(t *testing.T) {
	for _, c := range []struct {
		want int
		says string
		args []string
	}{
		{2, "not defined", []string{"-nonsense"}},
		{1, "-keep needs -work", []string{"-keep"}},
		{1, "valid.json", []string{"-keep", "-work", t.TempDir(), "-out", t.TempDir()}},
	} {
		var out, diag bytes.Buffer
		if got := run(t.Context(), c.args, &out, &diag); got != c.want || !strings.Contains(diag.String(), c.says) {
			t.Errorf("%q: exit %d, want %d: %s", c.args, got, c.want, diag.String())
		}
	}
}

// learn hands Python the crops, and says what to install when it cannot run.
func TestLearn(t *testing.T) {
	small := data.Plan{Seed: 3, Belts: 1, Frames: 1, Clear: 1, Side: 9}
	o := options{work: t.TempDir(), python: filepath.Join(t.TempDir(), "python3")}
	var log bytes.Buffer
	err := learn(t.Context(), o, &log, small, small)
	if err == nil || !strings.Contains(err.Error(), "python3-torch") {
		t.Errorf("without Python: %v", err)
	}
	script := "#!/bin/sh\necho trained $# $1 $2\n"
	if err := os.WriteFile(o.python, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	log.Reset()
	if err := learn(t.Context(), o, &log, small, small); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "trained 4 -u train/train.py") || !strings.Contains(log.String(), "crops of 9 pixels") {
		t.Errorf("log: %s", log.String())
	}
	for _, name := range []string{"train.bin", "test.bin"} {
		if info, err := os.Stat(filepath.Join(o.work, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if learn(ctx, o, &log, small, small) == nil {
		t.Error("a cancelled training went on")
	}
}

func TestFileNames(t *testing.T) {
	if a, b := fileName("valid", false), fileName("valid", true); a != "belt_valid.tflite" || b != "belt_valid_int8.tflite" {
		t.Error(a, b)
	}
}

func TestCopyFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/a", []byte("bytes"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := copyFile(dir+"/new/b", dir+"/a"); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(dir + "/new/b"); err != nil || string(b) != "bytes" {
		t.Errorf("%q, %v", b, err)
	}
	if copyFile(dir+"/c", dir+"/absent") == nil {
		t.Error("a file that is not there was copied")
	}
}
