package capture

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"edged"
)

func TestEveryFrame(t *testing.T) {
	cfg := fakeFile(t, "n=300")
	cfg.EveryFrame = true
	src := mustOpen(t, cfg)
	for i := uint64(1); i <= 300; i++ {
		f, n := next(t, src)
		if n != i || f.Seq != i || f.W != 64 || f.H != 48 || f.Stride != 192 || f.Format != edged.BGR {
			t.Fatalf("frame %d: picture %d, seq %d, %dx%d", i, n, f.Seq, f.W, f.H)
		}
		if age := time.Since(f.Time); age < 0 || age > 10*time.Second {
			t.Fatalf("frame %d is %v old", i, age)
		}
		balanced(t, src)
	}
	var f edged.Frame
	for range 2 {
		if err := src.Next(context.Background(), &f); err != io.EOF {
			t.Fatalf("after the last frame: %v, want io.EOF", err)
		}
	}
	if c := balanced(t, src); c.Read != 300 || c.Delivered != 300 || c.Copied != 1 || c.Opens != 1 {
		t.Errorf("counts %+v", c)
	}
}

// TestNewestWins lends each frame for longer than it takes to fill every slot:
// paint would show if the worker wrote to a lent one.
func TestNewestWins(t *testing.T) {
	src := mustOpen(t, fake("fps=500"))
	last := uint64(0)
	for range 40 {
		var f edged.Frame
		if err := src.Next(context.Background(), &f); err != nil {
			t.Fatal(err)
		}
		time.Sleep(15 * time.Millisecond)
		n := number(t, &f)
		if n <= last || f.Seq != n {
			t.Fatalf("picture %d, seq %d, after %d", n, f.Seq, last)
		}
		last = n
		balanced(t, src)
	}
	c := balanced(t, src)
	if c.Delivered != 40 || c.PassedOver < 40 {
		t.Errorf("counts %+v: 40 frames lent for 15 ms each, at 500 a second", c)
	}
	if c.Read < last {
		t.Errorf("read %d, but frame %d was delivered", c.Read, last)
	}
}

func TestPacedFile(t *testing.T) {
	cfg := fakeFile(t, "n=20")
	cfg.FPS = 100
	src := mustOpen(t, cfg)
	began := time.Now()
	var f edged.Frame
	var err error
	for err == nil {
		err = src.Next(context.Background(), &f)
	}
	if took := time.Since(began); err != io.EOF || took < 190*time.Millisecond {
		t.Errorf("twenty frames at 100 a second: %v after %v", err, took)
	}
	if c := balanced(t, src); c.Read != 20 {
		t.Errorf("counts %+v", c)
	}
}

func TestLoop(t *testing.T) {
	cfg := fakeFile(t, "n=7")
	cfg.Loop, cfg.EveryFrame = true, true
	src := mustOpen(t, cfg)
	for i := range uint64(30) {
		if f, n := next(t, src); n != i%7+1 || f.Seq != i+1 {
			t.Fatalf("frame %d: picture %d, seq %d", i, n, f.Seq)
		}
	}
	if c := balanced(t, src); c.Restarts != 0 || c.Opens < 5 || c.SizeChanges != 0 {
		t.Errorf("counts %+v: a loop needs no new worker", c)
	}
}

// TestSizeChange holds a frame of the old size across the change.
func TestSizeChange(t *testing.T) {
	for _, every := range []bool{false, true} {
		cfg := fake("fps=300&grow=10&n=1000")
		cfg.EveryFrame = every
		src := mustOpen(t, cfg)
		f, _ := next(t, src)
		if f.W != 64 {
			t.Fatalf("first frame is %dx%d", f.W, f.H)
		}
		time.Sleep(100 * time.Millisecond)
		number(t, &f)
		for f.W == 64 {
			f, _ = next(t, src)
		}
		if f.W != 80 || f.H != 60 || f.Stride != 240 {
			t.Errorf("after the change: %dx%d, stride %d", f.W, f.H, f.Stride)
		}
		next(t, src)
		if c := balanced(t, src); c.SizeChanges != 1 || c.Copied != 2 || c.Stuck+c.Crashes != 0 {
			t.Errorf("every %v: counts %+v", every, c)
		}
		src.Close()
	}
}

func TestTooLarge(t *testing.T) {
	src := mustOpen(t, fake("fps=100&huge=3&"+mark(t)))
	for n := uint64(0); n < 9; {
		_, n = next(t, src)
	}
	if c := balanced(t, src); c.Stuck != 1 || c.Restarts != 1 || c.By.Lost != 1 {
		t.Errorf("counts %+v: a picture over MaxPixels replaces the worker", c)
	}
}

func TestClose(t *testing.T) {
	src := mustOpen(t, fake("fps=100"))
	next(t, src)
	waiting := make(chan error)
	go func() {
		var f edged.Frame
		err := error(nil)
		for err == nil {
			err = src.Next(context.Background(), &f)
		}
		waiting <- err
	}()
	src.Close()
	if err := <-waiting; err != ErrClosed {
		t.Errorf("Next while closing: %v, want ErrClosed", err)
	}
	src.Close()
	if c := balanced(t, src); c.Waiting != 0 || c.Refused != 0 {
		t.Errorf("counts after Close %+v", c)
	}
}

func TestNextHonoursContext(t *testing.T) {
	src := mustOpen(t, fake("openfail=no"))
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	var f edged.Frame
	if err := src.Next(ctx, &f); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want deadline exceeded", err)
	}
}

func TestProbe(t *testing.T) {
	info, err := Probe(context.Background(), fake("fps=50"))
	if err != nil || info.Width != 64 || info.Height != 48 || info.Library != "fake" || info.Kind != "rtsp" || info.Format != "BGR" {
		t.Errorf("Probe gives %+v, %v", info, err)
	}
	if _, err := Probe(context.Background(), fake("openfail=wrong+password")); err == nil || !contains(err, "wrong password") {
		t.Errorf("a camera that refuses: %v", err)
	}
	if _, err := Probe(context.Background(), fake("end=1")); err == nil || !contains(err, "connection reset") {
		t.Errorf("a camera without frames: %v", err)
	}
}
