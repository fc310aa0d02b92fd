// Package audit has a node check its own answers: in spare time it takes a frame
// that was just answered, runs the baseline that the dense file inverts to on
// parts of it, and compares with the scores behind the published mask.
package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"math/rand/v2"
	"time"

	"edged"
	"edged/internal/pipeline"
	"edged/internal/spare"
	"edged/rewrite"
)

const (
	// runsPerFrame and timePerFrame bound what is done on one frame before the
	// next is taken: where one run shows one position, and where it shows many.
	runsPerFrame = 8
	timePerFrame = 20 * time.Millisecond

	// otherEvery is every which run is done on another engine, in turn.
	otherEvery = 8

	// doubtAfter is how many frames in a row must differ before the model's
	// verdicts are not believed.
	doubtAfter = 3

	// quiet is how long no difference is told after one was.
	quiet = time.Minute

	// agreeRuns is how many runs must agree with an engine before it takes over.
	agreeRuns = 64
)

// Engine is one that can run the baseline.
type Engine struct {
	Name string // as it is asked for
	Open edged.Opener
}

// Answer is what an engine was given and what it said; Running is what it says
// of itself.
type (
	Answer  = rewrite.Answer
	Running = rewrite.Running
)

// Config says what is audited, and who is told.
type Config struct {
	Dense   []byte // the model's file
	Running Running
	Name    string   // of the engine that answers
	Samples []Answer // what it said when it was loaded: the margins are measured on them
	Prepare pipeline.PrepareConfig
	Engines []Engine // the one that answers first
	Try     func(ctx context.Context, engine string, base []byte) error
	Share   *spare.Share
	Idle    func() bool // a good moment; nil: any
	Log     *slog.Logger
	Account *Account

	Differs func(Finding)                  // something differs: told at most once a minute
	Doubted func(context.Context, Finding) // so many frames in a row that the answers are not to be believed
}

// Finding is a difference beyond the margin, the largest of its frame.
type Finding struct {
	Seq        uint64 // of the result
	Time       time.Time
	PartID     string
	Row, Col   int       // of the mask
	Engines    [2]string // that answered, that ran the baseline
	Difference float64
	Margin     float64
	Picture    *image.NRGBA // what the baseline saw
}

// Auditor audits one loaded model.
type Auditor struct {
	cfg   Config
	slot  *slot
	pairs []*pair
	rand  *rand.Rand

	run   int
	row   int // frames in a row that differ
	told  time.Time
	doubt bool
}

// New lays out an audit. Nothing is loaded before Run.
func New(c Config) *Auditor {
	return &Auditor{cfg: c, slot: newSlot(), rand: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))}
}

// Witness is what the model's stage has to show its frames.
func (a *Auditor) Witness() pipeline.Witness { return a.slot }

// Run audits until ctx is done, or at once says why it cannot.
func (a *Auditor) Run(ctx context.Context) {
	defer a.close()
	if err := a.open(ctx); err != nil {
		if ctx.Err() == nil {
			a.cfg.Account.turnOff(err)
			a.cfg.Log.Warn("this model's answers are not audited", "reason", err.Error())
		}
		return
	}
	for a.next(ctx) == nil {
		if err := a.frame(ctx); err != nil && ctx.Err() == nil {
			a.cfg.Account.turnOff(err)
			a.cfg.Log.Error("the audit has ended", "err", err.Error())
			return
		}
	}
}

// next waits for an answered frame.
func (a *Auditor) next(ctx context.Context) error {
	if _, err := a.cfg.Share.Do(ctx, nil, func() { a.slot.want.Store(true) }); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-a.slot.full:
		a.cfg.Share.Spent(a.slot.took)
		return nil
	}
}

// frame asks the baseline about places of the frame in the slot.
func (a *Auditor) frame(ctx context.Context) error {
	var worst rewrite.Spot
	var by *pair
	var failed error
	spent := time.Duration(0)
	for run := 0; run < runsPerFrame && spent < timePerFrame; run++ {
		p := a.choose()
		took, err := a.cfg.Share.Do(ctx, a.cfg.Idle, func() {
			var spot rewrite.Spot
			spot, failed = p.spots.Check(a.slot.answer, p.margin, a.rand)
			a.cfg.Account.add(a.pairName(p), spot)
			if spot.Differing > 0 && (by == nil || spot.Differs > worst.Differs) {
				worst, by = spot, p
			}
		})
		if spent += took; err != nil || failed != nil {
			return cmp.Or(failed, err)
		}
	}
	a.cfg.Account.frame()
	a.judge(ctx, worst, by)
	return nil
}

// choose is the engine of the next run: mostly the one that answers, now and
// then another.
func (a *Auditor) choose() *pair {
	a.run++
	if n := len(a.pairs); n > 1 && a.run%otherEvery == 0 {
		return a.pairs[1+(a.run/otherEvery)%(n-1)]
	}
	return a.pairs[0]
}

func (a *Auditor) pairName(p *pair) string { return a.cfg.Name + "/" + p.spots.Engine() }

// judge tells what came of a frame.
func (a *Auditor) judge(ctx context.Context, worst rewrite.Spot, by *pair) {
	if by == nil {
		a.row = 0
		return
	}
	a.row++
	now := time.Now()
	if told := now.Sub(a.told) < quiet; told && (a.row < doubtAfter || a.doubt) {
		return
	}
	f := a.finding(worst, by)
	if a.row < doubtAfter || a.doubt {
		a.told = now
		a.cfg.Differs(f)
		return
	}
	a.doubt, a.told = true, now
	a.cfg.Doubted(ctx, f)
}

func (a *Auditor) finding(worst rewrite.Spot, by *pair) Finding {
	s := a.slot
	f := Finding{
		Seq: s.seq, Time: s.at, PartID: s.part, Engines: [2]string{a.cfg.Name, by.spots.Engine()},
		Difference: worst.Differs, Margin: by.margin.Score,
		Picture: pictureOf(s.answer.Input, a.cfg.Running.Input, a.cfg.Prepare, worst.Crop),
	}
	f.Row, f.Col = s.place(worst.At[0], worst.At[1])
	return f
}

// Input is that of the frame that Doubted was told of, for as long as Doubted
// has not returned.
func (a *Auditor) Input() []byte { return a.slot.answer.Input }

// ErrDiffers is what is wrong with an engine whose answers are not the baseline's.
var ErrDiffers = errors.New("differs from the baseline's")

// Agrees runs the baseline on the engine asked for by name and tells whether
// output, given for Input, is what it says at many places.
func (a *Auditor) Agrees(engine string, output []byte) error {
	for _, p := range a.pairs {
		if p.engine != engine {
			continue
		}
		m := p.margin
		m.Classes = false // it is one engine now
		for range agreeRuns {
			spot, err := p.spots.Check(Answer{Input: a.slot.answer.Input, Output: output}, m, a.rand)
			if err != nil {
				return err
			}
			if spot.Differing > 0 {
				return fmt.Errorf("engine %s: its answer %w too, by %.3g", engine, ErrDiffers, spot.Differs)
			}
		}
		return nil
	}
	return fmt.Errorf("engine %s does not run the baseline", engine)
}

func (a *Auditor) close() {
	for _, p := range a.pairs {
		p.spots.Close()
	}
}
