package pipeline

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Shot is one wish for a result.
type Shot struct {
	PartID   string
	At       time.Time // when it was asked for; older frames do not serve
	Deadline time.Time // when it is missed; zero: any frame serves, at any time
}

// Trigger says when a frame is wanted.
type Trigger interface {
	Wait(ctx context.Context) (Shot, error)
}

// Interval wants a frame at fixed times, every so often. Times that pass while
// a frame is being served are skipped.
type Interval struct {
	every time.Duration
	next  time.Time
	timer *time.Timer
}

// NewInterval is an Interval whose first frame is wanted at once.
func NewInterval(every time.Duration) *Interval {
	t := time.NewTimer(0)
	return &Interval{every: every, next: time.Now(), timer: t}
}

// Wait blocks until the next time.
func (i *Interval) Wait(ctx context.Context) (Shot, error) {
	if err := ctx.Err(); err != nil {
		return Shot{}, err // a time that has come too would hide it
	}
	now := time.Now()
	if late := now.Sub(i.next); late >= i.every {
		i.next = i.next.Add(late.Truncate(i.every))
	}
	i.timer.Reset(i.next.Sub(now))
	i.next = i.next.Add(i.every)
	select {
	case <-ctx.Done():
		i.next = i.next.Add(-i.every) // this time is still to come
		return Shot{}, ctx.Err()
	case <-i.timer.C:
		return Shot{}, nil
	}
}

// ErrTriggerQueue says that triggers come faster than frames can be served.
var ErrTriggerQueue = errors.New("trigger queue is full: triggers come faster than the model runs")

// ErrTriggerEnded says that nobody serves triggers any more.
var ErrTriggerEnded = errors.New("no trigger is served any more: the source has ended, or the daemon stops")

// Queue wants a frame for each call of Fire, in their order.
type Queue struct {
	shots   chan Shot
	timeout time.Duration

	mu    sync.Mutex
	ended bool
}

// NewQueue holds up to depth shots, each missed when timeout has passed.
func NewQueue(depth int, timeout time.Duration) *Queue {
	return &Queue{shots: make(chan Shot, depth), timeout: timeout}
}

// Fire asks for a frame taken from now on. It never blocks; an error says that
// the shot was not taken.
func (q *Queue) Fire(partID string) (Shot, error) {
	now := time.Now()
	shot := Shot{PartID: partID, At: now, Deadline: now.Add(q.timeout)}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended {
		return shot, ErrTriggerEnded
	}
	select {
	case q.shots <- shot:
		return shot, nil
	default:
		return shot, ErrTriggerQueue
	}
}

// Wait blocks until there is a shot.
func (q *Queue) Wait(ctx context.Context) (Shot, error) {
	if err := ctx.Err(); err != nil {
		return Shot{}, err // what waits is for End
	}
	select {
	case <-ctx.Done():
		return Shot{}, ctx.Err()
	case shot := <-q.shots:
		return shot, nil
	}
}

// End takes no more shots and returns those that wait.
func (q *Queue) End() (waiting []Shot) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	for {
		select {
		case shot := <-q.shots:
			waiting = append(waiting, shot)
		default:
			return waiting
		}
	}
}
