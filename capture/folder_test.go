package capture

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged"
)

// picture is a gradient that tells x from y and red from blue.
func picture(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, color.NRGBA{uint8(10 * x), uint8(20 * y), 200, 255})
		}
	}
	return m
}

func encode(t *testing.T, path string, m image.Image) {
	t.Helper()
	var b bytes.Buffer
	var err error
	if strings.HasSuffix(path, ".png") {
		err = png.Encode(&b, m)
	} else {
		err = jpeg.Encode(&b, m, &jpeg.Options{Quality: 95})
	}
	if err == nil {
		err = os.WriteFile(path, b.Bytes(), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func testFolder(t *testing.T) string {
	dir := t.TempDir()
	gray := image.NewGray(image.Rect(0, 0, 3, 2))
	copy(gray.Pix, []byte{1, 2, 3, 4, 5, 6})
	encode(t, filepath.Join(dir, "b.jpg"), picture(16, 8))
	encode(t, filepath.Join(dir, "a.png"), picture(5, 4))
	encode(t, filepath.Join(dir, "d.png"), gray)
	os.WriteFile(filepath.Join(dir, "c.png"), []byte("\x89PNG cut off"), 0o600)
	os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("no image"), 0o600)
	os.Mkdir(filepath.Join(dir, "e.png"), 0o700)
	return dir
}

func TestFolder(t *testing.T) {
	src, err := Open(Config{Source: testFolder(t), Once: true, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	ctx, f := context.Background(), edged.Frame{}
	next := func(w, h int, format edged.PixelFormat, seq uint64) {
		t.Helper()
		if err := src.Next(ctx, &f); err != nil {
			t.Fatal(err)
		}
		if f.W != w || f.H != h || f.Format != format || f.Seq != seq || len(f.Pix) != f.Stride*h || f.Time.IsZero() {
			t.Fatalf("frame %dx%d %v, seq %d, want %dx%d %v %d", f.W, f.H, f.Format, f.Seq, w, h, format, seq)
		}
	}
	next(5, 4, edged.RGB, 1)
	if got := f.Pix[2*f.Stride+3*4:][:3]; got[0] != 40 || got[1] != 40 || got[2] != 200 {
		t.Errorf("pixel (4, 2) is %v, want [40 40 200]", got)
	}
	next(16, 8, edged.RGB, 2)
	if got := f.Pix[5*f.Stride+3*9:][:3]; near(got[0], 90) > 12 || near(got[1], 100) > 12 || near(got[2], 200) > 12 {
		t.Errorf("JPEG pixel (9, 5) is %v, want about [90 100 200]", got)
	}
	next(3, 2, edged.Gray, 4) // the third does not decode
	if got := f.Pix[f.Stride]; got != 4 {
		t.Errorf("grey pixel (0, 1) is %d, want 4", got)
	}
	if err := src.Next(ctx, &f); err != io.EOF {
		t.Errorf("after the last image: %v, want io.EOF", err)
	}
	want := Counts{Read: 4, Delivered: 3, Refused: 1, By: Refusals{Corrupt: 1}, Opens: 1}
	if got := src.Counts(); got != want || !got.Balanced() {
		t.Errorf("counts %+v, want %+v", got, want)
	}
}

func near(a, b byte) int { return max(int(a)-int(b), int(b)-int(a)) }

// TestFolderFormats compares every fast path of the conversion with the slow one.
func TestFolderFormats(t *testing.T) {
	r := image.Rect(-2, 3, 9, 8) // images need not start at 0, 0
	images := []image.Image{image.NewNRGBA(r), image.NewRGBA(r), image.NewYCbCr(r, image.YCbCrSubsampleRatio420), image.NewCMYK(r),
		image.NewPaletted(r, color.Palette{color.Black, color.NRGBA{250, 10, 90, 255}})}
	for _, m := range images {
		fill(m)
		s := folder{}
		var f edged.Frame
		s.convert(m, &f)
		row := make([]byte, f.Stride)
		for y := range f.H {
			anyRow(row, m, r.Min.X, r.Min.Y+y)
			if got := f.Pix[y*f.Stride:][:f.Stride]; !bytes.Equal(got, row) {
				t.Errorf("%T row %d is %v, want %v", m, y, got, row)
			}
		}
	}
}

func fill(m image.Image) {
	pix := func(b []byte, opaque bool) {
		for i := range b {
			b[i] = byte(i*37 + 11)
			if opaque && i%4 == 3 {
				b[i] = 255
			}
		}
	}
	switch m := m.(type) {
	case *image.NRGBA:
		pix(m.Pix, true)
	case *image.RGBA:
		pix(m.Pix, true)
	case *image.YCbCr:
		pix(m.Y, false)
		pix(m.Cb, false)
		pix(m.Cr, false)
	case *image.Gray16:
		pix(m.Pix, false)
	case *image.Paletted:
		m.SetColorIndex(0, 4, 1)
		m.SetColorIndex(3, 5, 1)
	}
}

func TestFolderLoopAndPace(t *testing.T) {
	src, err := Open(Config{Source: testFolder(t), Loop: true, FPS: 200, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	var f edged.Frame
	began := time.Now()
	for range 9 {
		if err := src.Next(context.Background(), &f); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took < 40*time.Millisecond {
		t.Errorf("nine frames at 200 a second came in %v", took)
	}
	if c := src.Counts(); c.Delivered != 9 || c.Refused != 3 && c.Refused != 2 || !c.Balanced() {
		t.Errorf("counts %+v", c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := src.Next(ctx, &f); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	src.Close()
	src.Close()
	if err := src.Next(context.Background(), &f); err != ErrClosed {
		t.Errorf("closed: %v, want ErrClosed", err)
	}
}

func TestFolderErrors(t *testing.T) {
	empty := t.TempDir()
	if _, err := Open(Config{Source: empty, Once: true}); err == nil || !strings.Contains(err.Error(), empty) {
		t.Errorf("empty folder: %v", err)
	}
	bad := t.TempDir()
	os.WriteFile(filepath.Join(bad, "x.png"), nil, 0o600)
	encode(t, filepath.Join(bad, "y.png"), picture(50, 50))
	src, err := Open(Config{Source: bad, Loop: true, MaxPixels: 2000, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	var f edged.Frame
	if err := src.Next(context.Background(), &f); err != io.EOF {
		t.Errorf("a looping folder without one good image: %v, want io.EOF", err)
	}
	if c := src.Counts(); c.Refused != 2 || !c.Balanced() {
		t.Errorf("counts %+v", c)
	}
}

func TestBelt(t *testing.T) {
	told := 0
	src, err := Open(Config{Source: "test:belt?size=64x48&fps=0&frames=5", OnStatus: func(s Status) {
		if s.Online {
			told++
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	var f edged.Frame
	var m edged.Mask
	for i := range uint64(5) {
		if err := src.Next(context.Background(), &f); err != nil || f.Seq != i+1 || f.W != 64 {
			t.Fatalf("frame %d: %v, %+v", i, err, f.Seq)
		}
		if err := src.(Truther).Truth(&m); err != nil || m.W != 64 || m.H != 48 {
			t.Fatalf("truth: %v, %dx%d", err, m.W, m.H)
		}
	}
	if err := src.Next(context.Background(), &f); err != io.EOF {
		t.Errorf("after the last frame: %v", err)
	}
	if c := src.Counts(); c.Delivered != 5 || !c.Balanced() || told != 1 {
		t.Errorf("counts %+v, told %d times", c, told)
	}
	src.Close()
	if err := src.Next(context.Background(), &f); err != ErrClosed {
		t.Errorf("closed: %v", err)
	}
}
