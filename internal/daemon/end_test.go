package daemon

import (
	"os"
	"path/filepath"
	"testing"

	"edged/internal/daemontest"
	"edged/mqtt"
)

// Every frame and message is accounted for at the end, and the state says that
// the stop was clean.
func TestTheEndIsAccountedFor(t *testing.T) {
	r := startRig(t, "", `trigger = "interval:30ms"`)
	daemontest.Await(r.Subscriber, "edged/n/c1/result", func(p *mqtt.Result) bool { return p.Seq > 2 })
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return true })
	r.end()
	if l := r.d.Ledger(); !l.Balanced || l.Cameras["c0"].Published == 0 {
		t.Errorf("ledger %+v", l)
	}
	r.AwaitText("edged/n/status", mqtt.Offline)
	m := open(t, filepath.Join(r.dir, "state"))
	if s := m.lastStop(); s == nil || !s.Clean {
		t.Errorf("last stop %+v", s)
	}
	if _, err := os.Stat(filepath.Join(r.dir, "state", "state.json")); err != nil {
		t.Error(err)
	}
}
