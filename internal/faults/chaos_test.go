//go:build faults

package faults

import (
	"fmt"
	"os"
	"testing"
	"time"

	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

// chaosTime is how long all seeds take together: EDGED_CHAOS.
func chaosTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("EDGED_CHAOS")
	if text == "" {
		return outage(10*time.Minute, time.Minute)
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestChaos breaks one link after another, within packets, by resets, holds and
// holes, and holds the daemon to its word at a subscriber whose own link is well:
// a missing result or mask is named before the number behind it comes, no event is
// lost, no result comes twice.
func TestChaos(t *testing.T) {
	const seeds = 3
	long := chaosTime(t) / seeds
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { chaos(t, seed, long) })
	}
}

func chaos(t *testing.T, seed uint64, long time.Duration) {
	b := mqtttest.StartBroker(t, "max_queued_messages 0")
	c := mqtttest.NewChaos(t, b.Addr(), seed)
	r := NewRig(t, Setup{On: b, URL: c.URL(), Later: true})
	r.Record()
	r.Rec.Strict()
	r.Daemon.Start()
	r.comes("a first result", func() bool { return r.Rec.Latest("c0").Seq > 0 })
	for end := time.Now().Add(long); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if !r.Daemon.Running() {
			t.Fatal("the daemon has ended")
		}
	}
	c.Calm()
	r.Rec.Resumes(t, "c0", time.Now(), 2*time.Minute)
	if v, err := r.Daemon.Vitals(); err != nil || v.RSS > 200<<20 {
		t.Errorf("%v, %v", v, err)
	}
	r.Close()
	final, _ := r.Rec.Stats()
	e := final.Delivery[mqtt.KindEvent]
	if e.Acknowledged != e.Produced || e.Produced == 0 {
		t.Errorf("not every event was acknowledged: %+v", e)
	}
	for _, book := range r.Rec.Audit(t) {
		if book.Kind == mqtt.KindEvent && book.Seen != book.Top {
			t.Errorf("%d events of %d came", book.Seen, book.Top)
		}
	}
	t.Logf("connections %d, results %+v; mishaps %v", final.Link.Connections, final.Delivery[mqtt.KindResult], c)
	if long >= time.Minute && len(c.Did()) < 3 {
		t.Errorf("only %v happened", c)
	}
}
