package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"edged/internal/config"
	"edged/internal/daemontest"
	"edged/mqtt"
	"edged/train/nets"
)

// Whoever switches inspection off leaves a line and an event, once for each
// change, with the state before.
func TestSwitchingOffLeavesATrace(t *testing.T) {
	log := &sharedLog{}
	r := startRigOn(t, engines, slog.NewTextHandler(log, nil), func([]byte) []byte { return nil }, "")
	r.AwaitText("edged/n/status", mqtt.Online)
	for _, word := range []string{"ON", "OFF", "OFF", "ON"} {
		r.Send("edged/n/c0/enabled/set", word)
	}
	e := daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventEnabled && e.Changes[0].Value == "ON" })
	if e.Source != byMQTT {
		t.Errorf("event %+v", e)
	}
	var got []string
	for _, body := range r.Got("edged/n/c0/event") {
		var e mqtt.Event
		if err := json.Unmarshal(body, &e); err != nil {
			t.Fatal(err)
		}
		for _, c := range e.Changes {
			got = append(got, fmt.Sprintf("%s %v>%v", c.Key, c.Previous, c.Value))
		}
	}
	if diff := cmp.Diff([]string{"enabled ON>OFF", "enabled OFF>ON"}, got); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(log.String(), `msg="the camera was switched off: nothing is inspected" camera=c0 source=mqtt enabled="ON -> OFF"`) {
		t.Errorf("log:\n%s", log)
	}
}

// A retained one is carried out and told as such.
func TestRetainedSwitchIsToldAsOne(t *testing.T) {
	r := startRig(t, "")
	r.AwaitText("edged/n/status", mqtt.Online)
	r.d.units[0].enable(false, true)
	e := daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventEnabled })
	if e.Source != byRetained || e.Changes[0].Previous != "ON" || e.Changes[0].Value != "OFF" {
		t.Errorf("event %+v", e)
	}
}

// A rule that is another than in the run before is told with what it was.
func TestChangedRulesLeaveATrace(t *testing.T) {
	r := startRig(t, "[[camera.rule]]\nclass = \"scratch\"\nmax_count = 1")
	r.AwaitText("edged/n/status", mqtt.Online)
	r.end()
	s := r.again("", "[[camera.rule]]\nclass = \"scratch\"\nmax_count = 99\n")
	e := daemontest.Await(s, "edged/n/c0/event", func(e *mqtt.Event) bool {
		return e.Kind == mqtt.EventConfig && !strings.HasPrefix(e.Message, "the node's")
	})
	want := []mqtt.Change{{Key: "rule", Previous: []any{map[string]any{"class": "scratch", "max_count": 1.0}}, Value: []any{map[string]any{"class": "scratch", "max_count": 99.0}}}}
	if diff := cmp.Diff(want, e.Changes); diff != "" || e.Source != byConfig {
		t.Errorf("%+v\n%s", e, diff)
	}
}

// again starts a daemon on r's folder once more, on another broker, with more keys
// of the node and of its first camera. It ends with the test.
func (r *rig) again(node, camera string) *daemontest.Subscriber {
	r.t.Helper()
	b := daemontest.Broker(r.t)
	text := fmt.Sprintf("[node]\nname = \"n\"\nhttp = \"\"\n%s\n[mqtt]\nbroker = \"tcp://%s\"\nspool_dir = \"state\"\n"+
		"[[camera]]\nname = \"c0\"\nsource = \"test:belt?size=96x80&fps=50\"\nmodel = \"dense.tflite\"\nengine = \"go\"\nthreads = 1\n%s\n", node, b.Address, camera)
	c := config.Parse(filepath.Join(r.dir, "edged.toml"), []byte(text), config.Engines{Names: []string{"go"}, MaxThreads: 1})
	if err := c.Err(); err != nil {
		r.t.Fatal(err)
	}
	s := daemontest.Subscribe(r.t, b.Address)
	ctx, stop := context.WithCancel(context.Background())
	d, err := New(ctx, c, Options{Log: slog.New(slog.DiscardHandler), Engines: engines, Version: version})
	if err != nil {
		r.t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- d.Run(ctx) }()
	r.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			r.t.Error(err)
		}
		s.Close()
	})
	return s
}

// What concerns every camera is told too: an audit that is switched off, a camera
// that is gone, and a model that was replaced while nothing ran.
func TestChangesOfTheNodeLeaveATrace(t *testing.T) {
	r := startRig(t, "", "rotate = 90\n[audit]\nshare = 0.03")
	r.AwaitText("edged/n/status", mqtt.Online)
	old := r.d.units[0].modelInfo().SHA256
	r.end()
	data, err := os.ReadFile(r.model)
	if err == nil {
		err = os.WriteFile(r.model, append(data, 0), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := r.again("[audit]\nshare = 0", "")
	got := map[string][2]string{}
	daemontest.Await(s, "edged/n/c0/event", func(e *mqtt.Event) bool {
		for _, c := range e.Changes {
			got[c.Key] = [2]string{plainJSON(c.Previous), plainJSON(c.Value)}
		}
		return e.Source == byFile
	})
	if got["audit.share"] != [2]string{"0.03", "0"} || !strings.Contains(got["camera c1"][0], `"rotate":90`) || got["camera c1"][1] != "null" ||
		got["model"] != [2]string{old, sha256Hex(append(data, 0))} {
		t.Errorf("told: %v", got)
	}
}

// A model that is replaced while the node runs is told with both hashes.
func TestAReplacedModelLeavesATrace(t *testing.T) {
	r := startRig(t, "")
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(*mqtt.Result) bool { return true })
	old := r.d.units[0].modelInfo().SHA256
	daemontest.DenseFile(t, r.dir, nets.Valid, 48, 64)
	if a := r.Request("reload", "r2", ""); a.Status != "ok" {
		t.Fatalf("answer %+v", a)
	}
	e := daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventConfig })
	if e.Source != byFile || len(e.Changes) != 1 || e.Changes[0].Previous != old || e.Changes[0].Value != r.d.units[0].modelInfo().SHA256 {
		t.Errorf("event %+v", e)
	}
}

// What a .../set says that changes nothing is not told; what does is, with who
// said it.
func TestASetIsToldWhereItChangesSomething(t *testing.T) {
	log := &sharedLog{}
	u := &unit{d: &Daemon{}, cfg: &config.Camera{Name: "c"}, log: slog.New(slog.NewTextHandler(log, nil))}
	zone := []mqtt.Zone{{Name: "rim", Polygon: [][2]float64{{0, 0}, {1, 0}, {0, 1}}}}
	u.traceSet(mqtt.EventZones, "the zones were changed", "zones", zone, slices.Clone(zone), false)
	if log.String() != "" {
		t.Errorf("told that nothing changed: %s", log)
	}
	u.traceSet(mqtt.EventZones, "the zones were changed", "zones", zone, []mqtt.Zone{}, true)
	if !strings.Contains(log.String(), `source="mqtt retained"`) || !strings.Contains(log.String(), "rim") || !strings.Contains(log.String(), "-> []") {
		t.Error(log.String())
	}
}

func TestSettingsHoldNoPassword(t *testing.T) {
	all := settings(&config.Camera{Name: "c", Source: "rtsp://user:secret@host/x", ROI: []int{1, 2, 3, 4}, Prepare: &config.Prepare{Mean: []float64{1}}})
	text := fmt.Sprintf("%s", all)
	if strings.Contains(text, "secret") || string(all["roi"]) != "[1,2,3,4]" || string(all["prepare"]) != `{"mean":[1]}` {
		t.Error(text)
	}
	if d := differences(all, all); d != nil {
		t.Error(d)
	}
	if d := differences(nil, all); len(d) != len(all) || d[0].Previous != nil {
		t.Error(d)
	}
}
