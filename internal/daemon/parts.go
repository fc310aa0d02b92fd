package daemon

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"edged/capture"
	"edged/internal/pipeline"
	"edged/mqtt"
)

const (
	// lossBurst is how many of a triggered camera's lost pictures have an event each
	// within lossWindow; what is beyond is told at the window's end, with its number.
	lossBurst  = 20
	lossWindow = 10 * time.Second
)

// partLosses tells of pictures of a triggered camera, or a folder, that led to no result: no part
// goes by without a word, and a camera that gives nothing but damage floods nobody.
type partLosses struct {
	tell func(message, partID string, at time.Time)

	mu     sync.Mutex
	told   int
	folded map[string]uint64 // by reason
	window *time.Timer
}

// add tells of n pictures, now or at the end of the window.
func (p *partLosses) add(reason string, n uint64, partID string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.window == nil {
		p.told, p.folded = 0, map[string]uint64{}
		p.window = time.AfterFunc(lossWindow, p.flush)
	}
	if p.told++; p.told > lossBurst {
		p.folded[reason] += n
		return
	}
	p.tell(lossText(map[string]uint64{reason: n}), partID, at)
}

// flush ends the window.
func (p *partLosses) flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.window == nil {
		return
	}
	p.window.Stop()
	p.window = nil
	if len(p.folded) > 0 {
		p.tell(lossText(p.folded), "", time.Now())
	}
}

// lossText says how many pictures were lost and why.
func lossText(by map[string]uint64) string {
	var whys []string
	n := uint64(0)
	for _, reason := range slices.Sorted(maps.Keys(by)) {
		n += by[reason]
		whys = append(whys, reason)
		if len(by) > 1 {
			whys[len(whys)-1] += fmt.Sprintf(" %d", by[reason])
		}
	}
	if n == 1 {
		return "a picture that may be a part's led to no result: " + whys[0]
	}
	return fmt.Sprintf("%d pictures that may be parts' led to no result: %s", n, strings.Join(whys, ", "))
}

// partLost counts and tells of pictures that may each have been a part's.
func (u *unit) partLost(reason string, n uint64, partID string, at time.Time) {
	u.camera.CountMissed(n)
	u.lossesOf.add(reason, n, partID, at)
}

// tellLoss is what partLosses does with its words.
func (u *unit) tellLoss(message, partID string, at time.Time) {
	u.log.Warn("trigger missed", "part_id", partID, "reason", message)
	u.event(mqtt.Event{Kind: mqtt.EventMissedTrigger, Message: message, PartID: partID, TS: mqtt.Time{Time: at}})
}

// onLoss hears of pictures that the camera's side refused or passed over.
func (u *unit) onLoss(l capture.Loss) { u.partLost(l.Reason, l.N, l.File, l.At) }

// refusedPart tells of a triggered camera's picture that the loop has refused.
func (u *unit) refusedPart(r *pipeline.Refused) {
	if u.cfg.Triggered() || u.files != nil && u.files.File() != "" {
		u.partLost(r.Why.String(), 1, r.Frame.PartID, r.Frame.Time)
	}
}
