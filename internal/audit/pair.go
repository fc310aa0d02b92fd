package audit

import (
	"context"
	"errors"
	"math"
	"time"

	"edged"
	"edged/rewrite"
)

const (
	// sampleRuns and sampleTime bound how a margin is measured.
	sampleRuns = 48
	sampleTime = 300 * time.Millisecond

	// factor is how many times what was measured is allowed: the samples are noise.
	factor = 16

	// leastUlps is what is allowed at least where scores are floats, in units of
	// the last place of the largest: sums are taken in other orders.
	leastUlps = 256
	ulp       = 1.0 / (1 << 23)

	// mostShare is what is allowed at most, of the largest score; mostSteps where
	// scores are quantised. An engine that differs by more at load is wrong.
	mostShare = 1.0 / 256
	mostSteps = 8
)

// pair is the engine that answers and one that runs the baseline.
type pair struct {
	engine string // of the baseline, as it is asked for
	spots  *rewrite.Spots
	margin rewrite.Margin
}

// open takes the baseline out of the file, loads it on every engine that a
// child has tried it on, and measures what each pair of engines differs by.
func (a *Auditor) open(ctx context.Context) error {
	base, err := rewrite.InverseFile(a.cfg.Dense)
	if err != nil {
		return err
	}
	var first error
	for _, e := range a.cfg.Engines {
		if err := a.openPair(ctx, e, base); err != nil {
			if first == nil {
				first = err
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			a.cfg.Log.Debug("the audit does without an engine", "engine", e.Name, "reason", err.Error())
		}
	}
	a.cfg.Dense, a.cfg.Samples = nil, nil // nobody needs them any more
	if len(a.pairs) == 0 {
		return first
	}
	return nil
}

func (a *Auditor) openPair(ctx context.Context, e Engine, base []byte) error {
	if err := a.cfg.Try(ctx, e.Name, base); err != nil {
		return err
	}
	if a.cfg.Mark != nil {
		a.cfg.Mark(true)
		defer a.cfg.Mark(false)
	}
	s, err := rewrite.OpenSpots(base, a.cfg.Dense, a.cfg.Running, e.Open)
	if err != nil {
		return err
	}
	p := &pair{engine: e.Name, spots: s}
	p.margin.Classes = s.Engine() != a.cfg.Name
	if err := a.measure(p); err != nil {
		s.Close()
		return err
	}
	a.pairs = append(a.pairs, p)
	return nil
}

// measure sets p's margin by what the two engines differ by on the samples.
func (a *Auditor) measure(p *pair) error {
	var largest, size float64
	everything := rewrite.Margin{Score: math.Inf(1)}
	for _, sample := range a.cfg.Samples {
		end := time.Now().Add(sampleTime / time.Duration(len(a.cfg.Samples)))
		for run := 0; run < sampleRuns && (run == 0 || time.Now().Before(end)); run++ {
			spot, err := p.spots.Check(sample, everything, a.rand)
			if err != nil {
				return err
			}
			largest, size = max(largest, spot.Largest), max(size, spot.Size)
		}
	}
	if math.IsNaN(largest) || math.IsNaN(size) {
		return errors.New("the baseline's answer is not a number")
	}
	p.margin.Score, p.margin.Relative = marginFor(a.cfg.Running.Outputs[a.cfg.Running.Output], !p.margin.Classes, largest, size)
	a.cfg.Log.Debug("the audit's margin", "engines", a.pairName(p), "measured", largest, "margin", p.margin.Score)
	return nil
}

// marginFor is the margin of a score, and the share of the largest score at its
// position, for a difference measured among scores of a size. On one engine
// whole numbers are equal or wrong, unless some were seen to differ: its
// kernels for the two nets may round in two ways.
func marginFor(s edged.Spec, one bool, measured, size float64) (score, relative float64) {
	if s.Type != edged.Float32 {
		step := float64(s.Quant.Scale)
		if one && measured == 0 {
			return step / 2, 0
		}
		return min(max(factor*measured, step), mostSteps*step) * (1 + ulp), 0 // scores are computed from steps
	}
	return min(max(factor*measured, leastUlps*ulp*size), mostShare*size), leastUlps * ulp
}
