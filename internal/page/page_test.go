package page

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"edged"
)

// blueFrame is a frame whose left half is blue and right half black, with rows
// that do not touch.
func blueFrame(w, h int, format edged.PixelFormat) *edged.Frame {
	ch := format.Channels()
	f := &edged.Frame{W: w, H: h, Stride: w*ch + 3, Format: format}
	f.Pix = make([]byte, f.Stride*h)
	blue := map[edged.PixelFormat]int{edged.BGR: 0, edged.RGB: 2, edged.Gray: 0}[format]
	for y := range h {
		for x := range w / 2 {
			f.Pix[y*f.Stride+x*ch+blue] = 250
		}
	}
	return f
}

func testMask() *edged.Mask {
	return &edged.Mask{Pix: []byte{0, 1, 9, 2, 3, 9}, Stride: 3, W: 2, H: 2,
		Grid: edged.Grid{Stride: [2]float64{4, 5}, Origin: [2]float64{1, 2}}}
}

// keepShowing offers numbered results until the test ends.
func keepShowing(t *testing.T, p *Page, f *edged.Frame) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		for seq := uint64(1); ctx.Err() == nil; seq++ {
			p.Show("a", f, testMask(), &Shot{Seq: seq, Labels: []string{"x", "y", "z", "w"}, Pixels: []int{1, 1, 1, 1}, Verdict: "OK"})
			time.Sleep(time.Millisecond)
		}
	}()
}

func serve(t *testing.T, p *Page) string {
	mux := http.NewServeMux()
	p.Register(mux)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func get(t *testing.T, url string) (int, []byte) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, b.Bytes()
}

// bodyParts takes a body apart.
func bodyParts(t *testing.T, body []byte) (h head, parts [][]byte) {
	t.Helper()
	h.Shot = &Shot{}
	for len(body) > 0 {
		n := binary.BigEndian.Uint32(body)
		parts = append(parts, body[4:4+n])
		body = body[4+n:]
	}
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	if err := json.Unmarshal(parts[0], &h); err != nil {
		t.Fatal(err)
	}
	return h, parts
}

func TestLiveHoldsFrameMaskAndGrid(t *testing.T) {
	p := New("node", []string{"a", "b"})
	url := serve(t, p)
	keepShowing(t, p, blueFrame(16, 8, edged.BGR))
	code, body := get(t, url+"/live/a?after=0")
	if code != http.StatusOK {
		t.Fatalf("status %d: %s", code, body)
	}
	head, parts := bodyParts(t, body)
	if head.Seq == 0 || head.Frame != [2]int{16, 8} || head.Mask != [2]int{2, 2} || head.Stride != [2]float64{4, 5} ||
		head.Origin != [2]float64{1, 2} || len(head.Labels) != 4 || head.Verdict != "OK" {
		t.Errorf("head %+v", head)
	}
	picture, err := jpeg.Decode(bytes.NewReader(parts[1]))
	if err != nil {
		t.Fatal(err)
	}
	if r, _, b, _ := picture.At(2, 4).RGBA(); b < 0xC000 || r > 0x4000 {
		t.Errorf("the blue half is %v", picture.At(2, 4))
	}
	mask, err := png.Decode(bytes.NewReader(parts[2]))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []uint8{0, 1, 2, 3} {
		if got := mask.(*image.Gray).GrayAt(i%2, i/2).Y; got != want {
			t.Errorf("mask position %d: %d, want %d", i, got, want)
		}
	}
	// A later request gets a later picture.
	_, body = get(t, fmt.Sprintf("%s/live/a?after=%d", url, head.Seq))
	var later struct{ Seq uint64 }
	if err := json.Unmarshal(body[4:4+binary.BigEndian.Uint32(body)], &later); err != nil || later.Seq <= head.Seq {
		t.Errorf("seq %d after %d, %v", later.Seq, head.Seq, err)
	}
}

func TestNothingIsCopiedWhileNobodyLooks(t *testing.T) {
	p, f, m := New("node", []string{"a"}), blueFrame(640, 480, edged.BGR), testMask()
	shot := Shot{Seq: 1}
	if n := testing.AllocsPerRun(100, func() { p.Show("a", f, m, &shot) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
	if p.cameras["a"].taken.frame.Pix != nil {
		t.Error("the frame was copied")
	}
	p.Show("nobody", f, m, &shot)
}

func TestTheFramesMemoryIsNotKept(t *testing.T) {
	p, f, m := New("node", []string{"a"}), blueFrame(8, 8, edged.RGB), testMask()
	c := p.cameras["a"]
	c.ask.Store(true)
	shot := Shot{Seq: 1, Labels: []string{"x"}, Pixels: []int{5}}
	p.Show("a", f, m, &shot)
	f.Pix[2], m.Pix[1], shot.Pixels[0], shot.Labels[0] = 1, 7, 6, "changed"
	if c.taken.frame.Pix[2] != 250 || c.taken.mask.Pix[1] != 1 || c.taken.shot.Pixels[0] != 5 || c.taken.shot.Labels[0] != "x" {
		t.Error("the page holds on to what was only lent")
	}
}

func TestRateFollowsTheGaps(t *testing.T) {
	var c camera
	now := time.Unix(100, 0)
	for range 3 {
		now = now.Add(100 * time.Millisecond)
		c.count(now)
	}
	if r := c.rate(); math.Abs(r-10) > 0.01 {
		t.Errorf("rate %v, want 10", r)
	}
	for range 60 {
		now = now.Add(25 * time.Millisecond)
		c.count(now)
	}
	if r := c.rate(); math.Abs(r-40) > 1 {
		t.Errorf("rate %v, want 40", r)
	}
}

func TestIndexNamesTheCamerasAndEscapes(t *testing.T) {
	code, body := get(t, serve(t, New("</script><b>", []string{"a", "b"}))+"/")
	if code != http.StatusOK || !strings.Contains(string(body), `"cameras":["a","b"]`) {
		t.Errorf("status %d: %s", code, body)
	}
	if strings.Contains(string(body), "</script><b>") {
		t.Error("a title breaks out of its script")
	}
}

func TestPageRefuses(t *testing.T) {
	url := serve(t, New("node", []string{"a"}))
	for path, want := range map[string]int{
		"/live/b": http.StatusNotFound, "/live/a?after=x": http.StatusBadRequest, "/snapshot/b": http.StatusNotFound,
		"/page.js": http.StatusOK, "/draw.js": http.StatusOK, "/state.js": http.StatusOK, "/ng/a/1": http.StatusNotFound, "/ng/a/x": http.StatusNotFound, "/page.css": http.StatusOK, "/page.go": http.StatusNotFound,
	} {
		if code, _ := get(t, url+path); code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
}

func TestSnapshotFitsItsLimit(t *testing.T) {
	p := New("node", []string{"a"})
	keepShowing(t, p, blueFrame(400, 300, edged.BGR))
	for _, limit := range []int{math.MaxInt, 3000, 900} {
		j, shot, err := p.Snapshot(context.Background(), "a", limit)
		if err != nil || len(j) > limit || shot.Seq == 0 {
			t.Fatalf("limit %d: %d bytes, %v", limit, len(j), err)
		}
		if _, err := jpeg.Decode(bytes.NewReader(j)); err != nil {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
	if _, _, err := p.Snapshot(context.Background(), "a", 10); err == nil {
		t.Error("a picture in ten bytes")
	}
	if _, _, err := p.Snapshot(context.Background(), "b", 1000); !errors.Is(err, errNoCamera) {
		t.Errorf("no such camera: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if _, _, err := New("node", []string{"a"}).Snapshot(ctx, "a", 1000); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no picture: %v", err)
	}
}
