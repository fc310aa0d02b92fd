//go:build tools

package mqtt_test

import (
	"bytes"
	"context"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"edged"
	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

// longRun tells whether the long form of the fault scenarios was asked for.
func longRun() bool { return os.Getenv("EDGED_FAULTS") != "" }

// rounds is how often a fault scenario is repeated.
func rounds() int {
	if longRun() {
		return 3
	}
	return 1
}

// patience is for a hang, not for speed: what a test waits for comes at once on a
// quiet machine, and may take long beside others' work.
const patience = time.Minute

// quick is a configuration for broker b whose time-outs suit a test: as short as
// a busy machine allows without a link given up that stands.
func quick(url string, log *bytesLog) mqtt.Config {
	c := mqtt.Default()
	c.Node, c.Broker = "n1", url
	c.KeepAlive, c.AckTimeout, c.ConnectTimeout = 4*time.Second, 3*time.Second, 10*time.Second
	c.BackoffMin, c.BackoffMax, c.StatsEvery = 100*time.Millisecond, 500*time.Millisecond, 500*time.Millisecond
	c.Log = slog.New(slog.NewTextHandler(log, nil))
	return c
}

// bytesLog is a log that a test can read while it is written.
type bytesLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *bytesLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *bytesLog) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

func (l *bytesLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// rig is a client under load: it publishes a result and a mask every few
// milliseconds, as a camera would, and checks the ledger all the while.
type rig struct {
	t     *testing.T
	c     *mqtt.Client
	log   *bytesLog
	mask  *edged.Mask
	seq   uint64
	stop  chan struct{}
	ended sync.WaitGroup

	closed bool
}

func newRig(t *testing.T, cfg mqtt.Config, log *bytesLog) *rig {
	t.Helper()
	c, err := mqtt.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Info(mqtt.Info{Version: "test", StartedAt: mqtt.Time{Time: time.Now()}}); err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, c: c, log: log, mask: noisy(160, 120), stop: make(chan struct{})}
	t.Cleanup(func() { // after a failure that ended the test early
		if !r.closed {
			r.close()
		}
	})
	return r
}

// noisy is a mask of w by h with a few thousand bytes as PNG.
func noisy(w, h int) *edged.Mask {
	m := &edged.Mask{Pix: make([]byte, w*h), Stride: w, W: w, H: h, Grid: edged.Grid{Stride: [2]float64{2, 2}, Origin: [2]float64{1, 1}}}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range m.Pix {
		m.Pix[i] = uint8(r.IntN(4))
	}
	return m
}

func (r *rig) load(every time.Duration) {
	r.ended.Add(1)
	go func() {
		defer r.ended.Done()
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			select {
			case <-r.stop:
				return
			case <-t.C:
				r.publish()
			}
		}
	}()
}

func (r *rig) publish() {
	r.seq++
	res := &mqtt.Result{
		Seq: r.seq, TS: mqtt.Time{Time: time.Now()}, Frame: mqtt.Size{W: 320, H: 240}, ROI: mqtt.Rect{W: 320, H: 240},
		Fit: "crop", Model: "test", Verdict: "OK", Classes: []mqtt.Class{{ID: 0, Name: "belt", Px: 19200, Ratio: 1}},
	}
	if err := r.c.Publish("cam", res, r.mask); err != nil {
		r.t.Error(err)
	}
	if r.seq%10 == 0 {
		if err := r.c.Event("cam", mqtt.Event{Kind: mqtt.EventVerdict, Verdict: "NG", Previous: "OK"}); err != nil {
			r.t.Error(err)
		}
	}
	r.balanced()
}

func (r *rig) balanced() {
	for k, a := range r.c.Ledger() {
		if !a.Balanced() {
			r.t.Errorf("%s does not balance: %+v", k, a)
		}
	}
}

// close stops the load and the client; in the end nothing may be in flight but
// spooled events.
func (r *rig) close() mqtt.Ledger {
	r.t.Helper()
	r.closed = true
	close(r.stop)
	r.ended.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.c.Close(ctx); err != nil {
		r.t.Error(err)
	}
	r.balanced()
	return r.c.Ledger()
}

// resumes waits until the auditor gets results again after a fault is over.
func (r *rig) resumes(a *mqtttest.Auditor) {
	r.t.Helper()
	had := a.Seen("cam", mqtt.KindResult)
	mqtttest.Until(r.t, patience, "results to arrive again\n"+r.log.String(), func() bool { return a.Seen("cam", mqtt.KindResult) > had+2 })
}

// audit compares the ledger with what the auditor has got.
func (r *rig) audit(a *mqtttest.Auditor, l mqtt.Ledger) {
	r.t.Helper()
	for _, k := range []mqtt.Kind{mqtt.KindResult, mqtt.KindMask, mqtt.KindEvent} {
		got, acc := uint64(a.Seen("cam", k)), l[k]
		sure := acc.Acknowledged + acc.HandedOver
		mqtttest.Until(r.t, patience, string(k)+" to arrive", func() bool { got = uint64(a.Seen("cam", k)); return got >= sure })
		if got > sure+acc.Unknown {
			r.t.Errorf("%s: %d arrived, but only %d were sent for sure and %d perhaps: %+v", k, got, sure, acc.Unknown, acc)
		}
		if m := a.Missing("cam", k); len(m) > 0 {
			r.t.Errorf("%s: numbers %v are missing and were not reported; ledger %+v", k, m, acc)
		}
		r.t.Logf("%-6s %+v; arrived %d, repeated %d, reported %v", k, acc, got, a.Repeated("cam", k), a.Reported("cam", k))
	}
}
