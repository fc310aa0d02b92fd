package systemd

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Progress tells where a stage stands. mark is any number that differs after
// each step that the stage takes. A stage that has no work and waits for some
// is idle: that may last.
type Progress func() (idle bool, mark int64)

// Watchdog feeds the service manager's watchdog while every stage moves. When
// one does not, the feeding ends, the service manager kills the process with
// SIGABRT after WatchdogSec, and starts it anew.
//
// It watches marks, not times of day, so a jump of the clock cannot make a
// healthy stage look hung, nor a hung one healthy.
type Watchdog struct {
	log    *slog.Logger
	every  time.Duration // between two looks
	limit  time.Duration // a stage's default deadline
	mu     sync.Mutex
	stages []*stage
}

type stage struct {
	name     string
	deadline time.Duration
	progress Progress
	mark     int64
	moved    time.Time // monotonic: when mark was seen to change
	hung     bool
}

// NewWatchdog makes a watchdog for the interval that the service manager asks
// for (WATCHDOG_USEC). It returns nil, which is usable, when it asks for none.
func NewWatchdog(log *slog.Logger) (*Watchdog, error) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return nil, fmt.Errorf("systemd: watchdog: %w", err)
	}
	if interval == 0 {
		return nil, nil
	}
	// A quarter: a ping that comes late by one look is still in time.
	return &Watchdog{log: log, every: interval / 4, limit: interval}, nil
}

// Watch adds a stage. deadline is how long it may take for one step; 0 means
// WatchdogSec. A stage may be added while the watchdog runs.
func (w *Watchdog) Watch(name string, deadline time.Duration, p Progress) {
	if w == nil {
		return
	}
	if deadline == 0 {
		deadline = w.limit
	}
	_, mark := p()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stages = append(w.stages, &stage{name: name, deadline: deadline, progress: p, mark: mark, moved: time.Now()})
}

// Run feeds the watchdog until ctx ends. Start it after Ready.
func (w *Watchdog) Run(ctx context.Context) {
	if w == nil {
		return
	}
	t := time.NewTicker(w.every)
	defer t.Stop()
	for {
		if w.alive(time.Now()) {
			if err := notify(daemon.SdNotifyWatchdog); err != nil {
				w.log.Warn("the watchdog cannot be fed", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// alive looks at every stage and tells whether all have moved in time. Each
// stage that hangs is named once.
func (w *Watchdog) alive(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := true
	for _, s := range w.stages {
		idle, mark := s.progress()
		if idle || mark != s.mark {
			s.mark, s.moved = mark, now
		}
		hung := now.Sub(s.moved) > s.deadline
		switch {
		case hung && !s.hung:
			w.log.Error("a stage hangs: the watchdog is not fed any more and the service will be restarted", "stage", s.name, "deadline", s.deadline)
		case s.hung && !hung:
			w.log.Info("a stage that hung moves again", "stage", s.name)
		}
		s.hung = hung
		all = all && !hung
	}
	return all
}
