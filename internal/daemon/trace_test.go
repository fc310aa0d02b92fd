package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"edged/internal/config"
	"edged/internal/daemontest"
	"edged/mqtt"
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
	b := daemontest.Broker(t)
	text := fmt.Sprintf("[node]\nname = \"n\"\nhttp = \"\"\n[mqtt]\nbroker = \"tcp://%s\"\nspool_dir = \"state\"\n"+
		"[[camera]]\nname = \"c0\"\nsource = \"test:belt?size=96x80&fps=50\"\nmodel = \"dense.tflite\"\nengine = \"go\"\nthreads = 1\n"+
		"[[camera.rule]]\nclass = \"scratch\"\nmax_count = 99\n", b.Address)
	c := config.Parse(filepath.Join(r.dir, "edged.toml"), []byte(text), config.Engines{Names: []string{"go"}, MaxThreads: 1})
	if err := c.Err(); err != nil {
		t.Fatal(err)
	}
	s := daemontest.Subscribe(t, b.Address)
	defer s.Close()
	ctx, stop := context.WithCancel(context.Background())
	d, err := New(ctx, c, Options{Log: slog.New(slog.DiscardHandler), Engines: engines, Version: version})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- d.Run(ctx) }()
	e := daemontest.Await(s, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventConfig })
	want := []mqtt.Change{{Key: "rule", Previous: []any{map[string]any{"class": "scratch", "max_count": 1.0}}, Value: []any{map[string]any{"class": "scratch", "max_count": 99.0}}}}
	if diff := cmp.Diff(want, e.Changes); diff != "" || e.Source != byConfig {
		t.Errorf("%+v\n%s", e, diff)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
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
