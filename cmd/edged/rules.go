package main

import (
	"fmt"
	"slices"

	"edged/internal/pipeline"
	"edged/internal/verdict"
	"edged/mqtt"
)

// ruler is the pipeline's judge: it applies a camera's rules and tells of
// changes.
type ruler struct {
	judge   *verdict.Judge
	changed func(mqtt.Event)
}

// newRuler matches the rules with the labels of the model in use; without
// rules it is nil.
func newRuler(cam *CameraConfig, labels []string, changed func(mqtt.Event)) (pipeline.Judge, error) {
	if len(cam.Rules) == 0 {
		return nil, nil
	}
	var rules []verdict.Rule
	for _, r := range cam.Rules {
		id := slices.Index(labels, r.Class)
		if id < 0 {
			return nil, fmt.Errorf("camera %s: a rule names the class %q, the model has %q", cam.Name, r.Class, labels)
		}
		rules = append(rules, r.rule(id))
	}
	j, err := verdict.New(rules)
	if err != nil {
		return nil, fmt.Errorf("camera %s: %w", cam.Name, err)
	}
	return &ruler{j, changed}, nil
}

// rule is the verdict package's view of a rule on class id.
func (r *RuleConfig) rule(id int) verdict.Rule {
	return verdict.Rule{
		Class: uint8(id), Name: r.Class, MinScore: r.MinScore, MinAreaPx: r.MinAreaPx,
		MaxTotalRatio: r.MaxTotalRatio, MaxCount: r.MaxCount, Hold: r.Hold, Verdict: r.Verdict,
	}
}

// Judge implements pipeline.Judge.
func (r *ruler) Judge(p *pipeline.Result) {
	o := r.judge.Judge(p.Mask, p.Scores)
	p.Verdict = o.Verdict
	p.Reasons = append(p.Reasons[:0], o.Reasons...)
	if o.Changed {
		r.changed(mqtt.Event{
			Kind: mqtt.EventVerdict, Message: fmt.Sprintf("verdict %s, before %s", o.Verdict, o.Previous),
			Verdict: o.Verdict, Previous: o.Previous, Reasons: mqtt.Whys(nil, o.Reasons), PartID: p.PartID,
			TS: mqtt.Time{Time: p.Frame.Time},
		})
	}
}
