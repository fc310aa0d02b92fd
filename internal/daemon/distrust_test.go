package daemon

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"edged"
	"edged/fallback"
	"edged/internal/config"
	"edged/internal/daemontest"
	"edged/mqtt"
	"edged/train/nets"
)

// An engine that the audit found wrong does not come back by a config that
// changes, by SIGHUP, by a reload or by a restart; another camera.engine or
// another file tries it again.
func TestAWrongEngineDoesNotComeBack(t *testing.T) {
	var now atomic.Bool
	r := startRigOn(t, flippingPlan(&now, negatedWeight(t), "other"), slog.DiscardHandler, keep, "[[camera.rule]]\nclass = \"scratch\"\n[audit]\nshare = 0.3")
	edit := rewritable(r)
	u := r.d.units[0]
	audited(t, r)
	now.Store(true)
	daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return strings.Contains(e.Message, "takes over from") })
	edit("class = \"scratch\"", "class = \"metal\"\nverdict = \"part\"")
	r.hangup <- os.Interrupt
	configEvent(r, "c0", "rule")
	if a := r.Request("reload", "r1", ""); a.Status != "ok" {
		t.Fatalf("answer %+v", a)
	}
	seq := u.camera.Counts().Published
	res := daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Seq > seq+1 })
	if res.Engine != "other" {
		t.Errorf("after a change of the config: result on %s", res.Engine)
	}
	r.end()
	if m := r.restart(flippingPlan(&now, negatedWeight(t), "other")); m.Engine != "other" || !strings.Contains(m.Why, "found the answers of go wrong") {
		t.Errorf("after a restart: %+v", m)
	}
	data, err := os.ReadFile(r.model)
	if err == nil {
		err = os.WriteFile(r.model, append(data, 0), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	if m := r.restart(flippingPlan(&now, negatedWeight(t), "other")); m.Engine != "go" {
		t.Errorf("another file: %+v", m)
	}
}

// restart is what a daemon that starts anew on r's folder runs.
func (r *rig) restart(on Engines) mqtt.ModelInfo {
	r.t.Helper()
	c := config.Parse(filepath.Join(r.dir, "edged.toml"), []byte(r.config), config.Engines{Names: []string{"go"}, MaxThreads: 1})
	if err := c.Err(); err != nil {
		r.t.Fatal(err)
	}
	d, err := New(context.Background(), c, Options{Log: slog.New(slog.DiscardHandler), Engines: on, Version: version})
	if err != nil {
		r.t.Fatal(err)
	}
	defer d.abandon()
	return d.Info().Models[0]
}

// "auto" does not ask an engine that was found wrong, however fast it is and
// whatever was chosen before; where all are wrong, what was chosen last stays.
func TestAutoLeavesOutAWrongEngine(t *testing.T) {
	dir := t.TempDir()
	daemontest.DenseFile(t, dir, nets.Valid, 48, 56)
	took := map[string]time.Duration{"go": 1 * ms, "other": 9 * ms}
	var asked []string
	on := Engines{
		Open: func(_ string, m []byte, o edged.Options) (edged.Engine, error) { return fallback.Open(m, o) },
		Auto: []string{"go", "other"},
		trial: func(_ context.Context, _ []byte, t Trial) (Answer, error) {
			asked = append(asked, t.Engine)
			return Answer{Took: took[t.Engine]}, nil
		},
	}
	text := "[node]\nname = \"n\"\n[mqtt]\nspool_dir = \"state\"\n[[camera]]\nname = \"a\"\nsource = \"test:belt\"\nmodel = \"dense.tflite\"\n"
	c := config.Parse(filepath.Join(dir, "edged.toml"), []byte(text), config.Engines{Names: []string{"auto"}})
	d, err := New(context.Background(), c, Options{Log: slog.New(slog.DiscardHandler), Engines: on, Version: version})
	if err != nil {
		t.Fatal(err)
	}
	defer d.abandon()
	u := d.units[0]
	for _, wrong := range []struct{ engine, want, asks string }{{"", "go", ""}, {"go", "other", "other"}, {"other", "other", ""}} {
		asked = nil
		if wrong.engine != "" {
			u.distrust(u.inUse().file, wrong.engine)
		}
		file, err := u.readModel(u.now())
		if err != nil {
			t.Fatal(err)
		}
		choice, err := u.chooseEngine(context.Background(), file, u.now())
		if err != nil || choice.Engine != wrong.want || strings.Join(asked, " ") != wrong.asks {
			t.Errorf("%q is wrong too: %+v, %v, asked %v", wrong.engine, choice, err, asked)
		}
	}
	byName := *u.now()
	byName.Engine = "go"
	if wrong := u.wrongOn(u.inUse().file, &byName); len(wrong) != 0 {
		t.Errorf("another camera.engine: %v", wrong)
	}
	if m, err := openMemory(filepath.Join(dir, "state")); err != nil || len(m.wrongOn("a", u.circumstances(u.inUse().file, u.now()))) != 2 {
		t.Errorf("on disk: %v", err)
	}
}

// What is in doubt, with no engine to take over, stays so when the config
// changes; a reload loads the model anew and believes it.
func TestADoubtOutlivesAChangeOfTheConfig(t *testing.T) {
	var now atomic.Bool
	r := startRigOn(t, flippingPlan(&now, negatedWeight(t)), slog.DiscardHandler, keep, "[[camera.rule]]\nclass = \"scratch\"\n[audit]\nshare = 0.3")
	edit := rewritable(r)
	audited(t, r)
	now.Store(true)
	daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return strings.Contains(e.Message, "no other engine") })
	now.Store(false)
	edit("class = \"scratch\"", "class = \"metal\"")
	if _, err := r.d.reconfigure(context.Background()); err != nil {
		t.Fatal(err)
	}
	u := r.d.units[0]
	if got := u.now().Rules[0].Class; got != "metal" || !u.doubted() {
		t.Errorf("rule on %s, doubted %v", got, u.doubted())
	}
	seq := u.camera.Counts().Published
	if res := daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Seq > seq+1 }); res.Verdict != mqtt.Unsure {
		t.Errorf("result %+v", res)
	}
	if a := r.Request("reload", "t1", ""); a.Status != "ok" || u.doubted() {
		t.Errorf("reload: %+v", a)
	}
}
