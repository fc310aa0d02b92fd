// Package mono keeps moments that several goroutines read and set, on the
// monotonic clock: what is as old as an hour stays that old when somebody sets the
// machine's clock, as a board without a clock of its own does after each boot.
package mono

import (
	"sync/atomic"
	"time"
)

// started is where the count begins; it holds a monotonic reading.
var started = time.Now()

// Moment is a point of time. The zero Moment is that of the zero time.Time. All
// methods may be called from any goroutine, and none allocates.
type Moment struct {
	ns atomic.Int64 // from started, never 0 once set
}

// Store sets the moment to t, which must hold a monotonic reading (as time.Now's
// does) or be the zero time.
func (m *Moment) Store(t time.Time) { m.ns.Store(count(t)) }

// Swap sets the moment and is the one before.
func (m *Moment) Swap(t time.Time) time.Time { return at(m.ns.Swap(count(t))) }

// Load is the moment, with a monotonic reading: subtract it from another time,
// or compare them. Its wall clock is that of the program's start carried on, so
// do not show it.
func (m *Moment) Load() time.Time { return at(m.ns.Load()) }

func count(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	n := int64(t.Sub(started))
	if n == 0 {
		return 1
	}
	return n
}

func at(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return started.Add(time.Duration(n))
}
