package daemon

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/fallback"
	"edged/internal/config"
	"edged/internal/daemontest"
	"edged/mqtt"
	"edged/train/nets"
)

const ms = time.Millisecond

func TestChoose(t *testing.T) {
	broken := errors.New("engine c: no such operator")
	for _, c := range []struct {
		name   string
		trials []trial
		before string
		want   string
		why    string
	}{
		{"the fastest", []trial{{engine: "a", took: 12 * ms}, {engine: "b", took: 3 * ms}}, "", "b", "a 12.0 ms, b 3.0 ms"},
		{"one that was given up is slower", []trial{{engine: "a", took: 30 * ms}, {engine: "b", took: 20 * ms, over: true}}, "", "a", "a 30.0 ms, b over 20.0 ms"},
		{"as before", []trial{{engine: "a", took: 110 * ms}, {engine: "b", took: 100 * ms}}, "a", "a",
			"a 110.0 ms, b 100.0 ms; a as before, where nothing is 15 % faster"},
		{"clearly faster than before", []trial{{engine: "a", took: 116 * ms}, {engine: "b", took: 100 * ms}}, "a", "b", "a 116.0 ms, b 100.0 ms"},
		{"before was given up", []trial{{engine: "a", took: 100 * ms, over: true}, {engine: "b", took: 99 * ms}}, "a", "b", "a over 100.0 ms, b 99.0 ms"},
		{"before is not here", []trial{{engine: "a", took: 2 * ms}, {engine: "b", took: ms}}, "warp", "b", "a 2.0 ms, b 1.0 ms"},
		{"one that cannot", []trial{{engine: "c", err: broken}, {engine: "a", took: 2 * ms}}, "c", "a", "c does not run it, a 2.0 ms"},
		{"none", []trial{{engine: "c", err: broken}}, "", "", ""},
	} {
		got := choose(c.trials, c.before)
		if got.Engine != c.want || got.Why != c.why {
			t.Errorf("%s: %q, because %q", c.name, got.Engine, got.Why)
		}
		if odd := strings.Join(got.Odd, "") != ""; odd != strings.Contains(c.name, "cannot") && c.want != "" {
			t.Errorf("%s: reasons %q", c.name, got.Odd)
		}
		if (got.err() == nil) != (c.want != "") {
			t.Errorf("%s: %v", c.name, got.err())
		}
	}
}

// TestReasonsAreToldOnce, where engines fail alike.
func TestReasonsAreToldOnce(t *testing.T) {
	c := choose([]trial{{engine: "a", err: errors.New("engine a: no such operator")}, {engine: "b", err: errors.New("engine b: no such operator")},
		{engine: "c", err: errors.New("engine c: the trial run ended with signal: killed")}}, "")
	if err := c.err(); err == nil || err.Error() != "engine a: no such operator; and engine c: the trial run ended with signal: killed" {
		t.Errorf("%v", err)
	}
}

// TestAutoTimesItsEngines: a slow engine is given up, whichever comes first, a
// broken one told.
func TestAutoTimesItsEngines(t *testing.T) {
	data, err := daemontest.DenseNet(nets.ValidInt8, 48, 56)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ order, why string }{
		{"go slow broken", "slow over "}, {"broken slow go", "slow "},
	} {
		e := Engines{Open: openEngine, Auto: strings.Fields(c.order)}
		got, err := e.Try(context.Background(), data, "auto", 1, "")
		if err != nil || got.Engine != "go" || !strings.Contains(got.Why, c.why) || !strings.Contains(got.Why, "broken does not run it") {
			t.Errorf("%s: %+v, %v", c.order, got, err)
		}
		if len(got.Odd) != 1 || got.Odd[0] != "engine broken: out of order" {
			t.Errorf("%s: reasons %q", c.order, got.Odd)
		}
	}
}

// TestTheChoiceIsRemembered for the model and the program that it was made for,
// over a restart.
func TestTheChoiceIsRemembered(t *testing.T) {
	dir := t.TempDir()
	m, err := openMemory(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.chose("a", "sha", "1.0", "tflite"); err != nil {
		t.Fatal(err)
	}
	if m, err = openMemory(dir); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ camera, sha, version, want string }{
		{"a", "sha", "1.0", "tflite"}, {"b", "sha", "1.0", ""}, {"a", "other", "1.0", ""}, {"a", "sha", "1.1", ""},
	} {
		if got := m.engineOf(c.camera, c.sha, c.version); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// TestARestartKeepsTheEngine: of two engines that are about as fast, the one of
// the last run is used again; info says why.
func TestARestartKeepsTheEngine(t *testing.T) {
	dir := t.TempDir()
	daemontest.DenseFile(t, dir, nets.Valid, 48, 56)
	text := "[node]\nname = \"n\"\n[mqtt]\nspool_dir = \"state\"\n" +
		"[[camera]]\nname = \"a\"\nsource = \"test:belt\"\nmodel = \"dense.tflite\"\n" +
		"[[camera]]\nname = \"b\"\nsource = \"test:belt\"\nmodel = \"dense.tflite\"\n"
	trials := 0
	took := map[string]time.Duration{"go": 10 * ms, "twin": 9 * ms}
	open := func(_ string, model []byte, o edged.Options) (edged.Engine, error) { return fallback.Open(model, o) }
	fixed := func(_ context.Context, _ []byte, t Trial) (Answer, error) {
		trials++
		return Answer{Took: took[t.Engine]}, nil
	}
	start := func() mqtt.ModelInfo {
		c := config.Parse(filepath.Join(dir, "edged.toml"), []byte(text), config.Engines{Names: []string{"auto"}})
		if err := c.Err(); err != nil {
			t.Fatal(err)
		}
		e := Engines{Open: open, Auto: []string{"go", "twin"}, trial: fixed}
		d, err := New(context.Background(), c, Options{Log: slog.New(slog.DiscardHandler), Engines: e, Version: version})
		if err != nil {
			t.Fatal(err)
		}
		defer d.abandon()
		m := d.Info().Models
		if m[0].Why != m[1].Why {
			t.Errorf("two cameras of one model: %q, %q", m[0].Why, m[1].Why)
		}
		return m[0]
	}
	if m := start(); m.Why != "go 10.0 ms, twin 9.0 ms" {
		t.Errorf("first start: %q", m.Why)
	}
	took["twin"] = 11 * ms
	if m := start(); m.Why != "go 10.0 ms, twin 11.0 ms; twin as before, where nothing is 15 % faster" {
		t.Errorf("restart: %q", m.Why)
	}
	took["twin"] = 12 * ms
	if m := start(); m.Why != "go 10.0 ms, twin 12.0 ms" {
		t.Errorf("restart with a slow twin: %q", m.Why)
	}
	if trials != 3*2 {
		t.Errorf("%d trials of 2 engines in 3 starts: once for both cameras", trials)
	}
}
