package stage

import (
	"fmt"
	"slices"
	"time"

	"edged"
	"edged/internal/config"
	"edged/internal/pipeline"
	"edged/internal/quality"
)

// calm is how long pictures must be within their limits to be called so again: at a
// limit they go back and forth, and each time is no news.
const calm = 2 * time.Second

// PictureChange is a camera's pictures leaving their limits, or being within them
// again.
type PictureChange struct {
	Message  string
	Verdict  string // Unsure, or the one of the first picture within them
	Previous string
	Reasons  []edged.Reason
	PartID   string
	At       time.Time // of the frame
}

// PictureWatch is told of pictures outside of their limits.
type PictureWatch struct {
	Outside func(reasons []edged.Reason) // each of them; the reasons are lent
	Changed func(PictureChange)
}

// gauge is the judge of a camera whose pictures have limits. Outside of them the
// verdict is Unsure at once: the rules, and their hold, do not see such a picture.
type gauge struct {
	meter    quality.Meter
	limits   quality.Limits
	rules    pipeline.Judge // nil: there are none
	watch    PictureWatch
	measured edged.Quality

	out      bool
	count    int       // of pictures outside, since they left
	last     time.Time // of the latest outside
	previous string    // the verdict before
}

// NewGauge puts the limits of cam's pictures before its rules, which may be nil.
// Without limits it is the rules.
func NewGauge(cam *config.Camera, rules pipeline.Judge, watch PictureWatch) pipeline.Judge {
	if cam.Quality == nil || !cam.Quality.Limits().Any() {
		return rules
	}
	g := &gauge{limits: cam.Quality.Limits(), rules: rules, watch: watch}
	g.meter.Repeats = g.limits.Frozen > 0
	return g
}

// Last implements pipeline.Follower: what the rules said last.
func (g *gauge) Last() string {
	if f, ok := g.rules.(pipeline.Follower); ok {
		return f.Last()
	}
	return ""
}

// Follow implements pipeline.Follower.
func (g *gauge) Follow(last string) {
	if f, ok := g.rules.(pipeline.Follower); ok {
		f.Follow(last)
	}
}

// Judge implements pipeline.Judge.
func (g *gauge) Judge(p *pipeline.Result) {
	g.measured = g.meter.Measure(p.Frame, quality.Rect(p.Stage.Prepare.Seen()))
	p.Quality = &g.measured
	p.Reasons = g.limits.Outside(p.Reasons[:0], &g.measured)
	if len(p.Reasons) > 0 {
		p.Verdict = pipeline.Unsure
		g.outside(p)
		return
	}
	if g.rules != nil {
		g.rules.Judge(p)
	}
	g.within(p)
	g.previous = p.Verdict
}

// outside counts a picture and tells of the first.
func (g *gauge) outside(p *pipeline.Result) {
	g.last = p.Frame.Time
	g.count++
	g.watch.Outside(p.Reasons)
	if g.out {
		return
	}
	g.out = true
	g.watch.Changed(PictureChange{
		Message: "the picture is outside of its limits: " + p.Reasons[0].Text,
		Verdict: p.Verdict, Previous: g.previous, Reasons: slices.Clone(p.Reasons), PartID: p.PartID, At: p.Frame.Time,
	})
}

// within tells of the first picture after calm was restored.
func (g *gauge) within(p *pipeline.Result) {
	if !g.out || p.Frame.Time.Sub(g.last) < calm {
		return
	}
	g.watch.Changed(PictureChange{
		Message: fmt.Sprintf("the pictures are within their limits again; %d were not", g.count),
		Verdict: p.Verdict, Previous: pipeline.Unsure, PartID: p.PartID, At: p.Frame.Time,
	})
	g.out, g.count = false, 0
}
