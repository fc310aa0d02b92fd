package daemon

import (
	"bytes"
	"log/slog"
	"math"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"edged"
	"edged/internal/daemontest"
	"edged/mqtt"
)

func altered(t *testing.T, dense []byte, input int, change func(w []float32)) []byte {
	t.Helper()
	out, err := daemontest.Altered(dense, input, change)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sharedLog is a log that a test reads while it is written.
type sharedLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *sharedLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *sharedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// A net that gives something that is not a number gives no verdict, tells so
// once in the log and once as an event, and its frames count as failed: whether
// the file says so, or it shows only when the net runs.
func TestNoVerdictComesOutOfNotANumber(t *testing.T) {
	const weights, bias = 1, 2
	for name, alter := range map[string]func(dense []byte) []byte{
		"NaN weight":    func(d []byte) []byte { return altered(t, d, weights, func(w []float32) { w[5] = float32(math.NaN()) }) },
		"infinite bias": func(d []byte) []byte { return altered(t, d, bias, func(w []float32) { w[3] = float32(math.Inf(-1)) }) },
		"weights too large": func(d []byte) []byte {
			return altered(t, d, weights, func(w []float32) {
				for i := range w {
					w[i] = math.MaxFloat32
				}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			log := &sharedLog{}
			r := startRigOn(t, engines, slog.NewTextHandler(log, nil), alter, "[[camera.rule]]\nclass = \"scratch\"")
			e := daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventFault })
			if !strings.Contains(e.Message, "not a number") {
				t.Errorf("event %+v", e)
			}
			awaitFailed(t, r, 5)
			if n := len(r.Got("edged/n/c0/result")); n != 0 {
				t.Errorf("%d results", n)
			}
			if n := len(r.Got("edged/n/c0/event")); n != 1 {
				t.Errorf("%d events", n)
			}
			if n := strings.Count(log.String(), "not a number"); n != 1 {
				t.Errorf("%d lines say so:\n%s", n, log)
			}
		})
	}
}

func awaitFailed(t *testing.T, r *rig, least uint64) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); r.d.units[0].account().Failed < least; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("account %+v", r.d.units[0].account())
		}
	}
	if f := r.d.units[0].account(); f.RefusedBy["not_a_number"] != f.Failed {
		t.Errorf("account %+v", f)
	}
}

// flipping is the engine in Go in whose memory a weight becomes NaN while it
// runs, as far as anybody outside can see.
type flipping struct {
	edged.Engine
	flipped *atomic.Bool
}

func (e *flipping) Run() error {
	err := e.Engine.Run()
	if e.flipped.Load() {
		out := edged.View[float32](e.Engine.Output(0))
		out[len(out)-1] = float32(math.NaN()) // of the last class, at the last position
	}
	return err
}

func TestAWeightThatFlipsWhileItRuns(t *testing.T) {
	var flipped atomic.Bool
	on := engines
	on.Open = func(name string, m []byte, o edged.Options) (edged.Engine, error) {
		e, err := openEngine(name, m, o)
		return &flipping{e, &flipped}, err
	}
	r := startRigOn(t, on, slog.DiscardHandler, func([]byte) []byte { return nil }, "[[camera.rule]]\nclass = \"scratch\"")
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Seq > 2 })
	flipped.Store(true)
	awaitFailed(t, r, 3)
	published := r.d.units[0].camera.Counts().Published
	awaitFailed(t, r, 6)
	if now := r.d.units[0].camera.Counts().Published; now != published {
		t.Errorf("%d results of outputs that are not numbers", now-published)
	}
	flipped.Store(false)
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Seq > published })
}

// A model that is deployed while another works, and gives no numbers, is not
// taken.
func TestNotANumberIsNotDeployed(t *testing.T) {
	r := startRig(t, "")
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return true })
	good, err := os.ReadFile(r.model)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.model, altered(t, good, 1, func(w []float32) { w[5] = float32(math.NaN()) }), 0o644); err != nil {
		t.Fatal(err)
	}
	if a := r.Request("reload", "r1", ""); a.Status != "error" || !strings.Contains(a.Error, "the old one stays") || !strings.Contains(a.Error, "not a number") {
		t.Errorf("answer %+v", a)
	}
	last := r.d.units[0].camera.Counts().Published
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Seq > last })
}
