//go:build opencv && cgo

package opencv

import (
	"context"
	"io"
	"strings"
	"testing"

	"edged"
	"edged/capture"
	"edged/capture/cameratest"
)

func TestMJPEG(t *testing.T) {
	server := cameratest.StartMJPEG(t, "", 320, 240, 30)
	src := open(t, config(server.URL()))
	var last uint64
	for range 20 {
		f := next(t, src)
		if f.W != 320 || f.H != 240 || f.Format != edged.BGR || f.Seq <= last {
			t.Fatalf("frame %d after %d: %dx%d", f.Seq, last, f.W, f.H)
		}
		last = f.Seq
	}
	if c := balanced(t, src); c.Copied != 1 || c.Refused != 0 {
		t.Errorf("counts %+v", c)
	}

	server.Width.Store(480) // the size changes in the middle of the stream
	server.Height.Store(360)
	f := next(t, src)
	for f.W == 320 {
		f = next(t, src)
	}
	if f.W != 480 || f.H != 360 {
		t.Errorf("after the change: %dx%d", f.W, f.H)
	}
	for range 5 {
		next(t, src)
	}
	c := balanced(t, src)
	if c.SizeChanges != 1 || c.Restarts != 0 || c.Opens != 1 {
		t.Errorf("counts after a change of size: %+v", c)
	}

	server.Cut.Store(5) // pictures that end half-way
	eventually(t, src, "truncated pictures are refused", func(c capture.Counts) bool { return c.By.Corrupt >= 3 })
	next(t, src)
	if c := balanced(t, src); c.By.Corrupt > 10 {
		t.Errorf("five pictures were cut, counts %+v", c)
	}
}

func TestMJPEGFrozen(t *testing.T) {
	server := cameratest.StartMJPEG(t, "", 320, 240, 30)
	cfg := config(server.URL())
	var told statuses
	cfg.OnStatus = told.tell
	cfg.FrozenAfter = 500e6
	src := open(t, cfg)
	next(t, src)
	server.Still.Store(true)
	eventually(t, src, "a frozen picture is refused", func(c capture.Counts) bool { return c.By.Frozen > 5 })
	server.Still.Store(false)
	next(t, src)
	told.are(t, "+-+")
	balanced(t, src)
}

func TestPipeline(t *testing.T) {
	cfg := config("videotestsrc num-buffers=40 pattern=ball ! video/x-raw,width=160,height=120")
	cfg.EveryFrame = true
	src := open(t, cfg)
	if f := next(t, src); f.W != 160 || f.H != 120 || f.Format != edged.BGR {
		t.Errorf("frame %dx%d %v", f.W, f.H, f.Format)
	}
	if n, err := drain(t, src); n != 39 || err != io.EOF {
		t.Errorf("%d more frames, %v", n, err)
	}
	balanced(t, src)

	gray := config("videotestsrc ! video/x-raw,format=GRAY8,width=160,height=120 ! appsink")
	info, err := capture.Probe(context.Background(), gray)
	if err != nil || info.Format != "Gray" || info.Backend != "GStreamer" {
		t.Errorf("a grey pipeline: %+v, %v", info, err)
	}
	_, err = capture.Probe(context.Background(), config("nosuchelement user-pw=hunter2 ! appsink"))
	if err == nil || !strings.Contains(err.Error(), "nosuchelement") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a pipeline with an unknown element: %v", err)
	}
}

func TestRTSP(t *testing.T) {
	address := cameratest.FreeAddress(t)
	url := "rtsp://" + address + "/cam"
	cameratest.StartRTSP(t, address)
	_, err := capture.Probe(context.Background(), config("rtsp://user:hunter2@"+address+"/cam"))
	if err == nil || !strings.Contains(err.Error(), "404") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a stream that nobody publishes: %v", err)
	}
	var told statuses
	cfg := config(url)
	cfg.OnStatus = told.tell
	src := open(t, cfg)
	told.are(t, "-")
	publisher := cameratest.Publish(t, url, "320x240")
	for range 30 {
		if f := next(t, src); f.W != 320 || f.H != 240 {
			t.Fatalf("frame %dx%d", f.W, f.H)
		}
	}
	told.are(t, "-+")

	publisher.Kill()
	before := src.Counts().Failures
	eventually(t, src, "the lost publisher is noticed", func(c capture.Counts) bool { return c.Failures > before+2 })
	told.are(t, "-+-")
	cameratest.Publish(t, url, "400x300")
	if f := next(t, src); f.W != 400 {
		t.Errorf("the new publisher's frame is %dx%d", f.W, f.H)
	}
	told.are(t, "-+-+")
	if c := balanced(t, src); c.SizeChanges != 1 {
		t.Errorf("counts %+v", c)
	}
}
