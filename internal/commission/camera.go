package commission

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"edged"
	"edged/capture"
	"edged/internal/page"
)

const (
	// liveGap is how often a live picture is taken over.
	liveGap = 150 * time.Millisecond

	// mostRecorded and mostRecordedBytes bound the pictures that rules are tried on.
	mostRecorded      = 24
	mostRecordedBytes = 96 << 20

	// mostSource bounds a source's text.
	mostSource = 4096
)

// camera is the source that is looked at, and pictures taken of it.
type camera struct {
	log *slog.Logger

	opening sync.Mutex
	cancel  context.CancelFunc
	ended   chan struct{}

	mu       sync.Mutex
	source   string
	why      string // there is no picture
	live     *edged.Frame
	recorded []*edged.Frame
	bytes    int
}

// status is what the page says of the source.
type status struct {
	Source   string `json:"source"`
	Why      string `json:"why"` // there is no picture; empty: there is one
	W        int    `json:"w"`
	H        int    `json:"h"`
	Recorded int    `json:"recorded"`
}

func (c *camera) status() status {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := status{Source: capture.Redact(c.source), Why: c.why, Recorded: len(c.recorded)}
	if c.live != nil {
		s.W, s.H = c.live.W, c.live.H
	}
	return s
}

// putSource looks at another source: {"source"}.
func (d *Desk) putSource(r *http.Request) (any, error) {
	var body struct {
		Source string `json:"source"`
	}
	if err := read(r, &body); err != nil {
		return nil, err
	}
	switch source := strings.TrimSpace(body.Source); {
	case source == "" || len(source) > mostSource || strings.ContainsAny(source, "\x00\n"):
		return nil, faultf(http.StatusBadRequest, "source: write a camera, a file, a folder, a URL or test:belt, in one line")
	case strings.Contains(source, " ! ") && !d.isConfigured(source):
		return nil, faultf(http.StatusBadRequest, "source: a GStreamer pipeline may write files too: put it into the config by hand, then choose the camera here")
	default:
		d.camera.open(source)
	}
	return d.camera.status(), nil
}

// isConfigured tells whether the config itself names a source.
func (d *Desk) isConfigured(source string) bool {
	_, c, err := d.load()
	if err != nil || c == nil {
		return false
	}
	for i := range c.Cameras {
		if c.Cameras[i].Source == source {
			return true
		}
	}
	return false
}

// open leaves the source before and begins with another.
func (c *camera) open(source string) {
	c.opening.Lock()
	defer c.opening.Unlock()
	c.leave()
	c.mu.Lock()
	c.source, c.why, c.live = source, "the source is being opened", nil
	c.recorded, c.bytes = nil, 0
	c.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel, c.ended = cancel, make(chan struct{})
	go c.follow(ctx, source, c.ended)
}

func (c *camera) close() {
	c.opening.Lock()
	defer c.opening.Unlock()
	c.leave()
}

func (c *camera) leave() {
	if c.cancel == nil {
		return
	}
	c.cancel()
	select {
	case <-c.ended:
	case <-time.After(3 * time.Second): // a driver may hang; it is told nowhere, and ends with us
	}
	c.cancel = nil
}

// follow takes pictures over until ctx ends.
func (c *camera) follow(ctx context.Context, source string, ended chan<- struct{}) {
	defer close(ended)
	say := func(why string) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if ctx.Err() == nil {
			c.why = why
		}
	}
	src, err := capture.Open(capture.Config{Name: "commission", Source: source, Log: slog.New(slog.DiscardHandler), Loop: true, OnStatus: func(s capture.Status) {
		if !s.Online {
			say(capture.Redact(s.Reason))
		}
	}})
	if err != nil {
		say(capture.Redact(err.Error()))
		return
	}
	defer src.Close()
	var f edged.Frame
	for last := (time.Time{}); ; {
		if err := src.Next(ctx, &f); err != nil {
			say("the source has ended: " + capture.Redact(err.Error()))
			return
		}
		if gap := time.Since(last); gap < liveGap {
			if capture.InOrder(src) || capture.OnCommand(source) { // it waits for who asks
				pause(ctx, liveGap-gap)
			} else {
				continue
			}
		}
		last = time.Now()
		c.take(ctx, &f)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// take keeps a copy of a picture as the live one.
func (c *camera) take(ctx context.Context, f *edged.Frame) {
	row := f.W * f.Format.Channels()
	if f.W <= 0 || f.H <= 0 || f.Stride < row || len(f.Pix) < (f.H-1)*f.Stride+row {
		return
	}
	one := *f
	one.Pix = append([]byte(nil), f.Pix[:(f.H-1)*f.Stride+row]...)
	c.mu.Lock()
	defer c.mu.Unlock()
	if ctx.Err() == nil {
		c.live, c.why = &one, ""
	}
}

// postRecord keeps the live picture for trying rules on.
func (d *Desk) postRecord(*http.Request) (any, error) {
	c := &d.camera
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.live == nil {
		return nil, faultf(http.StatusConflict, "there is no picture: %s", c.why)
	}
	if len(c.recorded) == mostRecorded || c.bytes+len(c.live.Pix) > mostRecordedBytes {
		return nil, faultf(http.StatusConflict, "%d pictures are kept, which is all there is room for: take them away first", len(c.recorded))
	}
	c.recorded = append(c.recorded, c.live)
	c.bytes += len(c.live.Pix)
	return map[string]int{"recorded": len(c.recorded)}, nil
}

func (d *Desk) deleteRecord(*http.Request) (any, error) {
	c := &d.camera
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recorded, c.bytes = nil, 0
	return map[string]int{"recorded": 0}, nil
}

// frames are the pictures of a name: live, recorded, or a number.
func (c *camera) frames(which string) ([]*edged.Frame, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case which == "live" && c.live != nil:
		return []*edged.Frame{c.live}, nil
	case which == "live":
		why := c.why
		if why == "" {
			why = "no source is open"
		}
		return nil, faultf(http.StatusConflict, "there is no picture: %s", why)
	case which == "recorded" && len(c.recorded) > 0:
		return append([]*edged.Frame{}, c.recorded...), nil
	case which == "recorded":
		return nil, faultf(http.StatusConflict, "no picture is recorded")
	}
	n, err := strconv.Atoi(which)
	if err != nil || n < 0 || n >= len(c.recorded) {
		return nil, faultf(http.StatusNotFound, "no such picture")
	}
	return []*edged.Frame{c.recorded[n]}, nil
}

// getFrame is a picture in the live page's own form.
func (d *Desk) getFrame(r *http.Request) (any, error) {
	frames, err := d.camera.frames(r.PathValue("which"))
	if err != nil {
		return nil, err
	}
	f := frames[0]
	return raw(page.Body("commission", f, nil, &page.Shot{Time: f.Time}, "not looked at")), nil
}
