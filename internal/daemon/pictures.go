package daemon

import (
	"slices"
	"sync"

	"edged"
	"edged/internal/stage"
	"edged/mqtt"
)

// outsiders counts pictures outside of their limits, by what was wrong with them.
type outsiders struct {
	mu sync.Mutex
	n  map[string]uint64
}

// add counts one picture, once for each of its reasons.
func (o *outsiders) add(reasons []edged.Reason) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.n == nil {
		o.n = map[string]uint64{}
	}
	o.n["unsure"]++
	for _, r := range reasons {
		o.n["unsure_"+r.Kind]++
	}
}

// copyTo adds what has occurred to counts.
func (o *outsiders) copyTo(counts map[string]uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for kind, n := range o.n {
		counts[kind] = n
	}
}

// pictures is what a camera's gauge tells of them.
func (u *unit) pictures() stage.PictureWatch {
	return stage.PictureWatch{Outside: u.outside.add, Changed: u.pictureChanged}
}

// pictureChanged publishes that pictures left their limits, or are back.
func (u *unit) pictureChanged(c stage.PictureChange) {
	u.log.Warn("quality of the picture", "message", c.Message)
	u.event(mqtt.Event{
		Kind: mqtt.EventQuality, Message: c.Message, Verdict: c.Verdict, Previous: c.Previous,
		Reasons: mqtt.Whys(nil, c.Reasons), PartID: c.PartID, TS: mqtt.Time{Time: c.At},
	})
}

// clearOverlays takes the overlays that a run before has left at the broker away,
// where there are to be none of their cameras from now on. The state folder knows.
func (d *Daemon) clearOverlays(on bool) {
	if !d.cfg.MQTT.Retain {
		return // none was retained
	}
	var keep []string
	if on {
		keep = d.cfg.Names()
	}
	d.stateMu.Lock()
	defer d.stateMu.Unlock()
	had := d.memory.file.Overlays
	for _, name := range had {
		if !slices.Contains(keep, name) {
			d.client.NoOverlay(name)
		}
	}
	if slices.Equal(had, keep) {
		return
	}
	d.memory.file.Overlays = keep
	if err := d.memory.save(); err != nil {
		d.log.Warn("state not saved: overlays may stay when they are switched off", "err", err.Error())
	}
}
