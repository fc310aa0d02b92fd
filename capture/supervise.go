package capture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"
)

// progress is how many good frames a worker must have brought for its death not
// to count as another of a row.
const progress = 10

// hopeless is how many crashes in a row without a frame end what can end.
const hopeless = 3

// backoff is a wait that doubles from min to max, with jitter so that many
// cameras behind one switch do not come back in step.
type backoff struct{ min, max, next time.Duration }

func (b *backoff) wait() time.Duration {
	d := min(max(b.next, b.min), b.max)
	b.next = min(2*d, b.max)
	return d/2 + rand.N(d/2+1)
}

func (b *backoff) reset() { b.next = 0 }

// supervisor keeps one camera running. Its one goroutine does everything but
// hand frames to the caller.
type supervisor struct {
	c      *camera
	retry  backoff // between attempts to open
	crash  backoff // between workers that die
	dim    dim
	brief  brief // streams that end soon
	look   inspector
	status Status // last told, if told
	told   bool

	seq     uint64 // frames read by the workers before this one
	any     bool   // a frame has come
	skip    uint64 // frames of a file read in this round
	stall   int    // crashes since a frame came
	w, h    int    // of the latest frame
	unlike  string // in what the source differs from what was asked for
	reasons reasons
	reduced int // and how much smaller than the camera's it is
}

func (c *camera) supervise(ctx context.Context) {
	defer close(c.done)
	s := &supervisor{
		c:     c,
		retry: backoff{min: c.cfg.RetryMin, max: c.cfg.RetryMax},
		crash: backoff{min: c.cfg.RetryMin, max: c.cfg.CrashMax},
		brief: newBrief(c.cfg),
		look:  newInspector(c.cfg, c.live),
	}
	for first := true; ctx.Err() == nil; {
		if err := s.present(); err != nil {
			if errors.Is(err, errFolder) {
				s.c.finish(err)
				return
			}
			if s.failed(err.Error()) {
				return
			}
			sleep(ctx, s.retry.wait())
			continue
		}
		if !first {
			c.note(func(t *tally) { t.Restarts++ })
		}
		first = false
		over, wait := s.worker(ctx)
		if over {
			return
		}
		sleep(ctx, wait)
	}
}

// present checks what can be checked without a worker.
func (s *supervisor) present() error {
	if s.c.kind != File && s.c.kind != Device {
		return nil
	}
	kind, err := Parse(s.c.cfg.Source)
	if err == nil && kind == Folder {
		return errFolder
	}
	return err
}

// worker runs one process to its end. It tells whether the source is over, and
// else how long to wait for the next process.
func (s *supervisor) worker(ctx context.Context) (over bool, wait time.Duration) {
	p, err := startProcess(s.c.cfg, s.c.kind)
	if err != nil {
		return s.failed(err.Error()), s.retry.wait()
	}
	ses := &session{supervisor: s, p: p, began: time.Now()}
	defer p.free()
	over, fault := ses.run(ctx)
	ses.settle(over || ctx.Err() != nil)
	ses.ended()
	if over || ctx.Err() != nil {
		return true, 0
	}
	if ses.good >= progress {
		s.crash.reset()
	}
	s.crash.max = s.c.cfg.CrashMax
	if ses.good > 0 { // it can work: be back soon
		s.crash.max = min(s.crash.max, s.c.cfg.RetryMax)
	}
	words := p.lastWords(s.c.cfg.Source)
	if fault == "" {
		return s.crashed(p.ending(), words)
	}
	s.c.note(func(t *tally) { t.Stuck++ })
	s.c.cfg.Log.Debug("camera worker killed", "camera", s.c.cfg.Name, "reason", fault, "stderr", words)
	s.offline(fault)
	return false, s.retry.wait()
}

// crashed counts a worker that died by itself. A file that kills its reader
// three times at the same frame is over.
func (s *supervisor) crashed(how, words string) (over bool, wait time.Duration) {
	s.c.note(func(t *tally) { t.Crashes++ })
	reason := s.c.hunger("camera worker " + how + telling(words))
	s.c.cfg.Log.Warn("camera worker died", "camera", s.c.cfg.Name, "how", how, "stderr", words)
	s.offline(reason)
	if s.stall++; s.stall < hopeless {
		return false, s.crash.wait()
	}
	switch source := Redact(s.c.cfg.Source); {
	case s.c.cfg.Once && !s.any:
		s.c.finish(fmt.Errorf("capture: cannot open %s: %s", source, reason))
	case !s.c.live:
		s.c.finish(fmt.Errorf("capture: %s after frame %d of %q, %d times: the file is damaged, or its decoder is",
			reason, s.skip, source, hopeless))
	default:
		return false, s.crash.wait()
	}
	return true, 0
}

// telling picks the line of a dead worker's last words that says most: what Go
// or C++ died of, else the last.
func telling(words string) string {
	line := ""
	for l := range strings.Lines(strings.TrimSpace(words)) {
		if strings.Contains(l, "] [verbose] ") { // FFmpeg's small talk
			continue
		}
		line = strings.TrimSpace(l)
		if fatal.MatchString(line) {
			break
		}
	}
	if line == "" {
		return ""
	}
	return ": " + line[:min(len(line), 300)]
}

var fatal = regexp.MustCompile(`^(panic:|fatal error:|SIG[A-Z]+:|terminate called)`)

// failed counts a source that would not open. With Config.Once that is the end.
func (s *supervisor) failed(reason string) (over bool) {
	reason = s.c.hunger(Redact(reason))
	s.c.note(func(t *tally) { t.Failures++ })
	s.offline(reason)
	if !s.c.cfg.Once || s.c.live && s.any {
		return false
	}
	s.c.finish(fmt.Errorf("capture: cannot open %s: %s", Redact(s.c.cfg.Source), reason))
	return true
}

func (s *supervisor) offline(reason string) { s.tell(Status{Reason: Redact(reason)}) }

// tell says that the camera went away or came back, and each other reason why it still
// is away. The log has each reason once.
func (s *supervisor) tell(now Status) {
	before, first := s.status, !s.told
	if now == before && !first { // nearly always: not a byte of garbage here
		return
	}
	s.status, s.told = now, true
	changed := first || now.Online != before.Online
	if changed {
		s.reasons = nil
	}
	now.Old = !s.reasons.news(now.Reason)
	switch log := s.c.cfg.Log.With("camera", s.c.cfg.Name); {
	case now.Online:
		log.Info("camera online", "source", Redact(s.c.cfg.Source))
	case changed:
		log.Warn("camera offline, trying again until it is back", "source", Redact(s.c.cfg.Source), "reason", now.Reason)
	case !now.Old:
		log.Warn("camera still offline, by now for another reason", "reason", now.Reason)
	}
	s.c.cfg.tell(now)
}

// reasons are those that were told since a camera went away.
type reasons []string

// mostReasons are told, and no more until the camera has been back.
const mostReasons = 5

// news notes a reason, and tells whether it is one that was not told yet, whatever
// numbers it holds.
func (r *reasons) news(reason string) bool {
	kind := strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return -1
		}
		return c
	}, reason)
	if kind, _, _ = strings.Cut(kind, "; the stream has ended soon"); slices.Contains(*r, kind) || len(*r) >= mostReasons {
		return false
	}
	*r = append(*r, kind)
	return true
}

func (c Config) tell(s Status) {
	if c.OnStatus != nil {
		c.OnStatus(s)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
