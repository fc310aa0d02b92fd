// Package spare hands out a small share of time to work that nobody waits for:
// the node's audit of its own answers, and a second model on the same frames.
package spare

import (
	"context"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	// patience is how long work waits for an idle moment before it begins in
	// another: at full load there is none.
	patience = 50 * time.Millisecond

	// look is how often it looks for one.
	look = time.Millisecond
)

// Share is one share of a processor's time, for everybody who works in it, one
// at a time: after work that took t nobody works for t/share.
type Share struct {
	share float64
	turn  chan struct{}

	mu   sync.Mutex
	free time.Time     // when the next work may begin
	busy time.Duration // all of it
}

// New is a share of time, above 0 and up to 1.
func New(share float64) *Share {
	return &Share{share: share, turn: make(chan struct{}, 1)}
}

// Share is what was given to New.
func (s *Share) Share() float64 { return s.share }

// Do does work when it is its turn, and at an idle moment where one comes; idle
// may be nil. It returns how much of a processor's time the work took, as far as
// it did it on its own thread, and ctx's error where ctx is done before.
func (s *Share) Do(ctx context.Context, idle func() bool, work func()) (time.Duration, error) {
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case s.turn <- struct{}{}:
	}
	defer func() { <-s.turn }()
	s.mu.Lock()
	wait := time.Until(s.free)
	s.mu.Unlock()
	if err := sleep(ctx, wait); err != nil {
		return 0, err
	}
	for end := time.Now().Add(patience); idle != nil && !idle() && time.Now().Before(end); {
		if err := sleep(ctx, look); err != nil {
			return 0, err
		}
	}
	took := ProcessorTime(work)
	s.Spent(took)
	return took, nil
}

// ProcessorTime is what work takes of a processor: at full load most of the time
// that passes is others'.
func ProcessorTime(work func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began := threadTime()
	work()
	return threadTime() - began
}

func threadTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_THREAD, &u); err != nil {
		panic("BUG: spare: " + err.Error()) // its arguments are right
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Spent charges work that was done elsewhere: on the frame path.
func (s *Share) Spent(took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.free.Before(now) {
		s.free = now
	}
	s.busy += took
	s.free = s.free.Add(time.Duration(float64(took)/s.share) - took)
}

// Busy is how long all work took so far.
func (s *Share) Busy() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.busy
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
