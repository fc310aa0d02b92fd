package eval

import (
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func write(t *testing.T, path string, img image.Image) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if filepath.Ext(path) == ".jpg" {
		err = jpeg.Encode(f, img, nil)
	} else {
		err = png.Encode(f, img)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func photo(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetRGBA(x, y, color.RGBA{uint8(10 + x), uint8(20 + y), 30, 255})
		}
	}
	return img
}

func greyMask(w, h int, ids ...uint8) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, w, h))
	copy(img.Pix, ids)
	return img
}

func TestFolderOfPairs(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/a.png", photo(3, 2))
	write(t, dir+"/a_mask.png", greyMask(3, 2, 0, 1, 2, 3, 4, 0))
	write(t, dir+"/b.jpg", photo(2, 1))
	palette := image.NewPaletted(image.Rect(0, 0, 2, 1), color.Palette{color.Black, color.White, color.White})
	copy(palette.Pix, []uint8{2, 1})
	write(t, dir+"/b_mask.png", palette)
	if err := os.WriteFile(dir+"/notes.txt", []byte("not a picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFolder(dir, 5)
	if err != nil || f.Len() != 2 {
		t.Fatalf("%d pairs, %v", f.Len(), err)
	}
	var s Sample
	if err := f.At(0, &s); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]uint8{0, 1, 2, 3, 4, 0}, s.Truth.Pix); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]byte{30, 20, 10, 30, 20, 11}, s.Frame.Pix[:6]); d != "" || s.Frame.W != 3 {
		t.Error("BGR of the first pixels:", d)
	}
	if err := f.At(1, &s); err != nil || s.Truth.Pix[0] != 2 || s.Truth.Pix[1] != 1 {
		t.Errorf("palette mask: %v, %v", s.Truth.Pix, err)
	}
}

func TestFolderWithSubfolders(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/images/x.png", photo(2, 2))
	write(t, dir+"/masks/x.png", greyMask(2, 2, 1, 1, 0, 0))
	f, err := OpenFolder(dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	var s Sample
	if err := f.At(0, &s); err != nil || s.Name != "x.png" || s.Truth.Pix[0] != 1 {
		t.Fatalf("%+v, %v", s.Truth, err)
	}
}

func TestFolderSaysWhatIsWrong(t *testing.T) {
	cases := []struct {
		name, says string
		fill       func(dir string)
	}{
		{"no mask", "has no mask", func(d string) { write(t, d+"/a.png", photo(1, 1)) }},
		{"empty", "no picture", func(string) {}},
		{"sizes", "one size", func(d string) {
			write(t, d+"/a.png", photo(2, 2))
			write(t, d+"/a_mask.png", greyMask(2, 1))
		}},
		{"unknown class", "class id 7 at (1, 0)", func(d string) {
			write(t, d+"/a.png", photo(2, 1))
			write(t, d+"/a_mask.png", greyMask(2, 1, 0, 7))
		}},
		{"colour mask", "greyscale or palette", func(d string) {
			write(t, d+"/a.png", photo(1, 1))
			write(t, d+"/a_mask.png", photo(1, 1))
		}},
		{"damaged", "a.png", func(d string) {
			write(t, d+"/a_mask.png", greyMask(1, 1))
			if err := os.WriteFile(d+"/a.png", []byte("no png"), 0o644); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, c := range cases {
		dir := t.TempDir()
		c.fill(dir)
		f, err := OpenFolder(dir, 5)
		if err == nil {
			err = f.At(0, new(Sample))
		}
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want an error that says %q", c.name, err, c.says)
		}
	}
	if _, err := OpenFolder(t.TempDir()+"/absent", 5); err == nil {
		t.Error("a folder that is not there was opened")
	}
}

func TestBeltSamples(t *testing.T) {
	b, err := OpenBelt("test:belt?size=64x64&seed=3", 3)
	if err != nil || b.Len() != 3 {
		t.Fatal(err)
	}
	var s Sample
	if err := b.At(2, &s); err != nil || s.Frame.W != 64 || s.Truth.W != 64 {
		t.Fatalf("%v %v", s.Frame.W, err)
	}
	if b, err := OpenBelt("test:belt?frames=2", 9); err != nil || b.Len() != 2 {
		t.Error("a belt with two frames gave more")
	}
	if _, err := OpenBelt("test:belt?size=1x1", 3); err == nil {
		t.Error("a belt that cannot be was opened")
	}
}
