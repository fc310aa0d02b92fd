package capture

import (
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"edged"
	"edged/capture/internal/wire"
)

// rhythm learns how often frames come, to know a stall from a slow camera.
type rhythm struct {
	frames  int
	last    time.Time
	typical time.Duration // exponential mean of the pauses
}

// stalled records a frame and tells whether it came after a pause that is out
// of rhythm. The camera may have taken it before the pause. A camera whose pauses
// are its own has no rhythm and is not asked.
func (r *rhythm) stalled(at time.Time, least time.Duration) bool {
	pause := at.Sub(r.last)
	r.last = at
	if r.frames++; r.frames <= 2 { // the first pause is the camera's start
		r.typical = pause
		return false
	}
	if least > 0 && pause > least && pause > 4*r.typical {
		return true
	}
	r.typical += (pause - r.typical) / 8
	return false
}

// blackest is the largest byte that a picture without light has: video black
// is 0, and sensors add some noise.
const blackest = 20

// inspectRows is how many rows of a frame are looked at before all are.
const inspectRows = 32

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// inspector notices pictures that stand still or hold nothing. It outlives
// workers: a camera that froze is still frozen after a new connection.
type inspector struct {
	live        bool
	frozenAfter time.Duration
	sample      uint32 // sum over some rows of the last frame
	whole       uint32 // sum over all of it, once sample repeated
	wholeKnown  bool
	since       time.Time // when the picture was first seen
}

func newInspector(cfg Config, live bool) inspector {
	after := cfg.FrozenAfter
	if after > 0 {
		after = max(after, cfg.Idle) // two like pictures with a pause between are no fault
	}
	return inspector{live: live, frozenAfter: after}
}

// frozen tells whether the same picture has come for too long. Sensor noise
// makes the sample differ from frame to frame, so the whole is summed rarely.
func (in *inspector) frozen(f *edged.Frame) bool {
	if !in.live || in.frozenAfter <= 0 {
		return false
	}
	sample := sumRows(f, max(1, f.H/inspectRows))
	if sample != in.sample {
		*in = inspector{live: in.live, frozenAfter: in.frozenAfter, sample: sample, since: f.Time}
		return false
	}
	whole := sumRows(f, 1)
	if !in.wholeKnown || whole != in.whole {
		if in.wholeKnown {
			in.since = f.Time
		}
		in.whole, in.wholeKnown = whole, true
		return false
	}
	return f.Time.Sub(in.since) > in.frozenAfter
}

func sumRows(f *edged.Frame, step int) uint32 {
	row := f.W * f.Format.Channels()
	sum := uint32(0)
	for y := 0; y < f.H; y += step {
		sum = crc32.Update(sum, castagnoli, f.Pix[y*f.Stride:y*f.Stride+row])
	}
	return sum
}

// black tells whether nothing in the rows looked at is lit. A lit picture is
// known by its first pixels.
func black(f *edged.Frame) bool {
	row := f.W * f.Format.Channels()
	for y := 0; y < f.H; y += max(1, f.H/inspectRows) {
		if slices.ContainsFunc(f.Pix[y*f.Stride:y*f.Stride+row], func(v byte) bool { return v > blackest }) {
			return false
		}
	}
	return true
}

// judge offers a good frame to the caller and refuses a bad one.
func (s *session) judge(f wire.Frame, h held) {
	c := s.c
	s.quiet = time.Time{}
	gaveUp := c.gaveUp(f.Took)
	stalled := c.live && !s.opened.Polled && s.stalled(h.frame.Time, gaveUp)
	frozen := s.look.frozen(&h.frame)
	dark := c.live && black(&h.frame)
	if s.dim.look(&h.frame, c.cfg.Bits) {
		c.cfg.tellDim()
	}
	var why *uint64
	reason := ""
	switch by := &c.counts.By; {
	case f.Corrupt:
		why, reason = &by.Corrupt, "corrupt"
	case stalled:
		why, reason = &by.Stale, "stale"
	case frozen:
		why, reason = &by.Frozen, "frozen"
	case dark && c.cfg.RefuseBlack:
		why, reason = &by.Black, "black"
	}
	c.note(func(t *tally) {
		if dark {
			t.Black++
		}
		if why != nil {
			t.refuse(why, 1)
			h.letGo()
		}
	})
	if why != nil {
		c.cfg.lose(reason, 1, h.frame.Time)
	}
	switch {
	case frozen:
		s.onFrozen()
	case stalled && gaveUp:
		s.kill(fmt.Sprintf("no picture for %v", networkTimeout(c.cfg)))
	case why == nil:
		s.good++
		s.stall = 0
		if s.brief.lasts(time.Now()) {
			s.retry.reset()
			s.tell(Status{Online: true})
		}
		c.offer(h)
	}
}

// stalled tells whether a frame is stale for the pause before it. A read that the
// library gave up on makes it so however the times of frames lie; pauses between
// them do not where they are the camera's own.
func (s *session) stalled(at time.Time, gaveUp bool) bool {
	paused := s.c.cfg.Idle == 0 && s.beat.stalled(at, s.c.cfg.StallAfter)
	return gaveUp || paused
}

// gaveUp tells whether a read took so long that the library has given up on the
// network. What it returned is then a picture that its decoder had kept: each
// further one takes as long, and the end comes when there is none left.
func (c *camera) gaveUp(took time.Duration) bool {
	return (c.kind == RTSP || c.kind == HTTP && c.opened.Backend != "HTTP") && took >= networkTimeout(c.cfg)
}

// onFrozen says that the camera is of no use, and tries a new connection: some
// cameras come back with one.
func (s *session) onFrozen() {
	after := s.look.frozenAfter
	s.offline(fmt.Sprintf("the picture has not changed for %v", after))
	if long := time.Now().Add(-2 * after); s.look.since.Before(long) && s.began.Before(long) {
		s.kill("frozen picture")
	}
}
