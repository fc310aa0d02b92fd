package pipeline

import (
	"edged"
)

// Witness sees what a frame became and what came of it, on the frame's path: it
// copies what it wants and never waits. All that it is shown is lent.
type Witness interface {
	// Prepared shows the engine's input, before the engine runs. What follows may
	// be a frame that is refused, and then the next Prepared.
	Prepared(input []byte)
	// Answered shows the result, and the output that its mask was made from.
	Answered(r *Result, output []byte)
}

func (c *Camera) prepared(input []byte) {
	for _, w := range [2]Witness{c.stage.Witness, c.Witness} {
		if w != nil {
			w.Prepared(input)
		}
	}
}

func (c *Camera) answered() {
	for _, w := range [2]Witness{c.stage.Witness, c.Witness} {
		if w != nil {
			w.Answered(&c.result, c.stage.lookedAt())
		}
	}
}

// judge fills in the verdict. While the model is in doubt its masks are no ground
// for one, and the rules do not see them.
func (c *Camera) judge() {
	if !c.doubtful() && c.stage.Judge != nil {
		c.stage.Judge.Judge(&c.result)
	}
}

// doubtful tells whether the model is in doubt; the verdict says so then.
func (c *Camera) doubtful() bool {
	why := c.stage.doubt.Load()
	if why != nil {
		c.result.Verdict, c.result.Reasons = Unsure, append(c.result.Reasons[:0], *why)
	}
	return why != nil
}

// Unsure is the verdict on what cannot be trusted.
const Unsure = "unsure"

// Doubt makes every verdict of the stage Unsure, for one reason. Any goroutine
// may call it.
func (s *Stage) Doubt(why edged.Reason) { s.doubt.Store(&why) }

// DoubtAs takes over what verdicts of another stage of the same model on the same
// engine are doubted for, if they are.
func (s *Stage) DoubtAs(other *Stage) { s.doubt.Store(other.doubt.Load()) }

// Doubted tells whether Doubt was called.
func (s *Stage) Doubted() bool { return s.doubt.Load() != nil }

// Limit is, where the output has one channel, the least value that means class 1.
func (m *Masker) Limit() float64 { return m.cfg.limit() }

// Place is where position (y, x) of the output lies in the mask.
func (m *Masker) Place(y, x int) (row, col int) {
	switch m.cfg.Rotate {
	case 90:
		return m.w - 1 - x, y
	case 180:
		return m.h - 1 - y, m.w - 1 - x
	case 270:
		return x, m.h - 1 - y
	}
	return y, x
}

// Look runs a stage that no camera runs on a frame. The mask is lent until the
// next call.
func (s *Stage) Look(f *edged.Frame) (*edged.Mask, error) {
	if s.outputs == nil {
		s.input, s.outputs = s.Engine.Input(0), s.Engine.Outputs()
	}
	if s.Unfit != nil {
		return nil, s.Unfit
	}
	if s.Prepare.cfg.Fit == Tile {
		if err := s.prepare(f); err != nil {
			return nil, err
		}
		if _, err := s.runTiles(f, s.Engine.Run, nil); err != nil {
			return nil, err
		}
		m := s.Mask.end()
		m.Grid = s.Prepare.Place(s.Grid, s.Prepare.cut.size[0], s.Prepare.cut.size[1])
		return m, nil
	}
	if err := s.prepare(f); err != nil {
		return nil, err
	}
	if err := s.Engine.Run(); err != nil {
		return nil, err
	}
	if err := s.checkNumbers(); err != nil {
		return nil, err
	}
	m := s.Mask.Make(s.Engine.Output(s.Output))
	m.Grid = s.Prepare.Place(s.Grid, s.Mask.h, s.Mask.w)
	return m, nil
}

// prepare reads a frame, or, where it is cut into tiles, looks whether it can be.
func (s *Stage) prepare(f *edged.Frame) error {
	if s.Prepare.cfg.Fit == Tile {
		return s.Prepare.meet(f)
	}
	return s.Prepare.Prepare(s.input, f)
}

// lookedAt is the output that belongs to the input that was shown.
func (s *Stage) lookedAt() []byte {
	if s.Prepare.cfg.Fit == Tile {
		return s.looked
	}
	return s.Engine.Output(s.Output)
}

// scores are the last mask's.
func (s *Stage) scores() []float32 {
	if s.Prepare.cfg.Fit == Tile {
		return s.Mask.whole.scores
	}
	return s.Mask.Scores()
}
