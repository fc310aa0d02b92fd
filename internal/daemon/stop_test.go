package daemon

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"edged"
	"edged/mqtt"
)

// hanging is an engine whose Run does not return while it is told to hang.
type hanging struct {
	edged.Engine
	hang *atomic.Bool
	free chan struct{}
}

func (e hanging) Run() error {
	if e.hang.Load() {
		<-e.free
	}
	return e.Engine.Run()
}

// lockedBuffer is a log that is read when the daemon may still write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// An engine that hangs does not keep the daemon from its end: the broker hears
// goodbye and the state says that it was one.
func TestAHangingEngineDoesNotKeepTheEnd(t *testing.T) {
	h := hanging{hang: new(atomic.Bool), free: make(chan struct{})}
	on := engines
	on.Open = func(name string, data []byte, o edged.Options) (edged.Engine, error) {
		e, err := engines.Open(name, data, o)
		return hanging{e, h.hang, h.free}, err
	}
	on.trial = noTrial
	var log lockedBuffer
	r := startRigOn(t, on, slog.NewTextHandler(&log, nil), keep, "", "")
	defer close(h.free)
	for _, cam := range []string{"c0", "c1"} {
		r.First("edged/n/"+cam+"/result", 1)
	}
	h.hang.Store(true)
	await(t, func() bool {
		_, since, _ := r.d.units[0].camera.Progress()
		return time.Since(since) > 200*time.Millisecond
	})
	began := time.Now()
	r.stop()
	select {
	case <-r.done:
		r.done <- nil
	case <-time.After(time.Minute):
		t.Fatal("the daemon does not end")
	}
	t.Logf("the end took %v", time.Since(began).Round(time.Millisecond))
	if !strings.Contains(log.String(), "the end does not wait for cameras that do not stop") || !strings.Contains(log.String(), "c0: ") {
		t.Error(log.String())
	}
	r.AwaitText("edged/n/status", mqtt.Offline)
	var state memoryFile
	data, err := os.ReadFile(filepath.Join(r.dir, "state", "state.json"))
	if err != nil || json.Unmarshal(data, &state) != nil || state.Running || state.Reason != "told to stop" {
		t.Errorf("%v: %s", err, data)
	}
}

// Each step of the end gets what it wants as long as there is time, and always
// something.
func TestTheEndHasABudget(t *testing.T) {
	for name, c := range map[string]struct{ gone, want, least, most time.Duration }{
		"early": {0, 3 * time.Second, 3 * time.Second, 3 * time.Second}, "late": {3 * time.Second, 3 * time.Second, time.Second, 1500 * time.Millisecond},
		"over": {time.Minute, 3 * time.Second, leastTime, leastTime}, "little": {0, time.Millisecond, leastTime, leastTime},
	} {
		if got := (ending{time.Now().Add(-c.gone)}).grant(c.want); got < c.least || got > c.most {
			t.Errorf("%s: %v", name, got)
		}
	}
}
