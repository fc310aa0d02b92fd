package avi

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, frames, w, h int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.avi")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	a, err := NewWriter(out, w, h, 12.5, 90)
	if err != nil {
		t.Fatal(err)
	}
	for i := range frames {
		img := image.NewGray(image.Rect(0, 0, w, h))
		for p := range img.Pix {
			img.Pix[p] = byte(10*i + p%7)
		}
		if err := a.Add(img); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// The index leads to every frame, and every frame decodes to its picture.
func TestIndexLeadsToEveryFrame(t *testing.T) {
	const frames = 5
	data, err := os.ReadFile(write(t, frames, 50, 34))
	if err != nil {
		t.Fatal(err)
	}
	u32 := func(at int) int { return int(binary.LittleEndian.Uint32(data[at:])) }
	if string(data[:4]) != "RIFF" || u32(4) != len(data)-8 {
		t.Fatalf("RIFF size %d of a file of %d bytes", u32(4), len(data))
	}
	movi := bytes.Index(data, []byte("movi"))
	index := movi - 4 + 4 + u32(movi-4)
	if string(data[index:index+4]) != "idx1" || u32(index+4) != 16*frames || index+8+16*frames != len(data) {
		t.Fatalf("no index of %d entries behind the frames", frames)
	}
	for i := range frames {
		e := index + 8 + 16*i
		at, size := movi+u32(e+8), u32(e+12)
		if string(data[at:at+4]) != "00dc" || u32(at+4) != size {
			t.Fatalf("frame %d: no chunk of %d bytes at %d", i, size, at)
		}
		img, err := jpeg.Decode(bytes.NewReader(data[at+8 : at+8+size]))
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		if v := int(img.At(0, 0).(color.Gray).Y); v < 10*i-4 || v > 10*i+10 {
			t.Errorf("frame %d: first pixel %d, want about %d", i, v, 10*i)
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	if _, err := NewWriter(nil, 0, 3, 10, 90); err == nil || !strings.Contains(err.Error(), "0x3") {
		t.Errorf("no width: %v", err)
	}
	if _, err := NewWriter(nil, 4, 3, 0, 90); err == nil {
		t.Error("a film that stands still was accepted")
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "x.avi"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	a, err := NewWriter(out, 4, 4, 10, 90)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Add(image.NewUniform(color.White)); err == nil {
		t.Error("a picture of another size was accepted")
	}
}
