package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"edged/capture/internal/shm"
	"edged/capture/internal/wire"
)

const (
	tick    = 250 * time.Millisecond // how often deadlines are looked at
	goodbye = 800 * time.Millisecond // for a worker to close its camera and end
)

// session is the life of one worker process, over however many openings.
type session struct {
	*supervisor
	p       *process
	began   time.Time
	hello   wire.Hello
	opened  wire.Opened
	openAt  time.Time // when to ask for the next opening; zero: one is under way
	planned time.Time // when the current wait ends
	mem     *memory
	numbers uint32 // segments so far
	last    uint64 // the worker's count at the last frame accounted for
	good    uint64 // frames offered to the caller

	goodBefore uint64 // those of openings before
	beat       rhythm
	quiet      time.Time // when a source was opened that has sent nothing yet; zero: it has
	start      headway
	fault      string // why the worker was killed

	begins bool // the next frame is the first since the source was opened
}

// run listens to the worker until it is gone. over: the source has ended or
// was closed. fault: why we killed it; empty when it died by itself.
func (s *session) run(ctx context.Context) (over bool, fault string) {
	stop := context.AfterFunc(ctx, func() { s.p.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	for {
		s.p.conn.SetReadDeadline(s.wakeAt())
		if ctx.Err() != nil { // AfterFunc may have come before
			s.p.hangUp(goodbye)
			return true, ""
		}
		t, b, err := s.p.conn.Receive()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			over = s.onTick()
		case err != nil: // the worker has hung up
			s.p.hangUp(goodbye)
			return false, s.fault
		default:
			over, err = s.handle(ctx, t, b)
			if err != nil {
				s.kill("camera worker broke the protocol: " + err.Error())
			}
		}
		if over {
			s.p.hangUp(goodbye)
			return true, ""
		}
	}
}

func (s *session) wakeAt() time.Time {
	s.planned = time.Now().Add(tick)
	if !s.openAt.IsZero() && s.openAt.Before(s.planned) {
		s.planned = s.openAt
	}
	return s.planned
}

func (s *session) kill(fault string) {
	if s.fault == "" {
		s.fault = fault
		s.p.kill()
	}
}

// onTick looks at the deadlines and opens the source when that is due.
func (s *session) onTick() (over bool) {
	now := time.Now()
	if now.Sub(s.planned) > 2*tick { // we were stopped ourselves: let the worker show itself first
		return false
	}
	if why := s.overdue(); why != "" {
		s.kill(why)
		return false
	}
	if !s.openAt.IsZero() && !now.Before(s.openAt) {
		return s.open()
	}
	if s.c.cfg.Idle > 0 && !s.quiet.IsZero() && now.Sub(s.quiet) >= s.c.cfg.RetryMax {
		s.tell(Status{Online: true}) // open, and its silence is no fault
	}
	return false
}

// overdue says which deadline the worker has missed.
func (s *session) overdue() string {
	now, cfg := shm.Now(), &s.c.cfg
	if s.hello.Version == 0 {
		if s.start.look(s.p.Pid(), now); s.start.stuck(now, s.p.vitals.Alive(), cfg.OpenTimeout, longestStart) {
			return fmt.Sprintf("camera worker did not start: it made no headway for %v", cfg.OpenTimeout)
		}
		return ""
	}
	if quiet := now - s.p.vitals.Alive(); quiet > cfg.AliveTimeout {
		return fmt.Sprintf("camera worker gave no sign of life for %v", cfg.AliveTimeout)
	}
	phase, since := s.p.vitals.Phase()
	limit := readDeadline(*cfg)
	switch {
	case phase == shm.Idle || phase == shm.Waiting:
		return ""
	case phase == shm.Opening && cfg.Idle > 0 && !s.quiet.IsZero(): // open: its first picture may take as long as any
	case phase == shm.Opening:
		limit = cfg.OpenTimeout
		if s.start.look(s.p.Pid(), now); !s.start.stuck(now, since, limit, longestOpen) {
			return ""
		}
	case phase == shm.Closing:
		limit = cfg.ReadTimeout
	}
	if now-since > limit {
		return s.keyFrames(fmt.Sprintf("%v the camera took longer than %v%s", phase, limit, s.cure(phase)))
	}
	return ""
}

// cure is what helps where a camera is only slow.
func (s *session) cure(phase shm.Phase) string {
	if phase != shm.Reading || s.c.cfg.Idle > 0 {
		return ""
	}
	return `; where its pauses are its own: trigger = "camera", or idle`
}

func (s *session) handle(ctx context.Context, t wire.Type, b []byte) (over bool, err error) {
	switch t {
	case wire.TypeFrame:
		f, err := wire.ParseFrame(b)
		if err != nil {
			return false, err
		}
		return false, s.onFrame(f)
	case wire.TypeHello:
		if err := wire.Decode(b, &s.hello); err != nil {
			return false, err
		}
		if s.hello.Version != wire.Version {
			return s.failed(fmt.Sprintf("edged-camera speaks version %d, edged %d: build both with `make build`", s.hello.Version, wire.Version)), wire.ErrMalformed
		}
		return s.open(), nil
	case wire.TypeOpened:
		return false, s.onOpened(b)
	case wire.TypeWant:
		return false, s.onWant(ctx, b)
	case wire.TypeFailed:
		var m wire.Failed
		if err := wire.Decode(b, &m); err != nil {
			return false, err
		}
		return s.again(m.Reason), nil
	case wire.TypeEnded:
		var m wire.Ended
		if err := wire.Decode(b, &m); err != nil {
			return false, err
		}
		return s.onEnded(m.Reason), nil
	}
	return false, fmt.Errorf("%w: type %d", wire.ErrMalformed, t)
}

// open asks the worker to open the source.
func (s *session) open() (over bool) {
	if err := s.present(); errors.Is(err, errFolder) {
		s.c.finish(err)
		return true
	} else if err != nil {
		return s.again(err.Error())
	}
	s.openAt, s.beat, s.quiet = time.Time{}, rhythm{}, time.Time{}
	cfg := &s.c.cfg
	o := wire.Open{
		Kind: s.c.kind.String(), Source: cfg.Source, Live: s.c.live,
		EveryFrame: cfg.EveryFrame, Each: cfg.Triggered || cfg.Keep, Paced: s.c.kind == File && !cfg.EveryFrame, Skip: s.skip,
		Width: cfg.Width, Height: cfg.Height, FPS: cfg.FPS, FourCC: cfg.FourCC, Timeout: networkTimeout(*cfg),
		MaxPixels: cfg.MaxPixels, Bits: cfg.Bits, IgnoreEXIF: cfg.IgnoreEXIF, Enough: s.c.talk(s.p.conn),
	}
	s.c.note(func(t *tally) { t.Opens++ })
	s.p.conn.Send(wire.TypeOpen, o) // a worker that is gone says so by hanging up
	return false
}

// ended notes how long the stream has lasted that is open no more. One that ends soon
// each time is tried less and less often, since a camera on the network may have its
// reasons; a device has none, and is looked for as often as ever.
func (s *session) ended() {
	if !s.c.live {
		return
	}
	s.brief.ended(time.Now(), s.good-s.goodBefore)
	s.retry.max = s.c.cfg.RetryMax
	if s.brief.times > 0 && s.c.kind != Device {
		s.retry.max = s.c.cfg.CrashMax
	}
}

// again plans the next attempt after a failure.
func (s *session) again(reason string) (over bool) {
	s.ended()
	reason = s.brief.tell(s.keyFrames(reason))
	s.openAt, s.quiet = time.Now().Add(s.retry.wait()), time.Time{}
	return s.failed(reason)
}

func (s *session) onOpened(b []byte) error {
	if err := wire.Decode(b, &s.opened); err != nil {
		return err
	}
	s.c.mu.Lock()
	s.c.opened, s.c.library = s.opened, s.hello.Library
	s.c.asks, s.c.asked = nil, true // opening it asks for the first one
	if s.opened.Polled {
		s.c.asks = s.p.conn
	}
	s.c.mu.Unlock()
	s.quiet, s.goodBefore, s.begins = time.Now(), s.good, true
	s.brief.begin(s.quiet)
	s.compare()
	return nil
}

// onEnded decides what the end of the frames means: for a live source a fault,
// for a file its end or the next round.
func (s *session) onEnded(reason string) (over bool) {
	if s.c.live {
		return s.again("stream ended: " + reason)
	}
	if s.skip == 0 {
		return s.again("it opens, but holds no frame that can be read: " + reason)
	}
	if missing := s.opened.Frames - int64(s.skip); missing > 0 && s.c.kind == File {
		s.c.note(func(t *tally) { t.Missing += uint64(missing) })
		s.c.cfg.Log.Warn("file ended early: is it truncated?", "camera", s.c.cfg.Name, "file", s.c.cfg.Source,
			"frames", s.skip, "promised", s.opened.Frames, "reason", reason)
	}
	s.skip = 0
	if s.c.cfg.Loop {
		return s.open()
	}
	s.c.finish(io.EOF)
	return true
}
