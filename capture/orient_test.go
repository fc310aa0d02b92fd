package capture

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged"
)

// corner is a picture whose top left quarter, as it lies in the file, is white.
func corner(w, h int) *image.Gray {
	m := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h / 2 {
		for x := range w / 2 {
			m.SetGray(x, y, color.Gray{Y: 255})
		}
	}
	return m
}

// tagged is the file of corner's picture with an EXIF orientation.
func tagged(t *testing.T, orientation byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, corner(64, 32), nil); err != nil {
		t.Fatal(err)
	}
	tiff := append([]byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"), orientation, 0, 0, 0, 0, 0, 0)
	head := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xe1}, uint16(len(tiff)+2))
	return append(append(head, tiff...), b.Bytes()[2:]...)
}

// where says in which corner a frame is white.
func where(f *edged.Frame) string {
	ch := f.Format.Channels()
	at := func(x, y int) bool { return f.Pix[y*f.Stride+x*ch] > 128 }
	s := ""
	for name, lit := range map[string]bool{
		"top left": at(2, 2), "top right": at(f.W-3, 2), "bottom left": at(2, f.H-3), "bottom right": at(f.W-3, f.H-3),
	} {
		if lit {
			s += name
		}
	}
	return s
}

// TestEXIF: pictures of a folder stand as viewers show them, on their content.
func TestEXIF(t *testing.T) {
	for o, want := range map[byte]string{
		1: "top left", 2: "top right", 3: "bottom right", 4: "bottom left",
		5: "top left", 6: "top right", 7: "bottom right", 8: "bottom left",
	} {
		for _, ignore := range []bool{false, true} {
			dir := t.TempDir()
			os.WriteFile(filepath.Join(dir, "a.jpg"), tagged(t, o), 0o600)
			src, err := Open(Config{Name: "t", Source: dir, Once: true, IgnoreEXIF: ignore})
			if err != nil {
				t.Fatal(err)
			}
			var f edged.Frame
			if err := src.Next(context.Background(), &f); err != nil {
				t.Fatal(err)
			}
			sides, place := 64, want
			if o > 4 && !ignore {
				sides = 32
			}
			if ignore {
				place = "top left"
			}
			if f.W != sides || where(&f) != place {
				t.Errorf("orientation %d, ignored %v: %dx%d, white %s, want %s", o, ignore, f.W, f.H, where(&f), place)
			}
			src.Close()
		}
	}
}

// TestDeepGrey: a 16-bit PNG is scaled by the bits that carry the picture, and one
// that stays in the dark without them is told of.
func TestDeepGrey(t *testing.T) {
	m := image.NewGray16(image.Rect(0, 0, 8, 8))
	for i := range 64 {
		m.SetGray16(i%8, i/8, color.Gray16{Y: uint16(i * 65)}) // of 12 bits
	}
	dir := t.TempDir()
	var b bytes.Buffer
	png.Encode(&b, m)
	os.WriteFile(filepath.Join(dir, "a.png"), b.Bytes(), 0o600)
	for bits, want := range map[int]byte{12: 255, 13: 127, 16: 16, 0: 16, 8: 255} {
		var said bytes.Buffer
		src, err := Open(Config{Name: "t", Source: dir, Loop: true, Bits: bits, Log: slog.New(slog.NewTextHandler(&said, nil))})
		if err != nil {
			t.Fatal(err)
		}
		var f edged.Frame
		for range 30 {
			if err := src.Next(context.Background(), &f); err != nil {
				t.Fatal(err)
			}
		}
		if f.Format != edged.Gray || f.Pix[63] != want || f.Pix[0] != 0 {
			t.Errorf("bits %d: %v, the lightest is %d, want %d", bits, f.Format, f.Pix[63], want)
		}
		if told := strings.Count(said.String(), "bits = 12"); told != 0 != (bits == 0) || told > 1 {
			t.Errorf("bits %d: told %d times: %s", bits, told, &said)
		}
		src.Close()
	}
}

// TestBriefStreams: a stream that ends soon after each opening is believed later
// and later, and one that lasts at once again.
func TestBriefStreams(t *testing.T) {
	b := newBrief(Default(""))
	now := time.Unix(1000, 0)
	for n, want := range []int{0, 2, 4, 8, 16, 30, 30} { // seconds
		b.begin(now)
		if b.lasts(after(now, want-1)) && want > 0 || !b.lasts(after(now, want)) {
			t.Errorf("after %d brief streams one must last %d s", n, want)
		}
		now = after(now, 3)
		b.ended(now, 5)
	}
	if !strings.Contains(b.tell("x"), "7 times in a row") {
		t.Errorf("the reason is %q", b.tell("x"))
	}
	b.begin(now)
	b.ended(after(now, 60), 900)
	b.begin(after(now, 61))
	if !b.lasts(after(now, 61)) || b.tell("x") != "x" {
		t.Error("a stream that lasted is not believed")
	}
}

func after(t time.Time, seconds int) time.Time { return t.Add(time.Duration(seconds) * time.Second) }

// Brief streams of a camera on the network are tried less often; a device is looked for
// as often as ever.
func TestBriefStreamsOfADevice(t *testing.T) {
	for kind, want := range map[Kind]time.Duration{RTSP: 30 * time.Second, Device: 3 * time.Second} {
		cfg := Default("")
		s := &session{supervisor: &supervisor{c: &camera{cfg: cfg, kind: kind, live: true}, brief: newBrief(cfg)}}
		for range 3 {
			s.brief.begin(time.Now().Add(-time.Second))
			s.good++
			s.ended()
			s.goodBefore = s.good
		}
		if s.brief.times != 3 || s.retry.max != want {
			t.Errorf("%v: %d brief streams, then waits of up to %v, want %v", kind, s.brief.times, s.retry.max, want)
		}
	}
}
