//go:build tools

package mqtt_test

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

// stands are the modes that a link outlives: nothing in them breaks the protocol.
var stands = []string{"none", "suback-refused", "ack-reordered", "ack-late", "flood-unknown", "flood-trigger", "flood-deep", "flood-deep-value",
	"flood-large", "flood-no-text", "flood-long-topic", "flood-longest", "flood-one-id", "flood-enabled", "flood-offline", "flood-info", "flood-elsewhere"}

// silent are those in which nothing wrong is said: a time-out ends the link.
var silent = []string{"connack-nothing", "connack-refused", "connack-code-1", "connack-code-2", "connack-code-3", "connack-code-4", "suback-never", "ack-never", "ack-some", "stray-publish-256-mb"}

// A broker that does anything wrong neither ends nor holds nor fills the client:
// the ledger balances all the while and agrees with the broker's own count, the
// reason is said, and Close returns.
func TestHostileBrokers(t *testing.T) {
	mqtttest.NoLeaks(t)
	t.Run("modes", func(t *testing.T) {
		for _, mode := range mqtttest.FakeModes() {
			t.Run(mode, func(t *testing.T) {
				t.Parallel()
				hostile(t, mode)
			})
		}
	})
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapInuse > 200<<20 {
		t.Errorf("%d MB of heap for %d clients", m.HeapInuse>>20, len(mqtttest.FakeModes()))
	}
}

func hostile(t *testing.T, mode string) {
	t.Helper()
	f := mqtttest.NewFake(t, mode)
	log := &bytesLog{}
	cfg := quick(f.URL(), log)
	cfg.MaxPayload, cfg.QueueBytes = 8<<10, 256<<10
	standing := slices.Contains(stands, mode)
	if !standing { // what waits for a time-out does not wait long
		cfg.AckTimeout, cfg.ConnectTimeout, cfg.KeepAlive = 300*time.Millisecond, 300*time.Millisecond, time.Second
	}
	r := newRig(t, cfg, log)
	r.c.Handle("trigger", func(context.Context, mqtt.Request) (any, error) { return nil, nil })
	r.c.HandleEnabled(func(context.Context, string, bool, bool) error { return nil })
	r.c.Start()
	r.load(20 * time.Millisecond)
	mqtttest.Until(t, patience, "what the mode does\n"+log.String(), func() bool {
		if standing {
			return r.c.Ledger()[mqtt.KindResult].Acknowledged > 20
		}
		told := slices.Contains(silent, mode) || log.count("breaks the protocol") > 0 // a busy machine's time-out may be sooner
		return told && f.Connections.Load() >= 2
	})
	r.closeSoon()
	l, led := link(r), r.c.Ledger()
	var acked uint64
	for _, a := range led {
		acked += a.Acknowledged
	}
	if got := uint64(f.Acked.Load()); acked > got || standing && acked < led[mqtt.KindResult].Acknowledged {
		t.Errorf("the ledger has %d acknowledged, the broker %d", acked, got)
	}
	if standing && l.Connections != 1 {
		t.Errorf("%d connections: the link should have stood\n%s", l.Connections, log)
	}
	said := log.count("breaks the protocol") > 0
	if want := !standing && !slices.Contains(silent, mode); said != want {
		t.Errorf("a breach was said: %v, want %v\n%s", said, want, log)
	}
	if strings.Contains(log.String(), "BUG") {
		t.Error(log)
	}
}

func link(r *rig) mqtt.LinkStats {
	l, _ := r.c.Link()
	return l
}

// closeSoon is close for a broker that may acknowledge nothing more.
func (r *rig) closeSoon() {
	r.t.Helper()
	r.closed = true
	close(r.stop)
	r.ended.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := r.c.Close(ctx); err != nil {
		r.t.Error(err)
	}
	if took := time.Since(began); took > patience {
		r.t.Errorf("Close took %v", took)
	}
	r.balanced()
}
