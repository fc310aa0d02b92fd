package daemon

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"edged/internal/config"
	"edged/internal/daemontest"
	"edged/mqtt"
)

// rewritable gives a rig's daemon a config that edit may change.
func rewritable(r *rig) (edit func(old, new string)) {
	path := filepath.Join(r.dir, "edged.toml")
	text := r.config
	edit = func(old, new string) {
		r.t.Helper()
		if !strings.Contains(text, old) {
			r.t.Fatalf("no %q in the config", old)
		}
		text = strings.Replace(text, old, new, 1)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
	return edit
}

func configEvent(r *rig, cam, key string) *mqtt.Event {
	r.t.Helper()
	return daemontest.Await(r.Subscriber, "edged/n/"+cam+"/event", func(e *mqtt.Event) bool {
		return e.Kind == mqtt.EventConfig && slices.ContainsFunc(e.Changes, func(c mqtt.Change) bool { return c.Key == key })
	})
}

// A new config holds from the next frame on for the camera that it changes, and
// leaves the other alone; each change is an event with the state before.
func TestReloadTakesOverTheConfig(t *testing.T) {
	r := startRig(t, "trigger = \"interval:20ms\"", "")
	edit := rewritable(r)
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Seq > 2 })
	other := r.d.units[1].camera
	edit("trigger = \"interval:20ms\"", "trigger = \"interval:30ms\"\nroi = [8, 8, 80, 72]\n[[camera.rule]]\nclass = \"metal\"\nverdict = \"part\"")
	edit("spool_dir = \"state\"", "spool_dir = \"state\"\nqueue_bytes = \"9MiB\"")
	a := r.Request("reload", "r1", "")
	if data, ok := a.Data.(map[string]any); a.Status != "ok" || !ok || len(data["restart"].([]any)) != 1 || data["restart"].([]any)[0] != "mqtt.queue_bytes" {
		t.Fatalf("answer %+v", a)
	}
	res := daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.ROI.X >= 8 && p.ROI.Y >= 8 })
	if next := daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Seq > res.Seq }); next.Seq != res.Seq+1 {
		t.Errorf("result %d after %d", next.Seq, res.Seq)
	}
	e := configEvent(r, "c0", "roi")
	if e.Source != "config" || len(e.Changes) != 3 || e.Changes[0].Key != "roi" || e.Changes[0].Previous != nil {
		t.Errorf("event %+v", e)
	}
	if r.d.units[1].camera != other || slices.ContainsFunc(r.Got("edged/n/c1/event"), func(b []byte) bool { return strings.Contains(string(b), "the config was changed") }) {
		t.Error("the other camera was changed too")
	}
	if got := r.d.units[0].now(); len(got.Rules) != 1 || got.Trigger != "interval:30ms" {
		t.Errorf("in use: %+v", got)
	}
}

// A config that is wrong anywhere, also in the last camera alone, changes nothing
// and says so.
func TestABadConfigChangesNothing(t *testing.T) {
	r := startRig(t, "rotate = 0", "fit = \"crop\"")
	edit := rewritable(r)
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return true })
	edit("rotate = 0", "rotate = 180")
	for _, c := range []struct{ old, new, says string }{
		{"fit = \"crop\"", "fit = \"crob\"", `fit "crob"`},
		{"fit = \"crob\"", "fit = \"crop\"\n[[camera.rule]]\nclass = \"nobody\"", "nobody"},
		{"class = \"nobody\"", "class = \"metal\"\n[", "edged.toml:"},
	} {
		edit(c.old, c.new)
		if a := r.Request("reload", c.says, ""); a.Status != "error" || !strings.Contains(a.Error, c.says) || !strings.Contains(a.Error, "the old one stays") {
			t.Errorf("%s: answer %+v", c.says, a)
		}
		daemontest.Await(r.Subscriber, "edged/n/c1/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventFault && strings.Contains(e.Message, c.says) })
	}
	if got := r.d.units[0].now().Rotate; got != 0 {
		t.Errorf("rotate is %d", got)
	}
	if err := os.Remove(filepath.Join(r.dir, "edged.toml")); err != nil {
		t.Fatal(err)
	}
	if a := r.Request("reload", "gone", ""); a.Status != "error" || !strings.Contains(a.Error, "no such file") {
		t.Errorf("answer %+v", a)
	}
}

// A trigger is changed while the camera waits for the old one, and a SIGHUP does
// the same as a request.
func TestTheTriggerChangesInFlight(t *testing.T) {
	r := startRig(t, "trigger = \"mqtt\"")
	edit := rewritable(r)
	r.AwaitText("edged/n/status", mqtt.Online)
	edit("trigger = \"mqtt\"", "trigger = \"continuous\"")
	r.hangup <- os.Interrupt // which one it is does not matter
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Seq > 2 })
	if a := r.Request("trigger", "t1", ""); a.Status != "error" || !strings.Contains(a.Error, `trigger = "continuous"`) {
		t.Errorf("answer %+v", a)
	}
	edit("trigger = \"continuous\"", "trigger = \"mqtt\"")
	r.hangup <- os.Interrupt
	configEvent(r, "c0", "trigger")
	for range 500 {
		if r.d.units[0].gate.queueNow() != nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if a := r.Request("trigger", "t2", `, "part_id": "p"`); a.Status != "ok" {
		t.Errorf("answer %+v", a)
	}
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.PartID == "p" })
}

// Every key of the node and the broker that cannot change in flight is said, and
// so are cameras that come and go.
func TestWhatNeedsARestartIsSaid(t *testing.T) {
	old := config.Config{Node: config.Node{Name: "a", HTTP: "h:1"}, Cameras: []config.Camera{{Name: "c0", Source: "test:belt"}}}
	d := &Daemon{cfg: &old, units: []*unit{{cfg: &old.Cameras[0]}}}
	fresh := old
	fresh.Node.HTTP, fresh.Node.MemoryLimit, fresh.MQTT.Broker = "h:2", 7, "tcp://x"
	fresh.Cameras = []config.Camera{{Name: "c0", Source: "other"}, {Name: "c1"}}
	if got := strings.Join(d.needRestart(&fresh), ", "); got != "node.http, mqtt.broker, camera c0: source, camera c1 (new)" {
		t.Errorf("waits: %s", got)
	}
	fresh.Cameras = nil
	if got := d.needRestart(&fresh); got[len(got)-1] != "camera c0 (gone)" {
		t.Errorf("waits: %s", got)
	}
}

// A verdict that other rules, or another model, change is an event like any other.
func TestAVerdictThatAReloadChanges(t *testing.T) {
	r := startRig(t, "[[camera.rule]]\nclass = \"background\"\n")
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(v *mqtt.Result) bool { return v.Verdict == "NG" })
	rewritable(r)("class = \"background\"", "class = \"background\"\nmax_total_ratio = 1.0")
	r.Request("reload", "r1", "")
	daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool {
		return e.Kind == mqtt.EventVerdict && e.Previous == "NG" && e.Verdict == "OK"
	})
}
