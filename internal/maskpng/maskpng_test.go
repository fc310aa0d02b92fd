package maskpng

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"testing"
	"time"

	"edged"
)

var stamp = time.Date(2026, 5, 4, 3, 2, 1, 987_000_000, time.UTC)

// belt draws a mask like that of the demo: a belt with round parts on it, some
// of them stained, 5 classes.
func belt(w, h, stride int) *edged.Mask {
	m := &edged.Mask{Pix: make([]byte, stride*h), Stride: stride, W: w, H: h}
	for y := range h {
		for x := range w {
			id := uint8(0)
			if y > h/8 && y < h-h/8 {
				id = 1
				dx, dy := x%160-80, y%160-80
				if r := dx*dx + dy*dy; r < 900 {
					id = 4
				} else if r < 3600 {
					id = uint8(2 + (x/160+y/160)%2)
				}
			}
			m.Pix[y*stride+x] = id
		}
	}
	return m
}

func speckle(m *edged.Mask, share float64) *edged.Mask {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range m.Pix {
		if r.Float64() < share {
			m.Pix[i] = uint8(r.IntN(5))
		}
	}
	return m
}

func decode(t *testing.T, b []byte) *image.Gray {
	t.Helper()
	im, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("decode: %v", err)
	}
	g, ok := im.(*image.Gray)
	if !ok {
		t.Fatalf("decoded to %T, want greyscale", im)
	}
	return g
}

func same(t *testing.T, g *image.Gray, m *edged.Mask) {
	t.Helper()
	if g.Rect.Dx() != m.W || g.Rect.Dy() != m.H {
		t.Fatalf("size %v, want %dx%d", g.Rect, m.W, m.H)
	}
	for y := range m.H {
		if !bytes.Equal(g.Pix[y*g.Stride:][:m.W], m.Pix[y*m.Stride:][:m.W]) {
			t.Fatalf("line %d differs", y)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	var e Encoder
	for _, size := range [][3]int{{1, 1, 1}, {1, 9, 3}, {7, 1, 7}, {8, 8, 8}, {17, 5, 32}, {640, 480, 640}, {513, 513, 520}, {3, 2000, 3}} {
		for _, share := range []float64{0, 0.1, 1} {
			m := speckle(belt(size[0], size[1], size[2]), share)
			b, err := e.Encode(nil, m, 42, stamp)
			if err != nil {
				t.Fatal(err)
			}
			same(t, decode(t, b), m)
		}
	}
}

func TestEveryByteSurvives(t *testing.T) {
	m := &edged.Mask{Pix: make([]byte, 256*256), Stride: 256, W: 256, H: 256}
	for i := range m.Pix {
		m.Pix[i] = uint8(i*7 + i>>8*31)
	}
	var e Encoder
	b, err := e.Encode(nil, m, 1, stamp)
	if err != nil {
		t.Fatal(err)
	}
	same(t, decode(t, b), m)
}

func TestTextChunks(t *testing.T) {
	var e Encoder
	b, err := e.Encode([]byte("kept"), belt(64, 48, 64), 18446744073709551615, stamp)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(b, []byte("kept")) {
		t.Fatal("Encode overwrote what stood in dst")
	}
	b = b[4:]
	for key, want := range map[string]string{"seq": "18446744073709551615", "ts": "2026-05-04T03:02:01.987Z"} {
		if got, err := Text(b, key); err != nil || got != want {
			t.Errorf("Text(%q) = %q, %v; want %q", key, got, err, want)
		}
	}
	if _, err := Text(b, "se"); err == nil {
		t.Error("Text found a key that is only a prefix")
	}
	for n := range len(b) {
		if v, err := Text(b[:n], "ts"); err == nil && v != "2026-05-04T03:02:01.987Z" {
			t.Fatalf("cut at %d gives %q", n, v)
		}
	}
}

func TestRefusals(t *testing.T) {
	var e Encoder
	for name, m := range map[string]*edged.Mask{
		"empty":        {},
		"no height":    {Pix: make([]byte, 4), Stride: 4, W: 4},
		"short":        {Pix: make([]byte, 14), Stride: 4, W: 4, H: 4},
		"short stride": {Pix: make([]byte, 64), Stride: 3, W: 4, H: 4},
	} {
		if b, err := e.Encode(nil, m, 1, stamp); err == nil || len(b) != 0 {
			t.Errorf("%s: %d bytes, error %v", name, len(b), err)
		}
	}
	// The last line needs no stride behind it.
	if _, err := e.Encode(nil, &edged.Mask{Pix: make([]byte, 20), Stride: 8, W: 4, H: 3}, 1, stamp); err != nil {
		t.Error(err)
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	var e Encoder
	m := belt(640, 480, 640)
	dst := make([]byte, 0, 1<<20)
	if n := testing.AllocsPerRun(10, func() {
		if _, err := e.Encode(dst, m, 7, stamp); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a mask", n)
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, share := range []float64{0, 0.02} {
		m := speckle(belt(640, 480, 640), share)
		b.Run(fmt.Sprintf("640x480/speckle=%v", share), func(b *testing.B) {
			var e Encoder
			dst := make([]byte, 0, 1<<20)
			b.ReportAllocs()
			b.SetBytes(640 * 480)
			for b.Loop() {
				out, err := e.Encode(dst, m, 7, stamp)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(out)), "B/mask")
			}
		})
	}
}
