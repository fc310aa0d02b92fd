package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"edged"
	"edged/fallback"
	"edged/internal/audit"
	"edged/internal/config"
	"edged/internal/daemontest"
	"edged/internal/stage"
	"edged/model"
	"edged/mqtt"
)

// flipped is the engine in Go with a second plan of the same net whose weights
// were altered: it runs that one from when on it is told.
type flipped struct {
	edged.Engine
	wrong edged.Engine
	now   *atomic.Bool
}

func (e *flipped) Run() error {
	if err := e.Engine.Run(); err != nil || !e.now.Load() {
		return err
	}
	copy(e.wrong.Input(0), e.Engine.Input(0))
	if err := e.wrong.Run(); err != nil {
		return err
	}
	copy(e.Output(0), e.wrong.Output(0))
	return nil
}

func (e *flipped) Close() error { e.wrong.Close(); return e.Engine.Close() }

// denseHeight tells the dense net of the rig from its baseline.
const denseHeight = 48

// flippingPlan are engines on which weights of the dense net flip when now is set:
// "go", and "other" if it is asked for, which stays as it is.
func flippingPlan(now *atomic.Bool, flip func(file []byte) []byte, others ...string) Engines {
	open := func(name string, file []byte, o edged.Options) (edged.Engine, error) {
		e, err := fallback.Open(file, o)
		if err != nil || name != "go" || e.Inputs()[0].Shape[1] != denseHeight {
			return named{e, name}, err
		}
		wrong, err := fallback.Open(flip(file), o)
		return named{&flipped{e, wrong, now}, name}, err
	}
	return Engines{Open: open, Auto: append([]string{"go"}, others...), trial: noTrial}
}

// named is an engine with the name that it is asked for by.
type named struct {
	edged.Engine
	name string
}

func (n named) Name() string { return n.name }

// negatedWeight is a dense file with one sign turned in its last layer.
func negatedWeight(t *testing.T) func(file []byte) []byte {
	return func(file []byte) []byte { return altered(t, file, 1, func(w []float32) { w[0] = -w[0] - 1 }) }
}

// A weight that flips while the daemon runs is told with its evidence, and the
// verdict becomes unsure where no other engine is there.
func TestFlippedWeightIsToldAndVerdictsAreUnsure(t *testing.T) {
	var now atomic.Bool
	r := startRigOn(t, flippingPlan(&now, negatedWeight(t)), slog.DiscardHandler, keep, "[[camera.rule]]\nclass = \"scratch\"\n[audit]\nshare = 0.3")
	audited(t, r)
	now.Store(true)
	first := daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventAudit })
	if e := first.Evidence; e == nil || e.Difference <= e.Margin || e.Row >= 10 || e.Col >= 18 || len(e.Engines) != 2 {
		t.Fatalf("event %+v, evidence %+v", first, e)
	}
	img, err := png.Decode(bytes.NewReader(first.Evidence.PNG))
	if err != nil || img.Bounds().Dx() < 16 || img.Bounds().Dx() > 56 {
		t.Errorf("picture %v, %v", img, err)
	}
	res := daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Verdict == mqtt.Unsure })
	if len(res.Reasons) != 1 || res.Reasons[0].Kind != "audit" {
		t.Errorf("reasons %+v", res.Reasons)
	}
	last := daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return strings.Contains(e.Message, "no other engine") })
	if !strings.Contains(last.Message, "only engine") {
		t.Errorf("event %+v", last)
	}

	// Loaded anew, the model is right again, and believed.
	now.Store(false)
	if a := r.Request("reload", "t1", ""); a.Status != "ok" {
		t.Errorf("reload: %+v", a)
	}
	seq := len(r.Got("edged/n/c0/result"))
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Seq > uint64(seq) && p.Verdict != mqtt.Unsure })
}

// Where another engine agrees with the baseline it takes over, and says so.
func TestAnotherEngineTakesOver(t *testing.T) {
	var now atomic.Bool
	r := startRigOn(t, flippingPlan(&now, negatedWeight(t), "other"), slog.DiscardHandler, keep, "[[camera.rule]]\nclass = \"scratch\"\n[audit]\nshare = 0.3")
	audited(t, r)
	now.Store(true)
	e := daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return strings.Contains(e.Message, "takes over from") })
	if len(e.Changes) != 1 || e.Changes[0].Previous != "go" || e.Changes[0].Value != "other" {
		t.Errorf("event %+v", e)
	}
	res := daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Engine == "other" })
	if res.Verdict == mqtt.Unsure {
		t.Errorf("result %+v", res)
	}
	pairs := r.d.units[0].audits.Counts().Engines
	if pairs["go/go"] == 0 {
		t.Errorf("pairs %v", pairs)
	}
}

// An engine that is wrong on the other net too does not take over.
func TestAWrongEngineDoesNotTakeOver(t *testing.T) {
	var now atomic.Bool
	on := flippingPlan(&now, negatedWeight(t), "other")
	right := on.Open
	on.Open = func(name string, file []byte, o edged.Options) (edged.Engine, error) {
		if e, err := right(name, file, o); name != "other" || err != nil || e.Inputs()[0].Shape[1] != denseHeight {
			return e, err
		}
		e, err := fallback.Open(negatedWeight(t)(file), o)
		return named{e, name}, err
	}
	r := startRigOn(t, on, slog.DiscardHandler, keep, "[audit]\nshare = 0.3")
	audited(t, r)
	now.Store(true)
	e := daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return strings.Contains(e.Message, "no other engine") })
	if !strings.Contains(e.Message, "differs") || e.Verdict != mqtt.Unsure {
		t.Errorf("event %+v", e)
	}
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Verdict == mqtt.Unsure })
}

// What cannot be audited says so, and runs.
func TestNoAuditIsTold(t *testing.T) {
	log := &sharedLog{}
	r := startRigOn(t, engines, slog.NewTextHandler(log, nil), withoutRecipe(t), "", "[audit]\nshare = 0.3")
	s := awaitStats(t, r, func(a *mqtt.AuditStats) bool { return a.Off != "" })
	if !strings.Contains(s.Off, "no way back") || s.Positions != 0 {
		t.Errorf("%+v", s)
	}
	await(t, func() bool { return strings.Count(log.String(), "not audited") == 2 })
	off := startRig(t, "[audit]\nshare = 0")
	if s := awaitStats(t, off, func(a *mqtt.AuditStats) bool { return a.Off != "" }); !strings.Contains(s.Off, "share is 0") {
		t.Errorf("%+v", s)
	}
}

func keep([]byte) []byte { return nil }

// withoutRecipe takes the way back out of a manifest.
func withoutRecipe(t *testing.T) func(dense []byte) []byte {
	return func(dense []byte) []byte {
		m, err := model.Read(dense)
		if err != nil {
			t.Fatal(err)
		}
		f, err := m.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		f.Inverse = nil
		if err := m.SetManifest(f); err != nil {
			t.Fatal(err)
		}
		out, err := m.Write()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// audited waits until positions were audited.
func audited(t *testing.T, r *rig) {
	t.Helper()
	awaitStats(t, r, func(a *mqtt.AuditStats) bool { return a.Positions >= 20 })
	if n := len(eventsOf(r, mqtt.EventAudit)); n != 0 {
		t.Fatalf("%d alarms before anything is wrong", n)
	}
}

func awaitStats(t *testing.T, r *rig, fits func(a *mqtt.AuditStats) bool) (s *mqtt.AuditStats) {
	t.Helper()
	await(t, func() bool { s = r.d.units[0].auditStats(); return fits(s) })
	return s
}

func await(t *testing.T, is func() bool) {
	t.Helper()
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit); time.Sleep(5 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatal("it never came")
}

func eventsOf(r *rig, kind string) (list []*mqtt.Event) {
	for _, b := range r.Got("edged/n/c0/event") {
		var e mqtt.Event
		if json.Unmarshal(b, &e) == nil && e.Kind == kind {
			list = append(list, &e)
		}
	}
	return list
}

func noTrial(context.Context, []byte, Trial) (Answer, error) { return Answer{}, nil }

// Evidence that the broker would not take is kept in a file, whatever the config
// hopes for.
func TestEvidenceFitsTheBroker(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range img.Pix {
		img.Pix[i] = byte(r.Uint32())
	}
	cfg := &config.Config{}
	cfg.MQTT.MaxPayload, cfg.MQTT.SpoolDir = 1<<20, t.TempDir()
	u := &unit{d: &Daemon{cfg: cfg}, cfg: &config.Camera{Name: "c"}, log: slog.New(slog.DiscardHandler)}
	if e := u.evidence(audit.Finding{Picture: img}); len(e.PNG) < 8192 || e.File != "" {
		t.Errorf("%d bytes within a megabyte, file %q", len(e.PNG), e.File)
	}
	learned := mqtt.Default()
	learned.Node, learned.Broker, learned.MaxPayload = "n", "tcp://127.0.0.1:1", 8192
	var err error
	if u.d.client, err = mqtt.New(learned); err != nil {
		t.Fatal(err)
	}
	e := u.evidence(audit.Finding{Picture: img})
	if data, err := os.ReadFile(e.File); err != nil || e.PNG != nil || len(data) < 8192 {
		t.Errorf("%d bytes where the broker takes 8192, file %q: %v", len(e.PNG), e.File, err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.MQTT.SpoolDir = filepath.Join(file, "state") // no folder can be there
	if e := u.evidence(audit.Finding{Picture: img}); e.File != "" || e.PNG != nil {
		t.Errorf("evidence in %q, which could not be written", e.File)
	}
}

// A crash in the audit is not held against the model: the audit does without the
// engines that can crash from then on.
func TestACrashInTheAuditIsNoFaultOfTheModel(t *testing.T) {
	m := mustMemory(t)
	u := &unit{cfg: &config.Camera{Name: "c"}, log: slog.New(slog.DiscardHandler), d: &Daemon{memory: m, opts: Options{Engines: Engines{Auto: []string{"go", "tflite"}}}}}
	l := &loaded{file: &stage.File{SHA256: "abc"}, asked: "tflite"}
	if got := u.auditEngines(l); len(got) != 2 {
		t.Errorf("before any crash: %v", got)
	}
	if _, err := m.attempt("c", "abc"); err != nil {
		t.Fatal(err)
	}
	m.marks.of("c").set(inferring, "abc") // the model is at work too
	ran := make(chan string)
	go func() { // as an audit does: in a goroutine of its own
		mark := u.auditMark("abc")
		mark(true)
		mark(false)
		mark(true)
		ran <- fmt.Sprintf("SIGSEGV: segmentation violation\nPC=0x7f m=0 sigcode=1 addr=0x0\n\ngoroutine %d gp=0xc0 m=0 mp=0x1 [syscall]:\ngithub.com/mattn/go-tflite.x(0x1)\n", goroutineID())
	}()
	if err := os.WriteFile(m.path("crash.txt"), []byte(<-ran), 0o600); err != nil {
		t.Fatal(err)
	}
	next, err := openMemory(m.dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(next.blame) != 1 || next.blame[0].camera != auditOf("c") || next.of("c").Attempts != 0 {
		t.Errorf("blamed: %+v, the model %d times", next.blame, next.of("c").Attempts)
	}
	u.d.memory = next
	if got := u.auditEngines(l); len(got) != 1 || got[0] != "go" {
		t.Errorf("after a crash in it: %v", got)
	}
	if got := u.auditEngines(&loaded{file: &stage.File{SHA256: "def"}, asked: "tflite"}); len(got) != 2 {
		t.Errorf("another model: %v", got)
	}
}
