package main

import (
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The overlay colours just the pixels that the mask's classes lie on: here the
// cropped middle, which is class 0 where red leads and 1 where green does.
func TestInferOverlay(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.png"), filepath.Join(dir, "seen.png")
	img := framed(image.NewNRGBA(image.Rect(0, 0, 6, 6)), color.NRGBA{R: 200, G: 100, B: 50, A: 255}).(*image.NRGBA)
	img.SetNRGBA(2, 3, color.NRGBA{R: 100, G: 200, B: 50, A: 255})
	writePNG(t, in, img)
	if code, said, errs := runEdged("infer", pixelNet(t, "RGB"), "--in", in, "--overlay", out, "--engine", engineGo); code != exitOK || !strings.Contains(said, out) {
		t.Fatalf("exit %d: %s%s", code, said, errs)
	}
	seen := readPicture(t, out)
	for y := range 6 {
		for x := range 6 {
			want := img.NRGBAAt(x, y)
			if x == 2 && y == 3 {
				want = color.NRGBA{R: (100 + 0x56) / 2, G: (200 + 0xb4) / 2, B: (50 + 0xe9) / 2, A: 255}
			}
			if got := color.NRGBAModel.Convert(seen.At(x, y)); got != want {
				t.Errorf("pixel %d, %d: %v, want %v", x, y, got, want)
			}
		}
	}
	for want, args := range map[string][]string{
		"name a .png":     {"--in", in, "--overlay", "x.gif"},
		"needs a mask":    {"--in", in, "--overlay", out, "--out", "x.npy"},
		"needs a picture": {"--in", "x.npy", "--overlay", out},
	} {
		if code, _, errs := runEdged(append([]string{"infer", "net.tflite"}, args...)...); code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("%q: exit %d: %s", args, code, errs)
		}
	}
}

func readPicture(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return img
}
