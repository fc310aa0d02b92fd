package capture

import (
	"fmt"
	"regexp"
	"time"
)

// brief knows a stream that ends soon after each opening: one that is refused by
// a camera with too many viewers, say. A good frame alone proves nothing then:
// only a stream that lasts is one that is back, and the waits grow until it does.
type brief struct {
	least, most time.Duration // a stream must last, the more often it did not
	times       int           // in a row
	opened      time.Time     // zero: none is open
}

func newBrief(cfg Config) brief { return brief{least: 2 * cfg.RetryMin, most: cfg.CrashMax} }

// soon is how long a stream lasts that ends soon.
func (b *brief) soon() time.Duration { return 5 * b.least }

// begin notes that a stream is open.
func (b *brief) begin(now time.Time) { b.opened = now }

// ended notes that the stream which was open has ended after so many good frames.
func (b *brief) ended(now time.Time, good uint64) {
	switch {
	case b.opened.IsZero() || good == 0:
	case now.Sub(b.opened) < b.soon():
		b.times++
	default:
		b.times = 0
	}
	b.opened = time.Time{}
}

// lasts tells whether the stream that is open has lasted long enough to be
// believed.
func (b *brief) lasts(now time.Time) bool {
	return b.times == 0 || now.Sub(b.opened) >= min(b.least<<min(b.times-1, 16), b.most)
}

// tell adds to a reason how often it has come.
func (b *brief) tell(reason string) string {
	if b.times < 2 {
		return reason
	}
	return fmt.Sprintf("%s; the stream has ended soon after opening %d times in a row", reason, b.times)
}

// keyless matches what a video decoder says to which packets come and no key
// frame, or none of the parameters that come with one, and what the worker says where
// the decoder is silent.
var keyless = regexp.MustCompile(`no picture of \d+ bytes|non-existing [PSV]PS|no frame!|[PSV]PS id out of range|PPS id .* not available|Missing reference picture|unspecified size|Could not find codec parameters|Error constructing the frame RPS`)

// keyFrames adds to a reason that pictures lack key frames alone, when they do.
func (s *session) keyFrames(reason string) string {
	if s.c.kind != RTSP || s.good > s.goodBefore || !keyless.MatchString(s.p.Words()) {
		return reason
	}
	return reason + "; packets come, but no key frame to begin with: set the camera's key frame interval (GOP, I-frame interval) to 1 or 2 seconds"
}
