package page

import (
	"context"
	"math"
	"net/http"
	"sync"
	"testing"
	"time"

	"edged"
)

// A camera's goroutine hands frames over while a hundred viewers ask for whole
// pictures: it never waits for one of them.
func TestViewersDoNotHoldTheCamera(t *testing.T) {
	const limit = 50 * time.Millisecond
	f := bigFrame()
	p := New("x", []string{"a"})
	defer p.Close()
	ctx, cancel := context.WithCancel(context.Background())
	var viewers sync.WaitGroup
	for range 100 {
		viewers.Go(func() {
			for ctx.Err() == nil {
				_, _, _ = p.Snapshot(ctx, "a", math.MaxInt)
			}
		})
	}
	m := &edged.Mask{Pix: make([]byte, 100*100), W: 100, H: 100, Stride: 100}
	held := 0
	for seq := range uint64(30) {
		start := time.Now()
		p.Show("a", f, m, &Shot{Seq: seq + 1, Time: start})
		if time.Since(start) > limit {
			held++
		}
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	viewers.Wait()
	// A busy machine may take the processor away once; a lock held over the
	// encoding of two million pixels shows in nearly every one.
	if held > 3 {
		t.Errorf("%d of 30 frames were held for more than %v", held, limit)
	}
}

func bigFrame() *edged.Frame {
	f := &edged.Frame{Pix: make([]byte, 1920*1080*3), W: 1920, H: 1080, Stride: 1920 * 3, Format: edged.BGR}
	for i := range f.Pix {
		f.Pix[i] = byte(i*7 ^ i>>9)
	}
	return f
}

// While a picture is being encoded the camera's frames are not even copied.
func TestNoCopyWhileTheEncoderIsAtWork(t *testing.T) {
	p := New("x", []string{"a"})
	defer p.Close()
	p.turn <- struct{}{} // the encoder cannot go on
	c := p.cameras["a"]
	p.want(c)
	f, m := blueFrame(8, 8, edged.BGR), testMask()
	for seq := uint64(1); len(c.given) == 0 && c.taken.shot.Seq == 0; seq++ {
		p.Show("a", f, m, &Shot{Seq: seq})
		time.Sleep(time.Millisecond)
	}
	first := c.taken.shot.Seq
	for seq := first + 1; seq < first+100; seq++ {
		p.Show("a", f, m, &Shot{Seq: seq})
	}
	if got := c.taken.shot.Seq; got != first {
		t.Errorf("frame %d was copied while frame %d waits", got, first)
	}
}

// Forty viewers get one picture's bytes, which were made once.
func TestAPictureIsEncodedOnceForAllViewers(t *testing.T) {
	p := New("x", []string{"a"})
	defer p.Close()
	keepShowing(t, p, blueFrame(64, 48, edged.BGR))
	c := p.cameras["a"]
	var mu sync.Mutex
	bodies := map[uint64]*byte{}
	var viewers sync.WaitGroup
	for range 40 {
		viewers.Go(func() {
			after := uint64(0)
			for range 3 {
				m, err := p.wait(context.Background(), c, p.want, func(m *made) bool { return m.live != nil && m.id != after })
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if first, ok := bodies[m.id]; ok && first != &m.live[0] {
					t.Errorf("picture %d was encoded twice", m.id)
				}
				bodies[m.id], after = &m.live[0], m.id
				mu.Unlock()
			}
		})
	}
	viewers.Wait()
}

// Nobody's memory: what was copied goes when the last viewer has gone.
func TestFramesGoWithTheLastViewer(t *testing.T) {
	p := New("x", []string{"a"})
	keepShowing(t, p, blueFrame(64, 48, edged.BGR))
	if _, _, err := p.Snapshot(context.Background(), "a", math.MaxInt); err != nil {
		t.Fatal(err)
	}
	c := p.cameras["a"]
	c.wantedUntil.Store(time.Time{})
	for c.running.Load() {
		time.Sleep(time.Millisecond)
	}
	if c.taken.frame.Pix != nil || p.Wanted("a") {
		t.Error("a frame is kept for nobody")
	}
	if _, _, err := p.Snapshot(context.Background(), "a", math.MaxInt); err != nil {
		t.Fatal(err) // and the next viewer is served
	}
	p.Close()
	for c.running.Load() {
		time.Sleep(time.Millisecond)
	}
}

func TestARawFrameComesWithItsReason(t *testing.T) {
	p := New("x", []string{"a"})
	defer p.Close()
	url := serve(t, p)
	f := blueFrame(8, 8, edged.Gray)
	damaged := *f
	damaged.Pix = damaged.Pix[:10]
	done := make(chan struct{})
	go func() {
		defer close(done)
		for !p.Wanted("a") {
			time.Sleep(time.Millisecond)
		}
		p.ShowRaw("a", &damaged, "bytes are missing")
		p.ShowRaw("a", f, "the roi reaches outside")
	}()
	code, body := get(t, url+"/live/a")
	<-done
	h, parts := bodyParts(t, body)
	if code != http.StatusOK || h.Raw != "the roi reaches outside" || h.ID <= rawID || h.Camera != "a" || len(parts[1]) == 0 || len(parts[2]) != 0 {
		t.Errorf("%d: %+v, %d bytes of picture, %d of mask", code, h, len(parts[1]), len(parts[2]))
	}
	if code, _ := get(t, url+"/live/a?wait=0&after="+itoa(h.ID)); code != http.StatusNoContent {
		t.Errorf("no newer picture: %d", code)
	}
}

func TestLivePicturesAreBounded(t *testing.T) {
	for _, c := range []struct{ w, h, step int }{{640, 480, 1}, {1280, 720, 1}, {1920, 1080, 2}, {3840, 2160, 3}} {
		if got := liveStep(c.w, c.h); got != c.step {
			t.Errorf("%dx%d: each %d pixels, want %d", c.w, c.h, got, c.step)
		}
	}
	f := blueFrame(8, 4, edged.BGR)
	img := imageOf(f, 2)
	if b := img.Bounds(); b.Dx() != 4 || b.Dy() != 2 {
		t.Fatalf("bounds %v", b)
	}
	if _, _, blue, _ := img.At(1, 1).RGBA(); blue>>8 != 250 {
		t.Errorf("blue %d", blue>>8)
	}
}
