package daemon

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"edged/internal/config"
	"edged/internal/daemontest"
	"edged/mqtt"
)

// shadowed is a rig whose camera has a shadow: the same net with a last layer
// that says something else.
func shadowed(t *testing.T, on Engines, more string) *rig {
	t.Helper()
	return startRigOn(t, on, slog.DiscardHandler, func(dense []byte) []byte {
		writeShadow(t, dense)
		return nil
	}, "shadow = "+quoted(shadowPath)+"\n[[camera.rule]]\nclass = \"scratch\"\n"+more+"\n[audit]\nshare = 0.5")
}

// shadowPath is where the test that runs has its shadow.
var shadowPath string

func quoted(s string) string { return `"` + s + `"` }

func writeShadow(t *testing.T, dense []byte) {
	t.Helper()
	out := altered(t, dense, 2, func(bias []float32) { bias[2] += 50 }) // scratch everywhere
	if err := os.WriteFile(shadowPath, out, 0o644); err != nil {
		t.Fatal(err)
	}
}

func shadowStats(r *rig) *mqtt.ShadowStats { return r.d.units[0].shadowStats() }

// A shadow looks at the same frames, is compared by class and by verdict, and
// touches no result. Promoted, it is the model; rolled back, it is the shadow
// again: both say so, with hashes.
func TestShadowPromotedAndRolledBack(t *testing.T) {
	shadowPath = filepath.Join(t.TempDir(), "new.tflite")
	r := shadowed(t, engines, "")
	began := daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventShadow })
	// The belt shows a scratch to both now and then: verdicts differ where it shows none.
	await(t, func() bool { s := shadowStats(r); return s != nil && s.Frames >= 5 && s.VerdictsDiffering > 0 })
	s := shadowStats(r)
	if c := s.Classes["scratch"]; c.ShadowOnly == 0 || s.VerdictsDiffering == 0 || s.Failed != 0 || began.Changes[0].Value != s.SHA256 {
		t.Errorf("stats %+v, event %+v", s, began)
	}
	if s.Classes["background"].LiveOnly+s.Classes["metal"].LiveOnly == 0 {
		t.Errorf("stats %+v", s)
	}
	info := r.d.units[0].modelInfo()
	if info.Shadow == nil || info.Shadow.SHA256 != s.SHA256 || info.Shadow.Name != "new.tflite" {
		t.Errorf("info %+v", info.Shadow)
	}
	if got := r.Got("edged/n/c0/result"); strings.Contains(string(got[len(got)-1]), "new.tflite") {
		t.Errorf("a result of the shadow: %s", got[len(got)-1])
	}

	live := info.SHA256
	if a := r.Request("rollback", "t0", ""); a.Status != "error" || !strings.Contains(a.Error, "nothing to roll back") {
		t.Errorf("rollback before anything was promoted: %+v", a)
	}
	if a := r.Request("promote", "t1", ""); a.Status != "ok" {
		t.Fatalf("promote: %+v", a)
	}
	exchanged(t, r, "promoted", live, s.SHA256)
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Model == "new.tflite" && p.Verdict == "NG" })
	await(t, func() bool { return strings.Contains(r.d.units[0].whyNoShadow(), "model in use") })
	if a := r.Request("promote", "t2", ""); a.Status != "error" || !strings.Contains(a.Error, "no shadow that runs") {
		t.Errorf("promote again: %+v", a)
	}
	if a := r.Request("reload", "t3", ""); a.Status != "ok" || r.d.units[0].modelInfo().SHA256 != s.SHA256 {
		t.Errorf("a reload undid the promotion: %+v", a)
	}
	if a := r.Request("rollback", "t4", ""); a.Status != "ok" {
		t.Fatalf("rollback: %+v", a)
	}
	exchanged(t, r, "rolled back", s.SHA256, live)
	await(t, func() bool { s := shadowStats(r); return s != nil && s.Frames >= 1 })
}

// exchanged waits for the event that tells which model stands in place of which.
func exchanged(t *testing.T, r *rig, word, from, to string) {
	t.Helper()
	e := daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return strings.HasPrefix(e.Message, word) })
	if e.Kind != mqtt.EventShadow || e.Source != "request" || len(e.Changes) != 1 || e.Changes[0].Previous != from || e.Changes[0].Value != to {
		t.Errorf("event %+v", e)
	}
	if got := r.d.units[0].modelInfo().SHA256; got != to {
		t.Errorf("model %s is in use, not %s", got, to)
	}
}

// A promotion outlives a restart, until the model's file is replaced; a copy that
// was altered is not used.
func TestPromotionsOutliveARestart(t *testing.T) {
	shadowPath = filepath.Join(t.TempDir(), "new.tflite")
	dir := t.TempDir()
	path := daemontest.DenseFile(t, dir, "belt_valid.tflite", 48, 56)
	dense, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	writeShadow(t, dense)
	text := "[node]\nname = \"n\"\nhttp = \"\"\n[mqtt]\nspool_dir = \"state\"\n[[camera]]\nname = \"c0\"\nsource = \"test:belt\"\nmodel = \"dense.tflite\"\nengine = \"go\"\nshadow = " + quoted(shadowPath) + "\n"
	start := func() *Daemon {
		t.Helper()
		c := config.Parse(filepath.Join(dir, "edged.toml"), []byte(text), config.Engines{Names: []string{"go"}, MaxThreads: 1})
		if err := c.Err(); err != nil {
			t.Fatal(err)
		}
		on := engines
		on.trial = noTrial
		d, err := New(context.Background(), c, Options{Log: slog.New(slog.DiscardHandler), Engines: on, Version: version})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(d.abandon)
		return d
	}
	first := start().units[0]
	live := first.modelInfo().SHA256
	first.shadow = &running{}
	new, err := os.ReadFile(shadowPath)
	if err != nil {
		t.Fatal(err)
	}
	promoted := sha256Hex(new)
	first.shadow.info.SHA256 = promoted
	if _, err := first.promote(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(shadowPath); err != nil {
		t.Fatal(err)
	}
	if m := start().units[0].modelInfo(); m.SHA256 != promoted || m.Name != "new.tflite" {
		t.Errorf("after a restart: %+v", m)
	}
	kept := filepath.Join(dir, "state", "c0.promoted.tflite")
	new[len(new)-1] ^= 1
	if err := os.WriteFile(kept, new, 0o644); err != nil {
		t.Fatal(err)
	}
	if u := start().units[0]; u.modelInfo().SHA256 != live || !strings.Contains(u.startFault, "promoted") {
		t.Errorf("an altered copy: %+v, %q", u.modelInfo(), u.startFault)
	}
	new[len(new)-1] ^= 1
	if err := os.WriteFile(kept, new, 0o644); err != nil {
		t.Fatal(err)
	}
	other := altered(t, dense, 2, func(bias []float32) { bias[1]++ })
	if err := os.WriteFile(path, other, 0o644); err != nil {
		t.Fatal(err)
	}
	if m := start().units[0].modelInfo(); m.SHA256 != sha256Hex(other) {
		t.Errorf("a new model was deployed, and %+v runs", m)
	}
}

// A shadow that crashes its trial, is no model or ended the daemon before is
// told, and the camera goes on.
func TestABadShadowIsNoFaultOfTheCamera(t *testing.T) {
	for name, c := range map[string]struct {
		trial func(context.Context, []byte, Trial) (Answer, error)
		write []byte
		want  string
	}{
		"crashes":    {func(_ context.Context, m []byte, _ Trial) (Answer, error) { return Answer{}, crashOn(m) }, nil, "segmentation fault"},
		"is no file": {noTrial, []byte("not a model"), "new.tflite"},
	} {
		t.Run(name, func(t *testing.T) {
			shadowPath = filepath.Join(t.TempDir(), "new.tflite")
			on := engines
			on.trial = c.trial
			r := startRigOn(t, on, slog.DiscardHandler, func(dense []byte) []byte {
				writeShadow(t, dense)
				if c.write != nil {
					if err := os.WriteFile(shadowPath, c.write, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				return nil
			}, "shadow = "+quoted(shadowPath))
			e := daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventShadow })
			if !strings.Contains(e.Message, c.want) {
				t.Errorf("event %+v", e)
			}
			seq := uint64(len(r.Got("edged/n/c0/result")))
			daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Seq > seq+2 })
		})
	}
	d, u := &Daemon{memory: mustMemory(t)}, &unit{cfg: &config.Camera{Name: "c"}}
	u.d = d
	if err := u.shadowAttempt("abc"); err != nil {
		t.Fatal(err)
	}
	d.memory.of(shadowOf("c")).Attempts = 1
	if err := u.shadowAttempt("abc"); err == nil {
		t.Error("a shadow that the daemon crashed in is tried again")
	}
	if err := u.shadowAttempt("def"); err != nil {
		t.Errorf("another shadow: %v", err)
	}
}

// crashOn fails for the shadow alone.
func crashOn(m []byte) error {
	shadow, err := os.ReadFile(shadowPath)
	if err == nil && slices.Equal(m, shadow) {
		return errors.New("engine go: the trial run ended with segmentation fault")
	}
	return nil
}

func mustMemory(t *testing.T) *memory {
	t.Helper()
	m, err := openMemory(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func sha256Hex(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// A shadow that was called off while it was being opened takes the place of none.
func TestACancelledShadowOverwritesNothing(t *testing.T) {
	u := &unit{}
	ctx, cancel := context.WithCancel(context.Background())
	now := &running{}
	if !u.setShadow(ctx, now, "") || u.shadow != now {
		t.Error("a shadow that runs is not noted")
	}
	cancel()
	if u.setShadow(ctx, &running{}, "") || u.setShadow(ctx, nil, "it crashes") || u.shadow != now || u.noShadow != "" {
		t.Errorf("shadow %p, %q: %p runs", u.shadow, u.noShadow, now)
	}
}
