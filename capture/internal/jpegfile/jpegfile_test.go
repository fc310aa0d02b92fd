package jpegfile

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"
)

func picture(t testing.TB, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, w, h)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Pictures of one colour are as small as they get: none is below the least, and one
// that claims to be larger is.
func TestLeast(t *testing.T) {
	for _, size := range [][2]int{{8, 8}, {9, 1}, {321, 17}, {640, 480}, {2000, 1500}} {
		file := picture(t, size[0], size[1])
		h, err := Read(file)
		if err != nil || len(file) < h.Least() {
			t.Errorf("%v: %d bytes, at least %d, %v", size, len(file), h.Least(), err)
		}
		at := bytes.Index(file, []byte{0xff, 0xc0})
		copy(file[at+5:], []byte{0x1f, 0x40, 0x1f, 0x40})
		if h, err := Read(file); err != nil || h.W != 8000 || h.Least() != 125_000 || len(file) >= h.Least() {
			t.Errorf("%v that claims 8000x8000: %d bytes, at least %d, %v", size, len(file), h.Least(), err)
		}
		file[at+1] = 0xc9
		if h, _ := Read(file); h.Least() != 0 {
			t.Errorf("arithmetic codes take less than a bit: %d", h.Least())
		}
	}
}

// withOrientation puts an EXIF segment behind a file's first marker.
func withOrientation(file []byte, tag byte, order string) []byte {
	tiff := []byte("II*\x00\x08\x00\x00\x00\x02\x00\x00\x01\x03\x00\x01\x00\x00\x00\x05\x00\x00\x00\x12\x01\x03\x00\x01\x00\x00\x00" + string(tag) + "\x00\x00\x00")
	if order == "MM" {
		tiff = []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(tag) + "\x00\x00")
	}
	body := append([]byte("Exif\x00\x00"), tiff...)
	n := len(body) + 2
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1, byte(n >> 8), byte(n)}, body...)
	return append(out, file[2:]...)
}

func TestRead(t *testing.T) {
	file := picture(t, 321, 17)
	h, err := Read(file)
	if err != nil || h != (Header{W: 321, H: 17, Components: 1, Bits: 8}) {
		t.Errorf("%+v, %v", h, err)
	}
	for _, order := range []string{"II", "MM"} {
		for tag := byte(1); tag <= 8; tag++ {
			h, err := Read(withOrientation(file, tag, order))
			if err != nil || h.Orientation != int(tag) || h.W != 321 {
				t.Errorf("%s %d: %+v, %v", order, tag, h, err)
			}
		}
	}
	for n := range file {
		if h, err := Read(file[:n]); err == nil && h.W != 321 {
			t.Fatalf("the first %d bytes are a picture: %+v", n, h)
		}
	}
	zero := bytes.Clone(file)
	at := bytes.Index(zero, []byte{0xff, 0xc0})
	zero[at+5], zero[at+6] = 0, 0
	if h, err := Read(zero); err == nil {
		t.Errorf("a picture without rows is read: %+v", h)
	}
	if n := testing.AllocsPerRun(10, func() { Read(file) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestFinder(t *testing.T) {
	file := picture(t, 64, 64)
	stream := append(bytes.Clone(file), "--boundary"...)
	var f Finder
	for n := range stream { // as it grows
		end, found := f.Next(stream[:n])
		if found == More {
			continue
		}
		if found != End || end != len(file) || n < len(file) {
			t.Fatalf("after %d bytes: %v, %d of %d", n, found, end, len(file))
		}
		return
	}
	t.Error("the end is not found")
}

func FuzzRead(f *testing.F) {
	f.Add(picture(f, 8, 8))
	f.Add(withOrientation(picture(f, 8, 8), 6, "MM"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := Read(b); err == nil && (h.W < 1 || h.H < 1 || h.Orientation < 0 || h.Orientation > 8) {
			t.Errorf("%+v", h)
		}
		var finder Finder
		if n, found := finder.Next(b); found != More && n > max(len(b), 2) {
			t.Errorf("the end of %d bytes is at %d", len(b), n)
		}
	})
}
