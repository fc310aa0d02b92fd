package mono

import (
	"testing"
	"time"
)

func TestMomentKeepsWhatTheClockShows(t *testing.T) {
	var m Moment
	if !m.Load().IsZero() {
		t.Errorf("a moment that nobody set is %v", m.Load())
	}
	now := time.Now()
	for _, want := range []time.Time{now, started, started.Add(-time.Hour), now.Add(time.Hour)} {
		m.Store(want)
		if got := m.Load(); got.Sub(want).Abs() > time.Nanosecond {
			t.Errorf("%v became %v", want, got)
		}
	}
	if before := m.Swap(time.Time{}); before.Sub(now.Add(time.Hour)).Abs() > time.Nanosecond || !m.Load().IsZero() {
		t.Errorf("Swap gave %v and left %v", before, m.Load())
	}
}

// A reading whose wall clock was set (here: taken off by Round, then moved) differs
// from one that was not; a Moment must follow the monotonic reading alone.
func TestMomentHasAMonotonicReading(t *testing.T) {
	var m Moment
	m.Store(time.Now())
	if got := m.Load(); got == got.Round(0) {
		t.Error("the moment has no monotonic reading: a clock that is set would move it")
	}
}
