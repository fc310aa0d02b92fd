package atomicfile

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What cannot be written is told by the name that the user gave, not by that of
// the temporary file beside it.
func TestWriteNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "absent", "y.npy")
	err := Write(path, []byte("x"))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("error %v, want one that is fs.ErrNotExist", err)
	}
	if s := err.Error(); !strings.Contains(s, path) || strings.Contains(s, ".y.npy") {
		t.Errorf("error %q: want %s named, and no temporary file", s, path)
	}
}

// What is private is so whatever stood there before.
func TestWritePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := WritePrivate(path, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// A replaced file keeps its permissions; one that cannot be replaced (a folder
// stands in its place) leaves nothing behind.
func TestWriteReplaces(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "net.tflite")
	if err := os.WriteFile(path, []byte("old and longer"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, []byte("new")) {
		t.Errorf("file holds %q, %v", got, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v, want 0640", info.Mode(), err)
	}
	folder := filepath.Join(dir, "folder")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Write(folder, []byte("x")); err == nil || !strings.Contains(err.Error(), folder) {
		t.Errorf("over a folder: error %v, want one that names it", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("the folder holds %v, %v: want the file and the folder alone", entries, err)
	}
}

// What is no file is not replaced by one, and long work learns that at its start.
func TestNoFileIsReplaced(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{dir: "is a folder", pipe: "no regular file", filepath.Join(dir, "absent", "x"): "does its folder exist"} {
		for what, err := range map[string]error{"Write": Write(path, []byte("x")), "Try": Try(path)} {
			if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s %s: %v, want %q", what, path, err, says)
			}
		}
	}
	if err := Try(filepath.Join(dir, "new")); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
