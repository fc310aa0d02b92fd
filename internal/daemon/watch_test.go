package daemon

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"edged"
	"edged/internal/config"
	"edged/internal/daemontest"
	"edged/mqtt"
	"edged/train/nets"
)

// replaceDuring are engines whose next trial finds the file at path replaced
// while it runs.
func replaceDuring(t *testing.T) (on Engines, next *atomic.Pointer[func()]) {
	next = new(atomic.Pointer[func()])
	on = engines
	on.trial = func(context.Context, []byte, Trial) (Answer, error) {
		if do := next.Swap(nil); do != nil {
			(*do)()
		}
		return Answer{}, nil
	}
	return on, next
}

func replacing(t *testing.T, path string, data []byte) *func() {
	do := func() {
		if err := os.WriteFile(path+".new", data, 0o644); err != nil {
			t.Error(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Error(err)
		}
	}
	return &do
}

// A model that is replaced while it is being tried, at the start or because the
// config names another, is taken then, not with the change after.
func TestAModelReplacedDuringItsTrialIsTaken(t *testing.T) {
	dir := t.TempDir()
	path := daemontest.DenseFile(t, dir, nets.Valid, 48, 56)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	on, next := replaceDuring(t)
	text := "[node]\nname = \"n\"\nhttp = \"\"\n[audit]\nshare = 0\n[[camera]]\nname = \"a\"\nsource = \"test:belt?size=96x80\"\nmodel = \"dense.tflite\"\nengine = \"go\"\n"
	parse := func() (*config.Config, error) {
		c := config.Parse(filepath.Join(dir, "edged.toml"), []byte(text), config.Engines{Names: []string{"go"}, MaxThreads: 1})
		return c, c.Err()
	}
	c, err := parse()
	if err != nil {
		t.Fatal(err)
	}
	next.Store(replacing(t, path, append(data, 1)))
	d, err := New(context.Background(), c, Options{Log: slog.New(slog.DiscardHandler), Engines: on, Version: version, Reread: parse})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- d.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	u := d.units[0]
	await(t, func() bool { return u.modelInfo().SHA256 == sha256Hex(append(data, 1)) })

	second := filepath.Join(dir, "second.tflite")
	if err := os.WriteFile(second, append(data, 2), 0o644); err != nil {
		t.Fatal(err)
	}
	text = strings.Replace(text, "dense.tflite", "second.tflite", 1)
	next.Store(replacing(t, second, append(data, 3)))
	if _, err := d.reconfigure(ctx); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return u.modelInfo().SHA256 == sha256Hex(append(data, 3)) })
}

// A shadow replaced while it is being tried is begun anew.
func TestAShadowReplacedDuringItsTrialIsTaken(t *testing.T) {
	on, next := replaceDuring(t)
	r := startRigOn(t, on, slog.DiscardHandler, keep, "rotate = 0\n[audit]\nshare = 0.5")
	edit := rewritable(r)
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Seq > 1 })
	path := filepath.Join(r.dir, "shadow.tflite")
	data, err := os.ReadFile(r.model)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(data, 2), 0o644); err != nil {
		t.Fatal(err)
	}
	u := r.d.units[0]
	edit("rotate = 0", "rotate = 180\nshadow = \"shadow.tflite\"")
	swapped := replacing(t, path, append(data, 3))
	// The model's own trial comes first.
	do := func() { next.Store(swapped) }
	next.Store(&do)
	if _, err := r.d.reconfigure(context.Background()); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { s := u.shadowInfo(); return s != nil && s.SHA256 == sha256Hex(append(data, 3)) })
}

// The daemon ends though a model is being tried, or does not come back from being
// loaded.
func TestTheEndDoesNotWaitForAModel(t *testing.T) {
	for _, at := range []string{"trial", "load"} {
		t.Run(at, func(t *testing.T) {
			var hang atomic.Bool
			there, never := make(chan struct{}, 9), make(chan struct{})
			t.Cleanup(func() { close(never) })
			on := engines
			on.trial = func(ctx context.Context, _ []byte, _ Trial) (Answer, error) {
				if at == "trial" && hang.Load() {
					there <- struct{}{}
					<-ctx.Done()
					return Answer{}, ctx.Err()
				}
				return Answer{}, nil
			}
			on.Open = func(name string, m []byte, o edged.Options) (edged.Engine, error) {
				if at == "load" && hang.Load() {
					there <- struct{}{}
					<-never
				}
				return openEngine(name, m, o)
			}
			r := startRigOn(t, on, slog.DiscardHandler, keep, "[audit]\nshare = 0")
			daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Seq > 1 })
			hang.Store(true)
			data, err := os.ReadFile(r.model)
			if err == nil {
				err = os.WriteFile(r.model, append(data, 1), 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
			r.hangup <- os.Interrupt
			<-there
			r.end() // fails where it takes too long
			if n := len(eventsOf(r, mqtt.EventFault)); n != 0 {
				t.Errorf("%d faults told of a model that was not at fault", n)
			}
		})
	}
}

// A model that a linked library may not survive is strained in its trial, and no
// other.
func TestUnprovenModelsAreStrained(t *testing.T) {
	var timed bool
	e := Engines{
		Unproven: func(m []byte) string { return string(m) },
		trial:    func(_ context.Context, _ []byte, t Trial) (Answer, error) { timed = t.Timed; return Answer{}, nil },
	}
	for m, want := range map[string]bool{"": false, "operator 3 SVDF": true} {
		if _, err := e.Try(context.Background(), []byte(m), "go", 1, ""); err != nil || timed != want {
			t.Errorf("%q: strained %v, %v", m, timed, err)
		}
	}
}
