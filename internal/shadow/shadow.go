// Package shadow runs a second model on frames that a camera has just answered,
// in spare time, and compares class by class and verdict by verdict. Nothing of
// it reaches a result.
package shadow

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"edged"
	"edged/internal/pipeline"
	"edged/internal/spare"
)

// Slot is the one frame that a shadow looks at, with what the model in use made
// of it: copied on the frame's path when it is wanted.
type Slot struct {
	want atomic.Bool
	full chan struct{}

	frame  edged.Frame // the shadow's own while want is false and the slot was full
	mask   edged.Mask
	scores []float32
	labels []string
	took   time.Duration
}

// NewSlot is a slot that nobody wants filled.
func NewSlot() *Slot { return &Slot{full: make(chan struct{}, 1)} }

// Prepared implements pipeline.Witness.
func (s *Slot) Prepared([]byte) {}

// Answered implements pipeline.Witness.
func (s *Slot) Answered(r *pipeline.Result, _ []byte) {
	if !s.want.CompareAndSwap(true, false) {
		return
	}
	began := time.Now()
	pix := append(s.frame.Pix[:0], r.Frame.Pix...)
	s.frame = *r.Frame
	s.frame.Pix = pix
	pix = append(s.mask.Pix[:0], r.Mask.Pix...)
	s.mask = *r.Mask
	s.mask.Pix = pix
	s.scores = append(s.scores[:0], r.Scores...)
	if r.Scores == nil {
		s.scores = nil
	}
	s.labels = r.Stage.Labels
	s.took = time.Since(began)
	s.full <- struct{}{} // it is empty: somebody has asked for one
}

// Config says which model runs and who counts.
type Config struct {
	Stage   *pipeline.Stage // the shadow's, closed by Run
	Slot    *Slot           // of the camera
	Share   *spare.Share
	Idle    func() bool
	Account *Account
	Log     *slog.Logger
	Mark    func(running bool) // notes on disk that the shadow is at work, should it end the process
	// Judge is the camera's rules for labels, without a memory of other frames.
	Judge func(labels []string) (pipeline.Judge, error)
}

// runner is a shadow that runs.
type runner struct {
	Config
	own, live pipeline.Judge
	liveOf    []string // the labels that live is for
	failing   bool
	asked     bool // the slot is wanted, or being filled, or full
}

// Run compares until ctx is done.
func Run(ctx context.Context, c Config) {
	r := &runner{Config: c}
	defer c.Stage.Engine.Close()
	defer r.leave()
	var err error
	if r.own, err = c.Judge(c.Stage.Labels); err != nil {
		c.Log.Error("the shadow's verdicts are not compared", "err", err.Error())
	}
	for r.next(ctx) == nil {
		if _, err := c.Share.Do(ctx, c.Idle, r.compare); err != nil {
			return
		}
	}
}

// leave gives back a slot that may still be filled.
func (r *runner) leave() {
	if r.asked && !r.Slot.want.CompareAndSwap(true, false) {
		<-r.Slot.full // it was being filled: the next shadow must not find that
	}
}

// next waits for an answered frame.
func (r *runner) next(ctx context.Context) error {
	if _, err := r.Share.Do(ctx, nil, func() { r.asked = true; r.Slot.want.Store(true) }); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-r.Slot.full:
		r.asked = false
		r.Share.Spent(r.Slot.took)
		return nil
	}
}

// compare runs the shadow on the frame in the slot.
func (r *runner) compare() {
	r.Mark(true)
	mask, err := r.Stage.Look(&r.Slot.frame)
	r.Mark(false)
	if err != nil {
		if r.Account.failed(); !r.failing {
			r.Log.Warn("the shadow fails on a frame that the model in use answered", "err", err.Error())
		}
		r.failing = true
		return
	}
	r.failing = false
	r.Account.add(tally(&r.Slot.mask, r.Slot.labels, mask, r.Stage.Labels), r.verdictsDiffer(mask))
}

// verdictsDiffer tells whether the rules say another word of the shadow's mask
// than of the model's in use, both of this one frame.
func (r *runner) verdictsDiffer(mask *edged.Mask) bool {
	if r.own == nil {
		return false
	}
	if r.live == nil || !slices.Equal(r.liveOf, r.Slot.labels) {
		var err error
		if r.live, err = r.Judge(r.Slot.labels); err != nil || r.live == nil {
			r.live = nil
			return false
		}
		r.liveOf = r.Slot.labels
	}
	a := pipeline.Result{Frame: &r.Slot.frame, Mask: &r.Slot.mask, Scores: r.Slot.scores}
	b := pipeline.Result{Frame: &r.Slot.frame, Mask: mask, Scores: r.Stage.Mask.Scores()}
	r.live.Judge(&a)
	r.own.Judge(&b)
	return a.Verdict != b.Verdict
}
