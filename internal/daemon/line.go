package daemon

import (
	"edged/capture"
	"edged/internal/config"
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
	c.EveryFrame = true
	c.MaxAge, c.StallAfter, c.FrozenAfter = unchecked, unchecked, unchecked
	return c
}

// lineStats is a line camera's account of rows; nil: it is none.
func (u *unit) lineStats() *mqtt.LineStats {
	if u.cfg.Line == nil {
		return nil
	}
	n := u.camera.LineCounts()
	s := &mqtt.LineStats{Read: n.Read, Computed: n.Computed, Published: n.Published,
		Lost: occurred(map[string]uint64{"border": n.Border, "refused": n.Refused, "disabled": n.Disabled})}
	u.mu.Lock()
	defer u.mu.Unlock()
	if strips, ok := u.source.(*capture.Strips); ok {
		_, s.Missing = strips.Rows()
	}
	return s
}
