package main

import (
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edged"
	"edged/internal/daemontest"
	"edged/train/data"
	"edged/train/nets"
)

// changedScene writes n labelled frames of the changed scene.
func changedScene(t *testing.T, n, w, h int) (images, masks string) {
	t.Helper()
	images, masks = t.TempDir(), t.TempDir()
	for i := range n {
		var f edged.Frame
		var m edged.Mask
		if err := data.Changed(data.ChangedSeed, i, w, h, &f, &m); err != nil {
			t.Fatal(err)
		}
		grey := image.NewGray(image.Rect(0, 0, w, h))
		for y := range h {
			copy(grey.Pix[y*grey.Stride:], m.Pix[y*m.Stride:][:w])
		}
		name := fmt.Sprintf("%02d.png", i)
		writePNG(t, filepath.Join(images, name), pictureOf(&f))
		writePNG(t, filepath.Join(masks, name), grey)
	}
	return images, masks
}

// What is wrong is told in a line before anything is learnt, and nothing is written.
func TestTuneRefuses(t *testing.T) {
	dir := t.TempDir()
	images, masks := changedScene(t, 3, 64, 60)
	dense := filepath.Join(dir, "float.tflite")
	if err := os.Rename(daemontest.DenseFile(t, dir, nets.Valid, 56, 60), dense); err != nil {
		t.Fatal(err)
	}
	small := daemontest.DenseFile(t, dir, nets.ValidInt8, 56, 60)
	baseline := filepath.Join(dir, "net.tflite")
	b, err := nets.Read(nets.Valid)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, baseline, b)
	with := func(name string, img image.Image) string {
		other := t.TempDir()
		for _, n := range []string{"00.png", "01.png", "02.png"} {
			b, err := os.ReadFile(filepath.Join(masks, n))
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(other, n), b)
		}
		if img == nil {
			if err := os.Remove(filepath.Join(other, name)); err != nil {
				t.Fatal(err)
			}
		} else {
			writePNG(t, filepath.Join(other, name), img)
		}
		return other
	}
	nine := image.NewGray(image.Rect(0, 0, 64, 60))
	nine.SetGray(30, 31, color.Gray{Y: 9})
	bad := t.TempDir()
	writeFile(t, filepath.Join(bad, "00.png"), []byte("no picture"))
	out := filepath.Join(dir, "out.tflite")
	for _, c := range []struct {
		name string
		args []string
		want int
		says string
	}{
		{"no masks", []string{dense, "--images", images, "-o", out}, exitUsage, "masks"},
		{"epochs", []string{dense, "--images", images, "--masks", masks, "-o", out, "--epochs", "0"}, exitUsage, "--epochs"},
		{"augment", []string{dense, "--images", images, "--masks", masks, "-o", out, "--augment", "mirrors"}, exitUsage, "flips"},
		{"over itself", []string{dense, "--images", images, "--masks", masks, "-o", dense}, exitUsage, "never overwritten"},
		{"mask size", []string{dense, "--images", images, "--masks", with("01.png", image.NewGray(image.Rect(0, 0, 10, 12))), "-o", out}, exitFailed, "10x12"},
		{"mask missing", []string{dense, "--images", images, "--masks", with("02.png", nil), "-o", out}, exitFailed, "no mask for 02.png"},
		{"mask in colour", []string{dense, "--images", images, "--masks", with("01.png", image.NewRGBA(image.Rect(0, 0, 64, 60))), "-o", out}, exitFailed, "greyscale"},
		{"id out of range", []string{dense, "--images", images, "--masks", with("01.png", nine), "-o", out}, exitFailed, "class id 9"},
		{"mask unreadable", []string{dense, "--images", images, "--masks", bad, "-o", out}, exitFailed, "00.png"},
		{"empty folder", []string{dense, "--images", t.TempDir(), "--masks", masks, "-o", out}, exitFailed, "no PNG"},
		{"no folder", []string{dense, "--images", filepath.Join(dir, "none"), "--masks", masks, "-o", out}, exitFailed, "no such file"},
		{"int8", []string{small, "--images", images, "--masks", masks, "-o", out}, exitRefused, "tune the float32 net"},
		{"baseline", []string{baseline, "--images", images, "--masks", masks, "-o", out}, exitRefused, "edged rewrite"},
		{"no way there", []string{dense, "--images", images, "--masks", masks, "-o", filepath.Join(dir, "none", "out.tflite")}, exitFailed, "folder exist"},
		{"a folder", []string{dense, "--images", images, "--masks", masks, "-o", dir}, exitFailed, "is a folder"},
		{"no torch", []string{dense, "--images", images, "--masks", masks, "-o", out, "--python", filepath.Join(dir, "python3")}, exitFailed, "apt-get install python3-torch"},
	} {
		code, _, errs := runEdged(append([]string{"tune"}, c.args...)...)
		if code != c.want || !strings.Contains(errs, c.says) {
			t.Errorf("%s: exit %d, want %d: %s", c.name, code, c.want, errs)
		}
		if c.want != exitUsage && strings.Count(strings.TrimSpace(errs), "\n") > 0 {
			t.Errorf("%s: more than a line: %s", c.name, errs)
		}
		if _, err := os.Stat(out); err == nil {
			t.Fatalf("%s: a file was written", c.name)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
