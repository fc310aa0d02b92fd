package daemon

import (
	"edged/capture"
	"edged/internal/config"
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
