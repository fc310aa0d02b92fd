package main

import (
	"syscall"
	"time"
)

const (
	restStep = 10 * time.Millisecond  // longer than the tick by which systems count it
	restMost = 200 * time.Millisecond // longer than any engine's threads wait awake
	warmTime = 40 * time.Millisecond
)

// rest returns once used, this process's processor time, stands still for restStep. An
// engine's threads may wait awake for its next run, XNNPACK's for some ten
// milliseconds, and would take processors from the engine whose turn is next.
func rest(used func() time.Duration) {
	for range restMost / restStep {
		before := used()
		time.Sleep(restStep)
		if used()-before < restStep/10 {
			return
		}
	}
}

// warm runs the engine untimed, as it would run in a stream of frames: after a rest caches are
// cold, clocks low, and a virtual machine may wake a second processor milliseconds later.
func (r *racer) warm() error {
	for start := time.Now(); time.Since(start) < warmTime; {
		if err := r.engine.Run(); err != nil {
			return err
		}
	}
	return nil
}

// processorTime is what all threads of this process have used; 0 where the
// system does not tell.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
