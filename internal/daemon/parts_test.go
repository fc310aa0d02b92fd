package daemon

import (
	"slices"
	"sync"
	"testing"
	"time"

	"edged/capture"
	"edged/internal/daemontest"
	"edged/mqtt"
)

// Each lost picture is told, and a flood of them in few words that lack none.
func TestPartLosses(t *testing.T) {
	var mu sync.Mutex
	var told []string
	p := partLosses{tell: func(message, _ string, _ time.Time) { mu.Lock(); told = append(told, message); mu.Unlock() }}
	p.add("stale", 1, "", time.Now())
	p.add("passed_over", 3, "", time.Now())
	for range lossBurst + 98 {
		p.add("corrupt", 1, "", time.Now())
	}
	p.add("lost", 2, "", time.Now())
	p.flush()
	p.flush()
	one := "a picture that may be a part's led to no result: "
	want := []string{one + "stale", "3 pictures that may be parts' led to no result: passed_over"}
	for range lossBurst - 2 {
		want = append(want, one+"corrupt")
	}
	want = append(want, "102 pictures that may be parts' led to no result: corrupt 100, lost 2")
	if !slices.Equal(told, want) {
		t.Errorf("told %q", told)
	}
	p.add("stale", 1, "", time.Now()) // of the next window
	if p.flush(); len(told) != len(want)+1 {
		t.Errorf("%d told after the window", len(told))
	}
}

// A triggered camera's picture without a result is an event with its reason and a
// missed trigger, whoever refused it.
func TestTriggeredCameraTellsItsLosses(t *testing.T) {
	r := startRig(t, "trigger = \"camera\"\nroi = [90, 70, 20, 20]") // reaches outside of every frame
	e := daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventMissedTrigger })
	if e.Message != "a picture that may be a part's led to no result: roi_outside" || e.TS.IsZero() {
		t.Errorf("event %+v", e)
	}
	u := r.d.units[0]
	before := u.camera.Counts().Missed
	u.onLoss(capture.Loss{Reason: "passed_over", N: 1000, At: time.Now()})
	if n := u.camera.Counts().Missed - before; n < 1000 {
		t.Errorf("%d missed, want 1000 and those of the roi", n)
	}
}

// What a source was opened with is taken over at the next start, and said.
func TestReconfigureKeepsWhatTheSourceWasOpenedWith(t *testing.T) {
	r := startRig(t, "")
	rewritable(r)("threads = 1", "threads = 1\ntrigger = \"camera\"\nidle = \"1m\"")
	r.Request("reload", "r1", "")
	e := daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventConfig })
	if want := "changed in the config and waiting for a restart: camera c0: idle, camera c0: trigger"; e.Message != want {
		t.Errorf("event %q, want %q", e.Message, want)
	}
	if now := r.d.units[0].now(); now.Triggered() || now.Idle != 0 {
		t.Errorf("taken over: %+v", now)
	}
}
