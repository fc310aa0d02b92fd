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
	// timePerFrame is what is done on one frame before the next is taken: a copy of
	// a large frame takes a tenth of it.
	timePerFrame = 20 * time.Millisecond

	// atOnce is what is done without a look at who else wants the processor: at
	// full load the camera's loop is late by as much, and each piece cools its
	// caches once.
	atOnce = 4 * time.Millisecond

	// otherShare is the part of the time that goes to the other engines, in turn.
	otherShare = 8

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
	Mark    func(running bool) // notes on disk that the baseline is at work, should it end the process; nil: nobody does

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

	turn  int              // of the other engines
	spent [2]time.Duration // on all engines, on the others
	row   int              // frames in a row that differ
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
	var w worst
	for spent := time.Duration(0); spent < timePerFrame; {
		var failed error
		took, err := a.cfg.Share.Do(ctx, a.cfg.Idle, func() { failed = a.piece(&w) })
		if err := cmp.Or(failed, err); err != nil {
			return err
		}
		spent += max(took, time.Microsecond)
	}
	a.cfg.Account.frame()
	a.judge(ctx, w.spot, w.by)
	return nil
}

// worst is the largest difference on a frame; by is nil where nothing differs.
type worst struct {
	spot rewrite.Spot
	by   *pair
}

// piece runs the baseline for a while, or until an idle moment has passed.
func (a *Auditor) piece(w *worst) error {
	if a.cfg.Mark != nil {
		a.cfg.Mark(true)
		defer a.cfg.Mark(false)
	}
	idle := a.cfg.Idle != nil && a.cfg.Idle()
	for began := time.Now(); ; {
		p, start := a.choose(), time.Now()
		spot, err := p.spots.Check(a.slot.answer, p.margin, a.rand)
		if err != nil {
			return err
		}
		a.charge(p, time.Since(start))
		a.cfg.Account.add(a.pairName(p), spot)
		if spot.Differing > 0 && (w.by == nil || spot.Differs > w.spot.Differs) {
			w.spot, w.by = spot, p
		}
		if time.Since(began) >= atOnce || idle && !a.cfg.Idle() {
			return nil
		}
	}
}

// choose is the engine of the next run: the one that answers, and the others in
// turn as long as all of them take no more than their part of the time.
func (a *Auditor) choose() *pair {
	n := len(a.pairs) - 1
	if n < 1 || a.spent[1]*otherShare > a.spent[0] {
		return a.pairs[0]
	}
	a.turn++
	return a.pairs[1+a.turn%n]
}

func (a *Auditor) charge(p *pair, took time.Duration) {
	a.spent[0] += took
	if p != a.pairs[0] {
		a.spent[1] += took
	}
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
