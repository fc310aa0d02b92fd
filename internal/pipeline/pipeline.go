// Package pipeline is the one loop of edged: a source lends a frame, a
// Preparer writes it into the engine's input, the engine runs, a Masker turns
// the output into class ids, a judge rules, and a sink takes the result. One
// goroutine runs one camera; the newest frame wins; every frame is published,
// passed over or refused, and counted.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"edged"
	"edged/internal/mono"
)

// Source lends frames. Next blocks for the newest one; the frame's memory is
// valid until the next call. It returns io.EOF once the source has ended.
type Source interface {
	Next(ctx context.Context, f *edged.Frame) error
}

// Sink takes results. All that a Result refers to is lent until Publish
// returns.
type Sink interface {
	Publish(*Result)
}

// Judge rules on a result before it is published: it fills in Verdict, Reasons
// and Blobs.
type Judge interface {
	Judge(*Result)
}

// Follower is a Judge that goes on where the one of the model before ended, so that a
// verdict which another model changes is told like any other change.
type Follower interface {
	Last() string
	Follow(last string)
}

// Stage is a loaded model with what surrounds it; a Camera adopts a new one
// between two frames and closes the old.
type Stage struct {
	Engine  edged.Engine
	Prepare *Preparer
	Mask    *Masker
	Output  int   // index of the engine's output that Mask reads
	Line    *Line // of a line camera; nil: frames are pictures
	Watch   []int // outputs that must be numbers too: what Output was made from
	Unfit   error // why no output of the model can be believed; nil: nothing is known
	Grid    edged.Grid
	Model   string // name for people and payloads
	SHA256  string // of its file
	// Certificate is what the model's amounts to: proved, tested, none or invalid.
	Certificate string
	Labels      []string
	Judge       Judge // nil: no verdict
	// Witness sees what the model is given and what it says; nil: nobody does.
	Witness Witness

	doubt   atomic.Pointer[edged.Reason]
	input   []byte       // of the engine
	outputs []edged.Spec // of the engine
	turn    int          // which tile is shown
	looked  []byte       // its output
}

// Result is what one frame led to.
type Result struct {
	Camera   string
	Seq      uint64 // counts this camera's results from 1, without gaps
	Frame    *edged.Frame
	Mask     *edged.Mask
	Scores   []float32 // nil unless the masker keeps them
	Pixels   []int     // mask positions of each class
	Stage    *Stage
	Age      time.Duration // from the frame being taken to its result
	Prepare  time.Duration
	Infer    time.Duration
	MaskTime time.Duration
	PartID   string
	Verdict  string
	Reasons  []edged.Reason

	Blobs      []edged.Blob // what the judge found, the largest; nil: nobody looked
	BlobsTotal int          // with those that Blobs leaves out

	Line *Strip // of a line camera

	Quality *edged.Quality // what the judge measured of the picture; nil: nothing
}

// Camera is the loop of one camera. Set the exported fields before Run.
type Camera struct {
	Name    string
	Source  Source
	Trigger Trigger // nil: every frame the source has
	Sink    Sink
	Log     *slog.Logger
	// Missed is told of each trigger that could not be served; nil: nobody is.
	Missed func(shot Shot, reason string)
	// Working is told when the stage's engine begins to run, and when it has;
	// nil: nobody is.
	Working func(s *Stage, on bool)
	// Refused is told of each frame that led to no result; nil: nobody is. The frame
	// is lent until it returns.
	Refused func(*Refused)
	// Faulted is told once when outputs begin not to be numbers; nil: nobody is.
	Faulted func(err error)

	// Onlooker sees frames while the camera rests or waits; nil: nobody does.
	Onlooker Onlooker
	glanced  bool // the loop's frame is one that the onlooker saw

	// Witness sees every frame that is served, whichever the model; nil: nobody does.
	Witness Witness

	stage     *Stage
	runStage  func() error       // runs the stage's engine
	showTile  func(input []byte) // shows a tile to the witnesses
	next      atomic.Pointer[Stage]
	disabled  atomic.Bool
	enabledAt mono.Moment // frames that waited from before it are passed over
	wake      chan struct{}
	counts    counters
	lines     lineCounters
	progress  progress
	result    Result
	seq       uint64

	numberless time.Time // when an output was not a number last; zero: it is told
}

// NewCamera is a Camera that starts with stage.
func NewCamera(name string, source Source, stage *Stage) *Camera {
	c := &Camera{Name: name, Source: source, Log: slog.Default(), wake: make(chan struct{}, 1)}
	c.adopt(stage)
	return c
}

// Adopt has the camera take over stage before its next frame.
func (c *Camera) Adopt(stage *Stage) {
	if old := c.next.Swap(stage); old != nil {
		old.Engine.Close() // was never used: a newer one overtook it
	}
}

// Enable lets the camera run or rest. While it rests the source's frames are
// passed over.
func (c *Camera) Enable(on bool) {
	if on && c.disabled.Load() {
		c.enabledAt.Store(time.Now())
	}
	c.disabled.Store(!on)
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// passesOver tells whether a frame came while the camera rests, or waited from then.
func (c *Camera) passesOver(f *edged.Frame) bool {
	return c.disabled.Load() || f.Time.Before(c.enabledAt.Load())
}

// Enabled tells whether the camera runs.
func (c *Camera) Enabled() bool { return !c.disabled.Load() }

// Run carries frames until the source ends, which is no error, or ctx is done.
// It closes the stage before it returns.
func (c *Camera) Run(ctx context.Context) error {
	defer c.close()
	var f edged.Frame
	for {
		switch err := c.step(ctx, &f); {
		case err == nil:
		case errors.Is(err, io.EOF):
			c.finish()
			return nil
		case ctx.Err() != nil:
			c.finish()
			return ctx.Err()
		default:
			return fmt.Errorf("pipeline: camera %s: %w", c.Name, err)
		}
	}
}

// finish ends a line camera's picture.
func (c *Camera) finish() {
	if c.stage.Line != nil {
		c.endPicture()
	}
}

// step serves one frame, or finds that there is none.
func (c *Camera) step(ctx context.Context, f *edged.Frame) error {
	c.progress.enter(Waiting)
	if err := ctx.Err(); err != nil {
		return err // a source that always has a frame would hide it
	}
	if err := c.rest(ctx, f); err != nil {
		return err
	}
	shot, err := c.waitTrigger(ctx, f)
	if errors.Is(err, errResting) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := c.nextFrame(ctx, f, shot); err != nil {
		return err
	}
	if s := c.next.Swap(nil); s != nil {
		c.finish()
		c.stage.Engine.Close()
		s.follow(c.stage)
		c.adopt(s)
	}
	if c.stage.Line != nil && f.Pix != nil {
		c.serveLine(f)
		return nil
	}
	c.serve(f, shot)
	return nil
}

// nextFrame reads the frame for shot. Frames taken before the shot was asked
// for are passed over. A shot that runs out of time is missed, and the error
// is nil with f.Pix nil.
func (c *Camera) nextFrame(ctx context.Context, f *edged.Frame, shot Shot) error {
	if c.takeGlance(f, shot) {
		return nil
	}
	if shot.Deadline.IsZero() {
		return c.Source.Next(ctx, f)
	}
	if !time.Now().Before(shot.Deadline) { // a frame of now would be of another part
		c.miss(shot, "its time ran out before its turn came")
		*f = edged.Frame{}
		return nil
	}
	inTime, cancel := context.WithDeadline(ctx, shot.Deadline)
	defer cancel()
	for {
		err := c.Source.Next(inTime, f)
		switch {
		case err == nil && !f.Time.Before(shot.At):
			return nil
		case err == nil:
			c.counts.passedOver.Add(1)
		case inTime.Err() != nil && ctx.Err() == nil:
			c.miss(shot, "no frame came in time")
			*f = edged.Frame{}
			return nil
		case ctx.Err() != nil:
			c.miss(shot, Stopping)
			return err
		default:
			c.miss(shot, SourceEnded)
			return err
		}
	}
}

func (c *Camera) miss(shot Shot, reason string) {
	c.counts.missed.Add(1)
	if c.Missed != nil {
		c.Missed(shot, reason)
	}
}

// Why a trigger that was taken, or could not be, is missed.
const (
	Disabled    = "the camera is disabled"
	Stopping    = "the daemon stops"
	SourceEnded = "the source ended"
)

// CountMissed counts n triggers of the camera's own that led to no result; who
// counts them tells of them.
func (c *Camera) CountMissed(n uint64) { c.counts.missed.Add(n) }

// MissTrigger counts and reports a shot that never reached the loop.
func (c *Camera) MissTrigger(shot Shot, reason string) { c.miss(shot, reason) }

func (c *Camera) adopt(s *Stage) {
	s.input, s.outputs = s.Engine.Input(0), s.Engine.Outputs()
	c.stage = s
	c.runStage = func() error { return c.run(s) } // once, so that a frame allocates nothing
	c.showTile = c.prepared
	c.numberless = time.Time{} // another model is another fault
}

// follow has s go on where old ends.
func (s *Stage) follow(old *Stage) {
	if old.Line != nil && s.Line != nil {
		s.Line.Cut.Follow(old.Line.Cut)
	}
	now, ok := s.Judge.(Follower)
	was, had := old.Judge.(Follower)
	if ok && had {
		now.Follow(was.Last())
	}
}

func (c *Camera) close() {
	c.stage.Engine.Close()
	if s := c.next.Swap(nil); s != nil {
		s.Engine.Close()
	}
}

// countPixels counts the positions of each of n classes, reusing counts.
func countPixels(counts []int, m *edged.Mask, n int) []int {
	var all [256]int
	for y := range m.H {
		for _, id := range m.Pix[y*m.Stride:][:m.W] {
			all[id]++
		}
	}
	return append(counts[:0], all[:n]...)
}

// Abandon closes what a camera holds that is never Run.
func (c *Camera) Abandon() { c.close() }
