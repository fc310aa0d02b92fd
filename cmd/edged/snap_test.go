package main

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edged"
	"edged/capture/belt"
)

// A snapshot is the source's first picture, bit by bit, whatever its size.
func TestSnapBelt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "belt.png")
	if code, out, errs := runEdged("snap", "test:belt?seed=3&size=200x120", "-o", file); code != exitOK || errs != "" || !strings.Contains(out, "200x120") {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := belt.Default()
	c.Seed, c.W, c.H = 3, 200, 120
	scene, err := belt.NewScene(c)
	if err != nil {
		t.Fatal(err)
	}
	var f edged.Frame
	scene.Render(0, &f, nil)
	for y := range c.H {
		for x := range c.W {
			r, g, b, _ := img.At(x, y).RGBA()
			if p := f.Pix[y*f.Stride+3*x:]; uint8(b>>8) != p[0] || uint8(g>>8) != p[1] || uint8(r>>8) != p[2] {
				t.Fatalf("pixel %d, %d: %d %d %d, want BGR %d", x, y, r>>8, g>>8, b>>8, p[:3])
			}
		}
	}
}

func TestSnapSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"snap", "test:belt", "-o", "x.bmp"}, exitUsage, "name a .png or a .jpg file"},
		{[]string{"snap", "test:belt"}, exitUsage, "output"},
		{[]string{"snap", "-o", "x.png"}, exitUsage, "arg"},
		{[]string{"snap", filepath.Join(dir, "none.avi"), "-o", filepath.Join(dir, "x.png")}, exitFailed, "none.avi"},
		{[]string{"snap", dir, "-o", filepath.Join(dir, "x.png")}, exitFailed, "holds no .png"},
		{[]string{"snap", "test:belt?size=1x1", "-o", filepath.Join(dir, "x.png")}, exitFailed, "size"},
		{[]string{"snap", "test:belt", "-o", filepath.Join(dir, "no", "x.png")}, exitFailed, "no"},
	} {
		code, out, errs := runEdged(c.args...)
		if code != c.code || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("%q: exit %d, stdout %q, stderr %q", c.args, code, out, errs)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestPictureOfEachFormat(t *testing.T) {
	pix := []byte{10, 20, 30, 0, 99, 99}
	for format, want := range map[edged.PixelFormat][3]uint8{edged.BGR: {30, 20, 10}, edged.RGB: {10, 20, 30}, edged.Gray: {10, 10, 10}} {
		var img image.Image = pictureOf(&edged.Frame{Pix: pix, Stride: len(pix), W: 1, H: 1, Format: format})
		r, g, b, _ := img.At(0, 0).RGBA()
		if got := [3]uint8{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8)}; got != want {
			t.Errorf("%v: %v, want %v", format, got, want)
		}
	}
}
