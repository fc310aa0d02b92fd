package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
)

var quiet = slog.New(slog.DiscardHandler)

// brightStage marks the pixels of a 4x4 grey crop that are at least 128.
func brightStage(t testing.TB, run func(*fakeEngine) error) *Stage {
	t.Helper()
	s := spec(edged.Float32, 1, 4, 4, 1)
	if run == nil {
		run = func(e *fakeEngine) error { copy(e.output, e.input); return nil }
	}
	p, err := NewPreparer(PrepareConfig{Order: edged.Gray, Mean: []float64{0}, Scale: []float64{1.0 / 255}}, s)
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewMasker(MaskConfig{Meaning: Probabilities, Threshold: 0.5, Classes: 2, Grid: plainGrid}, s)
	if err != nil {
		t.Fatal(err)
	}
	return &Stage{Engine: newFakeEngine(s, s, run), Prepare: p, Mask: m, Grid: plainGrid, Model: "bright", Labels: []string{"dark", "bright"}}
}

func grey(w, h int, v byte) *edged.Frame {
	return drawn(w, h, edged.Gray, func(int, int, int) byte { return v })
}

func TestEveryFrameIsPublishedOrRefused(t *testing.T) {
	source := &fakeSource{frames: []*edged.Frame{grey(6, 4, 200), grey(3, 4, 200), grey(6, 6, 10), grey(6, 6, 99), grey(4, 4, 250)}}
	runs := 0
	stage := brightStage(t, func(e *fakeEngine) error {
		copy(e.output, e.input)
		if runs++; runs == 3 {
			return errors.New("engine is unwell")
		}
		return nil
	})
	var seqs []uint64
	var bright []int
	var origins [][2]float64
	c := NewCamera("cam", source, stage)
	c.Log = quiet
	stage.Judge = judgeFunc(func(r *Result) { r.Verdict = "OK"; r.Reasons = append(r.Reasons, edged.Reason{Text: "why"}) })
	c.Sink = sinkFunc(func(r *Result) {
		seqs, bright, origins = append(seqs, r.Seq), append(bright, r.Pixels[1]), append(origins, r.Mask.Grid.Origin)
		if r.Verdict != "OK" || !slices.Equal(r.Reasons, []edged.Reason{{Text: "why"}}) || r.Camera != "cam" || r.Frame == nil {
			t.Errorf("result %+v", r)
		}
	})
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	n := c.Counts()
	if n.Published != 3 || n.PassedOver != 0 || n.Refused[RefusedTooSmall] != 1 || n.Refused[RefusedEngine] != 1 || n.RefusedTotal() != 2 {
		t.Errorf("counts %+v", n)
	}
	if !slices.Equal(seqs, []uint64{1, 2, 3}) || !slices.Equal(bright, []int{16, 0, 16}) {
		t.Errorf("seqs %v, bright %v", seqs, bright)
	}
	if want := [][2]float64{{0, 1}, {1, 1}, {0, 0}}; !slices.Equal(origins, want) {
		t.Errorf("origins %v, want %v", origins, want)
	}
	if e := stage.Engine.(*fakeEngine); e.closed != 1 {
		t.Errorf("engine closed %d times", e.closed)
	}
}

func TestAdoptBetweenTwoFrames(t *testing.T) {
	first, second := brightStage(t, nil), brightStage(t, nil)
	second.Model = "newer"
	frames := []*edged.Frame{grey(4, 4, 1), grey(4, 4, 2), grey(4, 4, 3)}
	source := &fakeSource{frames: frames}
	c := NewCamera("cam", source, first)
	source.before = func(i int) {
		if i == 1 {
			c.Adopt(brightStage(t, nil)) // overtaken before it was used
			c.Adopt(second)
		}
	}
	var models []string
	c.Sink = sinkFunc(func(r *Result) { models = append(models, r.Stage.Model) })
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"bright", "newer", "newer"}; !slices.Equal(models, want) {
		t.Errorf("models %v, want %v", models, want)
	}
	for i, s := range []*Stage{first, second} {
		if e := s.Engine.(*fakeEngine); e.closed != 1 || e.ranClosed {
			t.Errorf("engine %d closed %d times, used closed: %v", i, e.closed, e.ranClosed)
		}
	}
}

func TestDisabledCameraPassesOver(t *testing.T) {
	source := &fakeSource{frames: []*edged.Frame{grey(4, 4, 1), grey(4, 4, 2), grey(4, 4, 3)}}
	c := NewCamera("cam", source, brightStage(t, nil))
	source.before = func(i int) {
		source.frames[i].Time = time.Now()
		if i == 1 { // between the loop's wait and its frame
			c.Enable(false)
			go func() {
				for c.Counts().PassedOver == 0 {
					time.Sleep(time.Millisecond)
				}
				c.Enable(true)
			}()
		}
	}
	published := 0
	c.Sink = sinkFunc(func(*Result) { published++ })
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := c.Counts(); n.Published != 2 || n.PassedOver != 1 || published != 2 {
		t.Errorf("counts %+v, published %d", n, published)
	}
}

// A frame that has waited since before the camera was switched on is of a part that
// went by meanwhile.
func TestFramesFromBeforeEnableArePassedOver(t *testing.T) {
	old, fresh := grey(4, 4, 1), grey(4, 4, 2)
	old.Time = time.Now()
	c := NewCamera("cam", &fakeSource{frames: []*edged.Frame{old, fresh}}, brightStage(t, nil))
	c.Enable(false)
	time.Sleep(time.Millisecond)
	c.Enable(true)
	c.Enable(true) // again changes nothing
	fresh.Time = time.Now()
	var served []*edged.Frame
	c.Sink = sinkFunc(func(r *Result) { served = append(served, &edged.Frame{Time: r.Frame.Time}) })
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := c.Counts(); n.PassedOver != 1 || len(served) != 1 || !served[0].Time.Equal(fresh.Time) {
		t.Errorf("counts %+v, %d served", n, len(served))
	}
}

func TestCancelEndsARestingCamera(t *testing.T) {
	c := NewCamera("cam", &fakeSource{}, brightStage(t, nil))
	c.Enable(false)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(5*time.Millisecond, cancel)
	if err := c.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// stalled blocks until its context ends.
type stalled struct{}

func (stalled) Next(ctx context.Context, _ *edged.Frame) error { <-ctx.Done(); return ctx.Err() }

func TestTriggersAreServedOrMissed(t *testing.T) {
	q := NewQueue(2, time.Minute)
	old, fresh := grey(4, 4, 1), grey(4, 4, 200)
	old.Time = time.Now().Add(-time.Hour)
	fresh.Time = time.Now().Add(time.Hour)
	c := NewCamera("cam", &fakeSource{frames: []*edged.Frame{old, fresh}}, brightStage(t, nil))
	c.Trigger = q
	var parts, missed []string
	c.Sink = sinkFunc(func(r *Result) { parts = append(parts, r.PartID) })
	c.Missed = func(s Shot, _ string) { missed = append(missed, s.PartID) }
	for _, part := range []string{"a", "b", "c"} {
		if shot, err := q.Fire(part); err != nil {
			c.MissTrigger(shot, err.Error())
		}
	}
	if err := c.Run(context.Background()); err != nil { // ends with the source, at "b"
		t.Fatal(err)
	}
	if !slices.Equal(parts, []string{"a"}) || !slices.Equal(missed, []string{"c", "b"}) {
		t.Errorf("served %v, missed %v", parts, missed)
	}
	if n := c.Counts(); n.Published != 1 || n.PassedOver != 1 || n.Missed != 2 {
		t.Errorf("counts %+v", n)
	}
}

func TestTriggerWithoutAFrameIsMissedInTime(t *testing.T) {
	q := NewQueue(1, 5*time.Millisecond)
	c := NewCamera("cam", stalled{}, brightStage(t, nil))
	c.Trigger = q
	ctx, cancel := context.WithCancel(context.Background())
	c.Missed = func(s Shot, reason string) {
		if s.PartID != "p" || reason == "" {
			t.Errorf("missed %+v %q", s, reason)
		}
		cancel()
	}
	if _, err := q.Fire("p"); err != nil {
		t.Fatal(err)
	}
	if err := c.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if n := c.Counts(); n.Missed != 1 {
		t.Errorf("counts %+v", n)
	}
}

// A frame that comes when a trigger's time is over shows another part.
func TestTriggerWhoseTimeIsOverGetsNoFrame(t *testing.T) {
	q := NewQueue(2, time.Millisecond)
	fresh := grey(4, 4, 200)
	fresh.Time = time.Now().Add(time.Hour)
	c := NewCamera("cam", &fakeSource{frames: []*edged.Frame{fresh}}, brightStage(t, nil))
	c.Trigger = q
	c.Sink = sinkFunc(func(r *Result) { t.Errorf("a result for part %q", r.PartID) })
	ctx, cancel := context.WithCancel(context.Background())
	var missed []string
	c.Missed = func(s Shot, reason string) {
		if missed = append(missed, s.PartID+": "+reason); len(missed) == 2 {
			cancel()
		}
	}
	q.Fire("a")
	q.Fire("b")
	time.Sleep(2 * time.Millisecond)
	if err := c.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if len(missed) != 2 || !strings.HasPrefix(missed[0], "a: its time ran out") || c.Counts().Missed != 2 {
		t.Errorf("missed %q, counts %+v", missed, c.Counts())
	}
}

func TestTriggerOfADisabledCameraIsMissed(t *testing.T) {
	q := NewQueue(1, time.Minute)
	fresh := grey(4, 4, 200)
	fresh.Time = time.Now().Add(time.Hour)
	c := NewCamera("cam", &fakeSource{frames: []*edged.Frame{fresh}}, brightStage(t, nil))
	c.Source.(*fakeSource).before = func(int) { c.Enable(false) } // while the trigger waits for its frame
	c.Trigger = q
	c.Sink = sinkFunc(func(r *Result) { t.Errorf("a result for part %q", r.PartID) })
	ctx, cancel := context.WithCancel(context.Background())
	var why string
	c.Missed = func(s Shot, reason string) { why = s.PartID + ": " + reason; cancel() }
	q.Fire("a")
	if err := c.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if n := c.Counts(); why != "a: "+Disabled || n.Missed != 1 || n.PassedOver != 1 {
		t.Errorf("missed %q, counts %+v", why, n)
	}
}

func TestQueueEnds(t *testing.T) {
	q := NewQueue(3, time.Minute)
	q.Fire("a")
	q.Fire("b")
	var parts []string
	for _, s := range q.End() {
		parts = append(parts, s.PartID)
	}
	if shot, err := q.Fire("c"); !errors.Is(err, ErrTriggerEnded) || shot.PartID != "c" {
		t.Errorf("a shot after the end: %+v, %v", shot, err)
	}
	if again := q.End(); !slices.Equal(parts, []string{"a", "b"}) || len(again) != 0 {
		t.Errorf("waiting %q, then %v", parts, again)
	}
}

// A context that has ended wins over a shot that waits, which is left to End.
func TestQueueLeavesWhatWaitsToTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 50 {
		q := NewQueue(3, time.Minute)
		q.Fire("a")
		if _, err := q.Wait(ctx); !errors.Is(err, context.Canceled) || len(q.End()) != 1 {
			t.Fatalf("the shot was taken, or lost: %v", err)
		}
	}
}

func TestIntervalSkipsWhatPassed(t *testing.T) {
	i := NewInterval(10 * time.Millisecond)
	start := time.Now()
	for n := range 3 {
		if _, err := i.Wait(context.Background()); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			time.Sleep(35 * time.Millisecond) // three times pass
		}
	}
	if d := time.Since(start); d < 40*time.Millisecond {
		t.Errorf("three shots after %v: skipped times were made up for", d)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	i.Wait(context.Background())
	if _, err := i.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestProgressFollowsTheLoop(t *testing.T) {
	c := NewCamera("cam", &fakeSource{frames: []*edged.Frame{grey(4, 4, 1)}}, brightStage(t, nil))
	c.Sink = sinkFunc(func(*Result) {
		if phase, since, served := c.Progress(); phase != Publishing || time.Since(since) > time.Minute || !served.IsZero() {
			t.Errorf("while publishing: %v %v %v", phase, since, served)
		}
	})
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if phase, _, served := c.Progress(); phase != Waiting || served.IsZero() {
		t.Errorf("at the end: %v %v", phase, served)
	}
}

// endless lends the same frame for ever.
type endless struct{ f edged.Frame }

func (s *endless) Next(_ context.Context, f *edged.Frame) error { *f = s.f; return nil }

func TestCancelEndsABusyCamera(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	c := NewCamera("cam", &endless{*grey(4, 4, 1)}, brightStage(t, nil))
	c.Sink = sinkFunc(func(r *Result) {
		if r.Seq == 3 {
			cancel()
		}
	})
	if err := c.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if n := c.Counts(); n.Published != 3 {
		t.Errorf("counts %+v", n)
	}
}
