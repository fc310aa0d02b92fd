//go:build tools

package main

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"edged"
	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

// sharedText is a writer that a test can read while it is written.
type sharedText struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *sharedText) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *sharedText) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// A watcher that starts before the broker prints what is published and saves
// masks that decode to what was published.
func TestWatch(t *testing.T) {
	mqtttest.NoLeaks(t)
	b := mqtttest.NewBroker(t)
	dir := filepath.Join(t.TempDir(), "masks")
	cfg := mqtt.Default()
	cfg.Broker, cfg.Log = b.URL(), slog.New(slog.DiscardHandler)
	cfg.BackoffMin, cfg.BackoffMax = 50*time.Millisecond, 200*time.Millisecond
	ctx, stop := context.WithCancel(context.Background())
	var out sharedText
	done := make(chan error, 1)
	go func() { done <- watch(ctx, cfg, watchOptions{save: dir, overlay: dir}, &out, io.Discard) }()
	time.Sleep(100 * time.Millisecond)
	b.Start()

	pub := cfg
	pub.Node = "n1"
	c, err := mqtt.New(pub)
	if err != nil {
		t.Fatal(err)
	}
	c.CameraStatus("cam", mqtt.Online)
	c.Start()
	mqtttest.Until(t, time.Minute, "the status", func() bool { return strings.Contains(out.String(), "n1/cam is online") })
	m := &edged.Mask{Pix: bytes.Repeat([]byte{0, 1, 2, 1}, 300), Stride: 40, W: 40, H: 30}
	for seq := range uint64(3) {
		r := &mqtt.Result{
			Seq: seq + 1, TS: mqtt.Time{Time: time.Unix(0, 0)}, InferMS: 12.34, Verdict: "NG", PartID: "A\x1b7",
			Reasons: []mqtt.Why{{Text: "scratch: 2 blobs"}}, Classes: []mqtt.Class{{ID: 0, Name: "belt", Px: 300, Ratio: 0.25}, {ID: 3, Name: "none"}},
		}
		if err := c.Publish("cam", r, m); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Event("cam", mqtt.Event{Kind: mqtt.EventVerdict, Verdict: "NG", Previous: "OK", Reasons: []mqtt.Why{{Text: "scratch"}}}); err != nil {
		t.Fatal(err)
	}
	seen := append([]byte("\xff\xd8\xff\xfe\x00\x2aseq=3 ts=1970-01-01T00:00:00.000Z"), 0xff, 0xd9)
	c.Overlay("cam", seen)
	c.Overlay("other", []byte("seq=3 ts=1"))
	mqtttest.Until(t, time.Minute, "the overlays", func() bool {
		return strings.Contains(out.String(), "n1_cam_000003.jpg") && strings.Contains(out.String(), "none of edged's")
	})
	if saved, err := os.ReadFile(filepath.Join(dir, "n1_cam_000003.jpg")); err != nil || !bytes.Equal(saved, seen) {
		t.Errorf("%v: %q", err, saved)
	}
	mqtttest.Until(t, time.Minute, "the lines", func() bool { s := out.String(); return strings.Contains(s, " 3 NG") && strings.Contains(s, "event 1") })
	file := filepath.Join(dir, "n1_cam_000003.png")
	for _, want := range []string{
		"1970-01-01T00:00:00.000Z n1/cam 3 NG 12.3 ms belt=25.00% part A\uFFFD7; scratch: 2 blobs -> " + file + "\n",
		" n1/cam event 1 verdict: OK -> NG scratch\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no line %q in:\n%s", want, out.String())
		}
	}
	checkSaved(t, file, m)
	end, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := c.Close(end); err != nil {
		t.Error(err)
	}
	mqtttest.Until(t, time.Minute, "offline", func() bool { return strings.Contains(out.String(), "n1 is offline") })
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func checkSaved(t *testing.T, file string, m *edged.Mask) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	im, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if g, ok := im.(*image.Gray); !ok || !bytes.Equal(g.Pix, m.Pix) {
		t.Errorf("%s holds another mask (%T)", file, im)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestWatchEndsWhenItsOutputDoes(t *testing.T) {
	mqtttest.NoLeaks(t)
	b := mqtttest.StartBroker(t)
	cfg := mqtt.Default()
	cfg.Broker, cfg.Log, cfg.Node = b.URL(), slog.New(slog.DiscardHandler), "n1"
	c, err := mqtt.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.Start()
	if err := watch(context.Background(), cfg, watchOptions{}, brokenPipe{}, io.Discard); err == nil || !strings.Contains(err.Error(), "closed pipe") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := c.Close(ctx); err != nil {
		t.Error(err)
	}
}
