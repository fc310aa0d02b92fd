package belt

import (
	"context"
	"errors"
	"io"
	"time"

	"edged"
)

// Source plays a belt in time, as a camera would: capture wraps it into its own
// kind of source. One goroutine at a time may use it.
type Source struct {
	scene *Scene
	cfg   Config
	start time.Time // of frame 0; zero until the first Next
	next  uint64    // the first frame not yet taken nor passed over
	last  uint64    // the frame delivered last
	open  bool
	taken uint64
	over  uint64
	pix   []byte

	turned  []byte     // a line camera's frame
	classes edged.Mask // and its classes, not yet turned
	clock   clock
}

// clock is the time that a Source keeps to; a test brings its own.
type clock interface {
	Now() time.Time
	// Wait sleeps for d or until ctx ends.
	Wait(ctx context.Context, d time.Duration) error
}

// Open starts the belt that source describes; see Parse.
func Open(source string) (*Source, error) {
	c, err := Parse(source)
	if err != nil {
		return nil, err
	}
	return New(c)
}

// New starts the belt of c.
func New(c Config) (*Source, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	seen := c
	if c.Line { // rows are the belt's columns, turned
		seen.W, seen.H, seen.Speed = c.H, c.W, c.H
	}
	scene, err := NewScene(seen)
	if err != nil {
		return nil, err
	}
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	return &Source{scene: scene, cfg: c, open: true, clock: wallClock{timer}}, nil
}

// ErrClosed is what a closed Source answers.
var ErrClosed = errors.New("belt: source is closed")

// Config is what the belt was made from.
func (s *Source) Config() Config { return s.cfg }

// Next waits for the camera's next frame and lends it until the next call:
// Seq counts from 1 with a gap for every frame passed over, Time is when the
// shutter opened. At the end of a belt with a number of frames it returns io.EOF.
func (s *Source) Next(ctx context.Context, f *edged.Frame) error {
	if !s.open {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	k, err := s.due(ctx)
	if err != nil {
		return err
	}
	if s.cfg.Frames > 0 && k >= s.cfg.Frames {
		s.over += s.cfg.Frames - s.next
		s.next = s.cfg.Frames
		return io.EOF
	}
	s.over += k - s.next
	s.next, s.last = k+1, k
	s.taken++
	*f = edged.Frame{Pix: s.pix}
	s.scene.Render(k, f, nil)
	s.pix = f.Pix
	if s.cfg.Line {
		s.turn(f)
	}
	f.Seq, f.Time = k+1, s.stamp(k)
	return nil
}

// stamp is when frame k was taken, by the wall clock as it is now: it may have
// been set since the belt began.
func (s *Source) stamp(k uint64) time.Time {
	now := s.clock.Now()
	return now.Add(s.timeOf(k).Sub(now))
}

// due waits until a frame is there and names it: the newest one, or with Every
// and without a rate the one after the last.
func (s *Source) due(ctx context.Context) (uint64, error) {
	now := s.clock.Now()
	if s.start.IsZero() {
		s.start = now
	}
	if s.cfg.FPS == 0 {
		return s.next, nil
	}
	if at := s.timeOf(s.next); at.After(now) {
		if err := s.clock.Wait(ctx, at.Sub(now)); err != nil {
			return 0, err
		}
		now = s.clock.Now()
	}
	if s.cfg.Every {
		return s.next, nil
	}
	newest := uint64(max(0, now.Sub(s.start).Seconds()*s.cfg.FPS))
	return max(s.next, newest), nil
}

func (s *Source) timeOf(k uint64) time.Time {
	if s.cfg.FPS == 0 {
		return s.clock.Now()
	}
	return s.start.Add(time.Duration(float64(k) / s.cfg.FPS * float64(time.Second)))
}

// Truth writes the exact classes of the frame delivered last.
func (s *Source) Truth(m *edged.Mask) error {
	if s.taken == 0 {
		return errors.New("belt: truth before the first frame: call Next first")
	}
	if !s.cfg.Line {
		s.scene.Truth(s.last, m)
		return nil
	}
	s.scene.Truth(s.last, &s.classes)
	w, h := s.cfg.W, s.cfg.H
	if cap(m.Pix) < w*h {
		m.Pix = make([]uint8, w*h)
	}
	*m = edged.Mask{Pix: m.Pix[:w*h], Stride: w, W: w, H: h, Grid: edged.Grid{Stride: [2]float64{1, 1}}}
	for i := range m.Pix {
		m.Pix[i] = s.classes.Pix[i%w*h+i/w]
	}
	return nil
}

// turn makes rows of the belt's columns.
func (s *Source) turn(f *edged.Frame) {
	w, h := s.cfg.W, s.cfg.H
	if len(s.turned) != 3*w*h {
		s.turned = make([]byte, 3*w*h)
	}
	for y := range h {
		for x := range w {
			copy(s.turned[3*(y*w+x):][:3], f.Pix[x*f.Stride+3*y:])
		}
	}
	f.Pix, f.Stride, f.W, f.H = s.turned, 3*w, w, h
}

// Tally counts the frames delivered and the ones passed over because a newer one
// was there. None is ever refused.
func (s *Source) Tally() (delivered, passedOver uint64) { return s.taken, s.over }

// Close ends the belt; it may be called twice.
func (s *Source) Close() error {
	s.open = false
	return nil
}

// wallClock sleeps on one timer, so that a frame allocates nothing.
type wallClock struct{ timer *time.Timer }

func (wallClock) Now() time.Time { return time.Now() }

func (c wallClock) Wait(ctx context.Context, d time.Duration) error {
	c.timer.Reset(d)
	select {
	case <-c.timer.C:
		return nil
	case <-ctx.Done():
		c.timer.Stop()
		return ctx.Err()
	}
}
