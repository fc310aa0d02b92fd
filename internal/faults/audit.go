package faults

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"edged/mqtt"
)

// Last is the latest payload of a topic.
func (r *Recorder) Last(topic string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last[topic]
}

// Latest is the latest result of a camera.
func (r *Recorder) Latest(cam string) Arrival {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.latest[cam]
}

// Stats is the latest stats of the current run.
func (r *Recorder) Stats() (mqtt.Stats, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, ok := r.stats[r.run]
	return s, ok
}

// Events are those that have arrived, each once.
func (r *Recorder) Events() []mqtt.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Values(r.events))
}

// Runs is how many runs of the daemon have announced themselves.
func (r *Recorder) Runs() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.runs)
}

// Resumes waits for a result whose frame was taken after since and tells how
// long after since it came. Over the deadline is a failure.
func (r *Recorder) Resumes(t testing.TB, cam string, since time.Time, deadline time.Duration) time.Duration {
	t.Helper()
	until := since.Add(deadline + 30*time.Second) // so that a late one is told with its time
	for time.Now().Before(until) {
		if a := r.Latest(cam); a.TS.After(since) {
			took := a.At.Sub(since)
			if took > deadline {
				t.Errorf("camera %s: a result came %v after the fault was over, want at most %v", cam, took, deadline)
			}
			return took
		}
		time.Sleep(2 * time.Millisecond)
	}
	t.Fatalf("camera %s: no result within %v", cam, time.Since(since))
	return 0
}

// BrokerDied notes that the broker has died and not been started again yet:
// messages it had taken and not passed on, between the last that came before
// and the first that comes after, are its loss and not the daemon's.
func (r *Recorder) BrokerDied() {
	time.Sleep(100 * time.Millisecond) // what it did pass on arrives
	r.mu.Lock()
	defer r.mu.Unlock()
	c := cut{run: r.run, before: map[Stream]uint64{}, after: map[Stream]uint64{}}
	for k, seen := range r.seen {
		if k.Run == r.run {
			c.before[k] = highest(seen)
		}
	}
	r.limits = append(r.limits, c)
}

func highest(seen map[uint64]int) (top uint64) {
	for n := range seen {
		top = max(top, n)
	}
	return top
}

// excused tells whether number n fell into a broker's death.
func (r *Recorder) excused(k Stream, n uint64) bool {
	return slices.ContainsFunc(r.limits, func(c cut) bool {
		return c.run == k.Run && n > c.before[k] && (c.after[k] == 0 || n < c.after[k])
	})
}

// Books is what the subscriber knows of one stream.
type Books struct {
	Stream
	Top      uint64 // the highest number that came
	Seen     uint64 // different numbers that came
	Repeated uint64
	Reported map[mqtt.Reason]uint64 // numbers in the ranges that were reported
	Excused  uint64                 // lost in a broker's death
	Missing  []uint64               // neither came nor were reported
}

// Audit closes the books of every stream and fails the test for what does not
// add up: a number that is missing without a report, one that came twice
// though it is no event, one that was never produced, an account of the daemon
// that disagrees with what came.
func (r *Recorder) Audit(t testing.TB) []Books {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.faults {
		t.Error(f)
	}
	if r.redelivered > 0 {
		t.Logf("the broker delivered %d results again, and said so", r.redelivered)
	}
	var all []Books
	for k, seen := range r.seen {
		all = append(all, r.books(k, seen))
	}
	slices.SortFunc(all, func(a, b Books) int {
		return cmp.Or(cmp.Compare(a.Run, b.Run), cmp.Compare(a.Cam, b.Cam), cmp.Compare(a.Kind, b.Kind))
	})
	for i := range all {
		b := &all[i]
		t.Logf("%s %s: %d came, up to %d; reported %v", b.Cam, b.Kind, b.Seen, b.Top, b.Reported)
		if len(b.Missing) > 0 {
			t.Errorf("run %s, camera %s: %d %ss are missing without a report: %v", b.Run, b.Cam, len(b.Missing), b.Kind, b.Missing[:min(9, len(b.Missing))])
		}
		if b.Repeated > 0 && b.Kind != mqtt.KindEvent {
			t.Errorf("run %s, camera %s: %d %ss came twice", b.Run, b.Cam, b.Repeated, b.Kind)
		}
		if b.Excused > 0 {
			t.Logf("%s %s: %d were acknowledged by a broker that died with them", b.Cam, b.Kind, b.Excused)
		}
	}
	return all
}

func (r *Recorder) books(k Stream, seen map[uint64]int) Books {
	b := Books{Stream: k, Top: highest(seen), Seen: uint64(len(seen)), Reported: map[mqtt.Reason]uint64{}}
	for _, g := range r.gaps[k] {
		b.Reported[g.Reason] += g.Count
	}
	for n := uint64(1); n <= b.Top; n++ {
		switch {
		case seen[n] > 1:
			b.Repeated++
		case seen[n] == 1 || covered(r.gaps[k], n):
		case r.excused(k, n):
			b.Excused++
		default:
			b.Missing = append(b.Missing, n)
		}
	}
	return b
}

func covered(gaps []mqtt.Gap, n uint64) bool {
	return slices.ContainsFunc(gaps, func(g mqtt.Gap) bool { return g.From <= n && n <= g.To })
}

// AuditStopped is Audit after a clean stop: the last stats are final, and the
// daemon's account must agree with the subscriber's.
func (r *Recorder) AuditStopped(t testing.TB) {
	t.Helper()
	final, ok := r.Stats()
	if !ok {
		t.Fatal("no stats came")
	}
	for _, b := range r.Audit(t) {
		if n := results(final.Cameras[b.Cam]); b.Run == r.runs[len(r.runs)-1] && b.Kind != mqtt.KindEvent && b.Top > n {
			t.Errorf("camera %s: %s %d came, but only %d were produced", b.Cam, b.Kind, b.Top, n)
		}
	}
	r.auditRows(t, &final)
	for _, kind := range []mqtt.Kind{mqtt.KindResult, mqtt.KindMask} {
		if err := r.agree(kind, &final); err != nil {
			t.Error(err)
		}
	}
}

// agree compares the final account of a kind with what came in the last run.
func (r *Recorder) agree(kind mqtt.Kind, final *mqtt.Stats) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := final.Delivery[kind]
	var produced, came, excused uint64
	for cam, c := range final.Cameras {
		k := Stream{r.run, cam, kind}
		produced += results(c)
		b := r.books(k, r.seen[k])
		came += b.Seen
		excused += b.Excused
	}
	dropped := uint64(0)
	for _, n := range a.Dropped {
		dropped += n
	}
	confirmed := a.Acknowledged + a.HandedOver
	switch {
	case a.Produced != produced:
		return fmt.Errorf("%d %ss in the ledger, %d results published by the cameras", a.Produced, kind, produced)
	case a.InFlight != 0:
		return fmt.Errorf("%d %ss still in flight after the end", a.InFlight, kind)
	case came+excused < confirmed || came > confirmed+a.Unknown:
		return fmt.Errorf("%d %ss came, %d were confirmed, %d unknown, %d dropped, %d lost by the broker", came, kind, confirmed, a.Unknown, dropped, excused)
	}
	return nil
}
