package pipeline

import (
	"errors"
	"time"

	"edged"
)

// serve brings one frame to the sink, or refuses it.
func (c *Camera) serve(f *edged.Frame, shot Shot) {
	if f.Pix == nil {
		return
	}
	if c.passesOver(f) {
		c.counts.passedOver.Add(1)
		if !shot.Deadline.IsZero() {
			c.miss(shot, Disabled)
		}
		return
	}
	if why, err := c.infer(f); err != nil {
		c.refuse(f, shot, why, err)
		return
	}
	c.describe(f, shot)
	c.judge()
	c.answered()
	c.progress.enter(Publishing)
	c.Sink.Publish(&c.result)
	c.counts.published.Add(1)
	c.progress.done()
}

// infer fills in the result's mask and what making it took.
func (c *Camera) infer(f *edged.Frame) (Refusal, error) {
	r, s := &c.result, c.stage
	start := c.progress.enter(Preparing)
	if err := s.prepare(f); err != nil {
		return refusalOf(err), err
	}
	prepared := c.progress.enter(Inferring)
	if s.Unfit != nil {
		return RefusedNumber, s.Unfit
	}
	if s.Prepare.cfg.Fit == Tile {
		return c.inferTiles(f, start, prepared)
	}
	c.prepared(s.input)
	if err := c.run(s); err != nil {
		return RefusedEngine, err
	}
	inferred := c.progress.enter(Masking)
	if err := s.checkNumbers(); err != nil {
		return RefusedNumber, err
	}
	// TFLite may place an output anew on every run, so it is asked for here.
	r.Mask = s.Mask.Make(s.Engine.Output(s.Output))
	r.Mask.Grid = s.Prepare.Place(s.Grid, s.Mask.h, s.Mask.w)
	masked := c.progress.enter(Masking)
	r.Prepare, r.Infer, r.MaskTime = prepared.Sub(start), inferred.Sub(prepared), masked.Sub(inferred)
	r.Age = masked.Sub(f.Time)
	return 0, nil
}

// inferTiles is infer for a frame that is larger than the model.
func (c *Camera) inferTiles(f *edged.Frame, start, prepared time.Time) (Refusal, error) {
	r, s := &c.result, c.stage
	if why, err := s.runTiles(f, c.runStage, c.showTile); err != nil {
		return why, err
	}
	inferred := c.progress.enter(Masking)
	r.Mask = s.Mask.end()
	r.Mask.Grid = s.Prepare.Place(s.Grid, s.Prepare.cut.size[0], s.Prepare.cut.size[1])
	masked := c.progress.enter(Masking)
	r.Prepare, r.Infer, r.MaskTime = prepared.Sub(start), inferred.Sub(prepared), masked.Sub(inferred)
	r.Age = masked.Sub(f.Time)
	return 0, nil
}

// describe fills in the rest of the result.
func (c *Camera) describe(f *edged.Frame, shot Shot) {
	r, s := &c.result, c.stage
	c.seq++
	r.Camera, r.Seq, r.Frame, r.Stage = c.Name, c.seq, f, s
	r.Pixels = countPixels(r.Pixels, r.Mask, len(s.Labels))
	r.Scores = s.scores()
	r.PartID = f.PartID
	if shot.PartID != "" {
		r.PartID = shot.PartID
	}
	r.Verdict, r.Reasons = "", r.Reasons[:0]
	r.Blobs, r.BlobsTotal, r.Quality, r.Line = nil, 0, nil, nil
}

// refuse counts a frame that led to no result, and says why.
func (c *Camera) refuse(f *edged.Frame, shot Shot, why Refusal, err error) {
	c.counts.refused[why].Add(1)
	if c.Refused != nil {
		c.Refused(&Refused{Frame: f, Why: why, Err: err})
	}
	if why != RefusedNumber {
		c.Log.Error("frame refused", "camera", c.Name, "reason", why.String(), "err", err.Error())
	} else {
		c.tellNumberless(err)
	}
	if !shot.Deadline.IsZero() {
		c.miss(shot, "frame refused: "+why.String())
	}
	c.progress.done()
}

// run runs the stage's engine and says so. A panic must find it working: nothing
// is deferred.
func (c *Camera) run(s *Stage) error {
	if c.Working == nil {
		return s.Engine.Run()
	}
	c.Working(s, true)
	err := s.Engine.Run()
	c.Working(s, false)
	return err
}

func refusalOf(err error) Refusal {
	switch {
	case errors.Is(err, ErrTooSmall):
		return RefusedTooSmall
	case errors.Is(err, ErrROI):
		return RefusedROI
	}
	return RefusedDamaged
}
