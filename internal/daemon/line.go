package daemon

import (
	"slices"

	"edged"
	"edged/capture"
	"edged/internal/config"
	"edged/internal/metrics"
	"edged/internal/page"
	"edged/mqtt"
)

// unchecked switches a check of capture's off.
const unchecked = -1

// lineSource is c as a line camera's strips are read: all of them, in order, however
// long they waited, and even where the belt is empty for long.
func lineSource(cam *config.Camera, c capture.Config) capture.Config {
	if cam.Line == nil {
		return c
	}
	c.Keep = true
	c.MaxAge, c.StallAfter, c.FrozenAfter = unchecked, unchecked, unchecked
	return c
}

// lineStats is a line camera's account of rows; nil: it is none.
func (u *unit) lineStats() *mqtt.LineStats {
	if u.cfg.Line == nil {
		return nil
	}
	n := u.camera.LineCounts()
	results := uint64(u.timing.count())
	s := &mqtt.LineStats{Read: n.Read, Computed: n.Computed, Published: n.Published, Results: results,
		Lost: occurred(map[string]uint64{"border": n.Border, "refused": n.Refused, "disabled": n.Disabled})}
	u.mu.Lock()
	defer u.mu.Unlock()
	if strips, ok := u.source.(*capture.Strips); ok {
		_, s.Missing = strips.Rows()
		s.Holes = strips.Holes()
	}
	return s
}

// lineMetrics is a line camera's account for /metrics; nil: it is none.
func lineMetrics(s *mqtt.LineStats) *metrics.Rows {
	if s == nil {
		return nil
	}
	r := &metrics.Rows{Read: s.Read, Missing: s.Missing, Holes: s.Holes, ByFate: map[string]uint64{"published": s.Published}}
	for why, n := range s.Lost {
		r.ByFate[why] = n
	}
	return r
}

// unsettled tells whether rows wait, or are not accounted for.
func unsettled(s *mqtt.LineStats) bool {
	return s != nil && s.Read != s.Published+s.Lost["border"]+s.Lost["refused"]+s.Lost["disabled"]
}

// partSaid is what was said of a line camera's last part: that stands until the next
// is whole.
type partSaid struct {
	verdict, part string
	reasons       []edged.Reason
}

// hold notes what a result that ends a part says, and has others say it again.
func (p *partSaid) hold(s *page.Shot, ends bool) {
	if ends {
		*p = partSaid{s.Verdict, s.PartID, slices.Clone(s.Reasons)}
		return
	}
	s.Held, s.Open = true, p.verdict == ""
	if !s.Open {
		s.Verdict, s.Reasons, s.PartID = p.verdict, p.reasons, p.part
	}
}
