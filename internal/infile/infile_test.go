package infile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What is no file of a sane size is refused at once, with its name and the
// reason, and without waiting for anybody.
func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := syscall.Mkfifo(at("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at("large"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(at("large"), 1<<40); err != nil { // sparse
		t.Fatal(err)
	}
	for link, to := range map[string]string{"to-pipe": "pipe", "loop": "loop", "dangling": "absent"} {
		if err := os.Symlink(to, at(link)); err != nil {
			t.Fatal(err)
		}
	}
	for path, says := range map[string]string{
		at("pipe"): "is a pipe", at("to-pipe"): "is a pipe", dir: "is a directory", "/dev/zero": "is a device", "/dev/full": "is a device",
		at("large"): "has 1099511627776 bytes: at most 4194304", at("loop"): "too many levels", at("dangling"): "no such file", at("absent"): "no such file",
	} {
		_, err := Read(path, Text)
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), path) || !errors.As(err, new(*fs.PathError)) {
			t.Errorf("%s: %v, want %q", path, err, says)
		}
		if !errors.As(err, new(syscall.Errno)) {
			t.Errorf("%s: %v is no error of the system", path, err)
		}
	}
	if _, _, err := OpenAs(at("pipe"), os.O_RDWR|os.O_CREATE, Text); err == nil {
		t.Error("a pipe was opened for writing")
	}
	f, _, err := OpenAs(at("new"), os.O_RDWR|os.O_CREATE, Text)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("a new file has mode %v, %v", info.Mode(), err)
	}
}

func TestReadGivesTheWholeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for _, n := range []int{0, 1, 511, 512, 4096, Text} {
		want := bytes.Repeat([]byte{7}, n)
		if err := os.WriteFile(path, want, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := Read(path, Text); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %d, %v", n, len(got), err)
		}
	}
	// A file that says it is empty, as those of /proc do.
	if b, err := Read("/proc/self/status", Text); err != nil || len(b) < 100 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if _, err := Read("/proc/self/status", 64); err == nil || !strings.Contains(err.Error(), "at most 64") {
		t.Errorf("more than it says: %v", err)
	}
}

// A picture that would fill memory is refused by its head.
func TestImageLooksAtTheSizeFirst(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "p.png")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if img, format, err := Image(path); err != nil || format != "png" || img.Bounds().Dx() != 3 {
		t.Errorf("%v, %s, %v", img, format, err)
	}
	// The head: 8 bytes of signature, 4 of length, then IHDR with width and height.
	bomb := b.Bytes()
	binary.BigEndian.PutUint32(bomb[16:], 1<<20)
	binary.BigEndian.PutUint32(bomb[20:], 1<<20)
	binary.BigEndian.PutUint32(bomb[29:], crc32.ChecksumIEEE(bomb[12:29]))
	if err := os.WriteFile(path, bomb, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Image(path); err == nil || !strings.Contains(err.Error(), "1048576x1048576") {
		t.Errorf("a bomb: %v", err)
	}
}
