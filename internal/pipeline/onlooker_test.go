package pipeline

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"edged"
)

// ticking has a new frame whenever it is asked, after a moment.
type ticking struct{ read int }

func (s *ticking) Next(ctx context.Context, f *edged.Frame) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(5 * time.Millisecond):
	}
	s.read++
	*f = *grey(4, 4, byte(s.read))
	f.Time = time.Now()
	return nil
}

type lookFunc func(*edged.Frame)

func (lookFunc) Wants() bool           { return true }
func (l lookFunc) Look(f *edged.Frame) { l(f) }

// Frames of a camera that rests or waits are seen, lead to no result, and every one
// of them is accounted for.
func TestOnlookersSeeWhatGivesNoResult(t *testing.T) {
	for name, set := range map[string]func(*Camera){
		"disabled": func(c *Camera) { c.Enable(false) },
		"waiting":  func(c *Camera) { c.Trigger = NewQueue(1, time.Second) },
		"then disabled": func(c *Camera) {
			c.Trigger = NewQueue(1, time.Second)
			time.AfterFunc(glanceEvery/2, func() { c.Enable(false) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			source := &ticking{}
			c := NewCamera("cam", source, brightStage(t, nil))
			ctx, cancel := context.WithCancel(context.Background())
			looked := 0
			c.Onlooker = lookFunc(func(*edged.Frame) {
				if looked++; looked == 3 {
					cancel()
				}
			})
			c.Sink = sinkFunc(func(*Result) { t.Error("a result") })
			set(c)
			if err := c.Run(ctx); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			if n := c.Counts(); looked != 3 || int(n.PassedOver) != source.read || source.read != 3 {
				t.Errorf("%d looked at, %d read, %+v", looked, source.read, n)
			}
		})
	}
}

// A trigger that comes while a frame is read for the onlooker is served with that
// frame: looking makes no part move on.
func TestOnlookersDelayNoTrigger(t *testing.T) {
	source := &ticking{}
	c := NewCamera("cam", source, brightStage(t, nil))
	queue := NewQueue(4, time.Minute)
	c.Trigger = queue
	ctx, cancel := context.WithCancel(context.Background())
	var seen, served []byte
	c.Onlooker = lookFunc(func(f *edged.Frame) {
		seen = append(seen, f.Pix[0])
		if _, err := queue.Fire("early"); err != nil {
			t.Error(err)
		}
	})
	c.Sink = sinkFunc(func(r *Result) {
		served = append(served, r.Frame.Pix[0])
		if len(served) == 2 {
			cancel()
		}
	})
	if err := c.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	// Fired after the frame was taken: the next one serves.
	if want := []byte{2, 4}; !slices.Equal(served, want) || !slices.Equal(seen, []byte{1, 3}) {
		t.Errorf("served %v, seen %v", served, seen)
	}
	f := grey(4, 4, 9)
	f.Time = time.Now()
	c.glanced = true
	if shot := (Shot{At: f.Time.Add(-time.Millisecond), Deadline: f.Time.Add(time.Minute)}); !c.takeGlance(f, shot) || c.glanced {
		t.Error("a frame taken after the trigger does not serve it")
	}
	c.glanced = true
	if shot := (Shot{At: f.Time.Add(-time.Second), Deadline: f.Time.Add(-time.Millisecond)}); c.takeGlance(f, shot) {
		t.Error("a frame serves a trigger whose time is over")
	}
}

// An interval whose wait is given up keeps its time.
func TestIntervalGivenUpKeepsItsTime(t *testing.T) {
	i := NewInterval(time.Hour)
	if _, err := i.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	next := i.next
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if _, err := i.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || !i.next.Equal(next) {
		t.Errorf("%v: next %v, was %v", err, i.next, next)
	}
}
