package stage

import (
	"fmt"
	"slices"
	"time"

	"edged"
	"edged/internal/config"
	"edged/internal/pipeline"
	"edged/internal/verdict"
	"edged/internal/zones"
)

// Change is a verdict that differs from the frame's before.
type Change struct {
	Verdict, Previous string
	Reasons           []edged.Reason
	PartID            string
	At                time.Time // of the frame
}

// ruler is the pipeline's judge: it applies a camera's rules and tells of
// changes.
type ruler struct {
	judge   *verdict.Judge
	changed func(Change)
}

// NewRuler matches the rules with the labels of the model in use; without
// rules it is nil. changed is told of each verdict that differs from the one before,
// blind of each zone that holds no position of the masks; nil: nobody is. held are the
// camera's zones as they are at any time; nil: as the config says.
func NewRuler(cam *config.Camera, labels []string, held *zones.Holder, changed func(Change), blind func(zone string)) (pipeline.Judge, error) {
	if len(cam.Rules) == 0 {
		return nil, nil
	}
	var rules []verdict.Rule
	for _, r := range cam.Rules {
		id := slices.Index(labels, r.Class)
		if id < 0 {
			return nil, fmt.Errorf("camera %s: a rule names the class %q, the model has %q", cam.Name, r.Class, labels)
		}
		rules = append(rules, r.Rule(id))
	}
	j, err := verdict.New(rules)
	if err != nil {
		return nil, fmt.Errorf("camera %s: %w", cam.Name, err)
	}
	if held == nil {
		set, err := cam.ZoneSet()
		if err != nil {
			return nil, fmt.Errorf("camera %s: %w", cam.Name, err)
		}
		held = zones.NewHolder(set)
	}
	j.Zones, j.Blind = held, blind
	return &ruler{j, changed}, nil
}

// Last implements pipeline.Follower.
func (r *ruler) Last() string { return r.judge.Last() }

// Follow implements pipeline.Follower.
func (r *ruler) Follow(last string) { r.judge.Follow(last) }

// Judge implements pipeline.Judge.
func (r *ruler) Judge(p *pipeline.Result) { r.say(p, r.judge.Judge(p.Mask, p.Scores)) }

// Torn implements pipeline.PartJudge.
func (r *ruler) Torn(p *pipeline.Result) {
	o := r.judge.Unseen(p.Verdict)
	o.Reasons = p.Reasons
	r.tell(p, o)
}

// say fills in what the rules say.
func (r *ruler) say(p *pipeline.Result, o verdict.Outcome) {
	p.Verdict = o.Verdict
	p.Reasons = append(p.Reasons[:0], o.Reasons...)
	p.Blobs, p.BlobsTotal = within(o.Blobs, p.Frame), o.BlobsTotal
	r.tell(p, o)
}

// tell tells of a verdict that differs from the one before.
func (r *ruler) tell(p *pipeline.Result, o verdict.Outcome) {
	if o.Changed {
		r.changed(Change{o.Verdict, o.Previous, slices.Clone(o.Reasons), p.PartID, p.Frame.Time})
	}
}

// Rows implements pipeline.PartJudge.
func (r *ruler) Rows(p *pipeline.Result) {
	if p.Line.Starts {
		r.judge.Begin(p.Line.Before)
	}
	o := r.judge.Rows(p.Mask, p.Scores)
	p.Blobs, p.BlobsTotal = within(o.Blobs, p.Frame), o.BlobsTotal
}

// Part implements pipeline.PartJudge.
func (r *ruler) Part(p *pipeline.Result) { r.say(p, r.judge.End(p.Line.Behind)) }

// within cuts the boxes to what the frame has: a coarse mask's last positions
// may reach over its edge.
func within(blobs []edged.Blob, f *edged.Frame) []edged.Blob {
	w, h := f.Full()
	for i := range blobs {
		b := &blobs[i]
		b.X, b.Y = min(b.X, w-1), min(b.Y, h-1)
		b.W, b.H = min(b.W, w-b.X), min(b.H, h-b.Y)
	}
	return blobs
}
