package daemon

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"edged/internal/config"
	"edged/internal/daemontest"
	"edged/internal/maskpng"
	"edged/internal/pipeline"
	"edged/mqtt"
	"edged/train/nets"
)

// rig is a daemon on a broker, both in this process, and a subscriber.
type rig struct {
	*daemontest.Subscriber
	t     *testing.T
	dir   string
	model string

	on     Engines
	log    *slog.Logger
	config string // its file's text at the start
	hangup chan os.Signal

	d    *Daemon
	stop context.CancelFunc
	done chan error
}

// startRig runs cameras on the belt, each with the lines given, on one model.
func startRig(t *testing.T, cameras ...string) *rig {
	t.Helper()
	return startRigOn(t, engines, slog.DiscardHandler, func([]byte) []byte { return nil }, cameras...)
}

// startRigOn is startRig on other engines, with a log, and on a model that alter
// makes of the usual one; nil leaves it.
func startRigOn(t *testing.T, on Engines, log slog.Handler, alter func(dense []byte) []byte, cameras ...string) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), done: make(chan error, 1), hangup: make(chan os.Signal)}
	b := daemontest.Broker(t)
	r.model = daemontest.DenseFile(t, r.dir, nets.Valid, 48, 56)
	if data, err := os.ReadFile(r.model); err != nil {
		t.Fatal(err)
	} else if altered := alter(data); altered != nil {
		if err := os.WriteFile(r.model, altered, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text := fmt.Sprintf("[node]\nname = \"n\"\nhttp = \"127.0.0.1:0\"\n[mqtt]\nbroker = \"tcp://%s\"\nspool_dir = \"state\"\n", b.Address)
	for i, lines := range cameras {
		if !strings.HasPrefix(lines, "source = ") {
			lines = "source = \"test:belt?size=96x80&fps=50\"\n" + lines
		}
		text += fmt.Sprintf("[[camera]]\nname = \"c%d\"\nmodel = \"dense.tflite\"\nengine = \"go\"\nthreads = 1\n%s\n", i, lines)
	}
	r.config, r.on, r.log = text, on, slog.New(log)
	r.Subscriber = daemontest.Subscribe(t, b.Address)
	r.begin()
	t.Cleanup(r.end)
	return r
}

// begin runs a daemon on the config.
func (r *rig) begin() {
	t := r.t
	t.Helper()
	path, known := filepath.Join(r.dir, "edged.toml"), config.Engines{Names: []string{"go"}, MaxThreads: 1}
	if err := os.WriteFile(path, []byte(r.config), 0o600); err != nil {
		t.Fatal(err)
	}
	c := config.Parse(path, []byte(r.config), known)
	if err := c.Err(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	var err error
	if r.d, err = New(ctx, c, Options{
		Log: r.log, Engines: r.on, Version: version,
		Hangup: r.hangup, Reread: func() (*config.Config, error) { return config.Load(path, known) },
	}); err != nil {
		t.Fatal(err)
	}
	go func() { r.done <- r.d.Run(ctx) }()
}

func (r *rig) end() {
	r.halt()
	r.Close()
}

// halt ends the daemon and leaves the subscriber.
func (r *rig) halt() {
	r.stop()
	select {
	case err := <-r.done:
		if err != nil {
			r.t.Errorf("daemon: %v", err)
		}
		r.done <- nil
	case <-time.After(30 * time.Second):
		r.t.Error("the daemon does not end")
	}
}

func TestResultsMasksAndInfo(t *testing.T) {
	r := startRig(t, "", "rotate = 90\nroi = [0, 0, 64, 80]")
	info := daemontest.Await(r.Subscriber, "edged/n/info", func(i *mqtt.Info) bool { return len(i.Models) == 2 })
	if info.Version != version || info.LastStop != nil || info.Models[0].SHA256 != r.d.units[0].file.SHA256 || len(info.Classes["c1"]) != 5 || info.Models[0].Certificate != "none" || len(info.Run) < 8 {
		t.Errorf("info %+v", info)
	}
	for _, cam := range []string{"c0", "c1"} {
		res := daemontest.Await(r.Subscriber, "edged/n/"+cam+"/result", func(p *mqtt.Result) bool { return p.Seq >= 2 })
		if res.Frame != (mqtt.Size{W: 96, H: 80}) || res.Fit != "crop" || res.Mask == nil || len(res.Classes) != 5 || res.Model != "dense.tflite" || res.Certificate != "none" {
			t.Fatalf("%s: %+v", cam, res)
		}
		w, h := 18, 10 // of the mask of a 56x48 input; turned back where the input is turned
		if cam == "c1" {
			w, h = 10, 18
		}
		px := 0
		for _, c := range res.Classes {
			px += c.Px
		}
		if res.Mask.W != w || res.Mask.H != h || px != w*h {
			t.Errorf("%s: mask %+v, %d positions in all classes", cam, res.Mask, px)
		}
		// The mask lies in the middle of what the model saw, to half a pixel.
		top := res.Mask.Origin[0] + float64(h-1)/2 - float64(res.ROI.Y) - float64(res.ROI.H-1)/2
		left := res.Mask.Origin[1] + float64(w-1)/2 - float64(res.ROI.X) - float64(res.ROI.W-1)/2
		if top < -1 || top > 1 || left < -1 || left > 1 {
			t.Errorf("%s: mask centre is off by y %v, x %v: %+v in %+v", cam, top, left, res.Mask, res.ROI)
		}
		r.checkMask(cam, w, h)
	}
}

// A camera with rules lists the blobs of their classes; one without has none.
func TestResultsListBlobs(t *testing.T) {
	r := startRig(t, "[[camera.rule]]\nclass = \"metal\"", "")
	res := daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.BlobsTotal != nil && *p.BlobsTotal > 0 })
	px := 0
	for _, b := range res.Blobs {
		px += b.Px
		if b.Class != "metal" || b.X < res.ROI.X || b.Y < res.ROI.Y || b.X+b.W > res.ROI.X+res.ROI.W || b.Y+b.H > res.ROI.Y+res.ROI.H {
			t.Errorf("%+v in %+v", b, res.ROI)
		}
	}
	if *res.BlobsTotal != len(res.Blobs) || px != res.Classes[1].Px || len(res.Reasons) != 1 || res.Reasons[0].Count != len(res.Blobs) || res.Reasons[0].Rule != 1 || res.Reasons[0].Kind != "present" {
		t.Errorf("%d blobs, %d positions: %+v", *res.BlobsTotal, px, res)
	}
	if res := daemontest.Await(r.Subscriber, "edged/n/c1/result", func(*mqtt.Result) bool { return true }); res.Blobs != nil || res.BlobsTotal != nil {
		t.Errorf("without rules: %+v", res)
	}
}

func (r *rig) checkMask(cam string, w, h int) {
	r.t.Helper()
	list := r.Got("edged/n/" + cam + "/mask")
	if len(list) == 0 {
		r.t.Fatalf("%s: no mask", cam)
	}
	img, kind, err := image.Decode(bytes.NewReader(list[0]))
	if err != nil || kind != "png" || img.Bounds().Dx() != w || img.Bounds().Dy() != h {
		r.t.Errorf("%s: mask %s %v, %v", cam, kind, img.Bounds(), err)
	}
}

func TestTriggersOverMQTT(t *testing.T) {
	r := startRig(t, `trigger = "mqtt"`, "")
	a := r.Request("trigger", "t1", `, "camera": "c0", "part_id": "part 7"`)
	if a.Status != "ok" {
		t.Fatalf("answer %+v", a)
	}
	res := daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return true })
	if res.PartID != "part 7" || res.Seq != 1 {
		t.Errorf("result %+v", res)
	}
	if a := r.Request("trigger", "t2", `, "camera": "c1"`); a.Status != "error" || !strings.Contains(a.Error, `trigger = "continuous"`) {
		t.Errorf("a camera that needs no trigger: %+v", a)
	}
	if a := r.Request("trigger", "t3", `, "camera": "c9"`); a.Status != "error" || !strings.Contains(a.Error, "no such camera") {
		t.Errorf("a camera that is not there: %+v", a)
	}
	for id, want := range map[string]string{"4711": "4711", "12.50": "12.50", `"a b"`: "a b"} {
		if a := r.Request("trigger", "n"+id[:1], `, "camera": "c0", "part_id": `+id); a.Status != "ok" {
			t.Errorf("part_id %s: answer %+v", id, a)
		}
		daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.PartID == want })
	}
	// What is no trigger is counted and told, not only answered.
	for i, rest := range []string{`, "camera": "c0", "part_id": {}`, `, "camera": "c0", "part_id": [1]`, `, "camera": 5`, `, "camera": "c9"`} {
		before := r.d.units[0].camera.Counts().Missed
		if a := r.Request("trigger", fmt.Sprintf("m%d", i), rest); a.Status != "error" || r.d.units[0].camera.Counts().Missed != before+1 {
			t.Errorf("%s: answer %+v, %d missed after %d", rest, a, r.d.units[0].camera.Counts().Missed, before)
		}
	}
	daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool {
		return e.Kind == mqtt.EventMissedTrigger && strings.HasPrefix(e.Message, "the trigger is malformed: ")
	})
	// More than the queue holds, at once: some are missed, and said to be.
	for i := range 40 * triggerDepth {
		r.d.onTrigger(context.Background(), mqtt.Request{Body: fmt.Appendf(nil, `{"camera": "c0", "part_id": "p%d"}`, i)})
	}
	e := daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventMissedTrigger && e.PartID != "" })
	if e.PartID == "" || !strings.Contains(e.Message, "queue is full") {
		t.Errorf("event %+v", e)
	}
	if n := r.d.units[0].camera.Counts(); n.Missed == 0 {
		t.Errorf("counts %+v", n)
	}
}

// Every trigger that is taken ends as a result or as missed: one of a camera
// that is disabled at once, one that waits at the end then.
func TestTriggersThatCannotBeServed(t *testing.T) {
	r := startRig(t, `trigger = "mqtt"`)
	r.AwaitText("edged/n/status", mqtt.Online)
	r.Send("edged/n/c0/enabled/set", "OFF")
	r.AwaitText("edged/n/c0/enabled/state", "OFF")
	if a := r.Request("trigger", "t1", `, "part_id": "resting"`); a.Status != "error" || !strings.Contains(a.Error, "is disabled") {
		t.Errorf("answer %+v", a)
	}
	missed := func(part, reason string) {
		t.Helper()
		e := daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.PartID == part })
		if e.Kind != mqtt.EventMissedTrigger || e.Message != reason {
			t.Errorf("event %+v", e)
		}
	}
	missed("resting", pipeline.Disabled)
	long := strings.Repeat("p", maxPartID)
	r.Request("trigger", "t2", `, "part_id": "`+long+`x"`)
	missed(long, "the part_id has 257 bytes: at most 256 are taken")
	if a := r.Request("snapshot", "s1", ""); a.Status != "error" || !strings.Contains(a.Error, pipeline.Disabled) {
		t.Errorf("answer %+v", a)
	}
	r.d.units[0].gate.queue.Fire("early") // taken just before the camera was disabled
	r.d.units[0].gate.queue.Fire("late")
	r.end()
	missed("late", pipeline.Stopping)
	if n := r.d.units[0].camera.Counts(); n.Missed != 4 || n.Published != 0 {
		t.Errorf("counts %+v", n)
	}
}

func TestEnabledSet(t *testing.T) {
	r := startRig(t, "")
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return true })
	r.AwaitText("edged/n/status", mqtt.Online)
	r.Send("edged/n/c0/enabled/set", "OFF")
	r.AwaitText("edged/n/c0/enabled/state", "OFF")
	r.AwaitText("edged/n/c0/status", mqtt.Disabled)
	r.Send("edged/n/c0/enabled/set", "ON")
	r.AwaitText("edged/n/c0/status", mqtt.Online)
	last := r.d.units[0].camera.Counts().Published
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Seq > last+1 })
}

func TestReload(t *testing.T) {
	r := startRig(t, "")
	first := r.d.units[0].file.SHA256
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return true })

	// Garbage, found by the watch: the old model stays, and an event says so.
	if err := os.WriteFile(r.model, []byte("garbage"), 0o644); err != nil {
		t.Fatal(err)
	}
	e := daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventFault })
	if !strings.Contains(e.Message, "the old one stays") {
		t.Errorf("event %+v", e)
	}
	if a := r.Request("reload", "r1", ""); a.Status != "error" || !strings.Contains(a.Error, "the old one stays") {
		t.Errorf("answer %+v", a)
	}
	last := r.d.units[0].camera.Counts().Published
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Seq > last })

	// Another good model, on request: adopted between two frames.
	daemontest.DenseFile(t, r.dir, nets.Valid, 48, 64)
	if a := r.Request("reload", "r2", `, "camera": "c0"`); a.Status != "ok" {
		t.Fatalf("answer %+v", a)
	}
	info := daemontest.Await(r.Subscriber, "edged/n/info", func(i *mqtt.Info) bool { return i.Models[0].SHA256 != first })
	if info.Models[0].SHA256 != r.d.units[0].file.SHA256 {
		t.Errorf("info %+v", info)
	}
	res := daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Mask != nil && p.Mask.W != 18 })
	before := res.Seq
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Seq == before+1 })
	if f := r.d.units[0].account(); f.Refused+f.Failed != 0 {
		t.Errorf("frames were lost on the way: %+v", f)
	}
}

func TestVerdictsAndTheirEvents(t *testing.T) {
	r := startRig(t, "[[camera.rule]]\nclass = \"metal\"\nmin_score = 0.5\nmin_area_px = 20\nverdict = \"part\"")
	res := daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Verdict == "part" })
	if len(res.Reasons) == 0 || !strings.Contains(res.Reasons[0].Text, "metal") || res.Reasons[0].Class != "metal" || res.Reasons[0].Rule != 1 || res.Reasons[0].Px < 20 || res.Engine == "" || res.Schema != 2 {
		t.Errorf("result %+v", res)
	}
	e := daemontest.Await(r.Subscriber, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventVerdict })
	if e.Verdict == e.Previous || e.Verdict == "" || e.Verdict == "part" && e.Reasons[0].Kind != "present" {
		t.Errorf("event %+v", e)
	}
}

func TestSnapshot(t *testing.T) {
	r := startRig(t, "", `trigger = "mqtt"`)
	for _, x := range []struct{ rest, says string }{
		{`, "camera": 7`, `"camera" is a number, not a string`},
		{`, "camera": "c9"`, "no such camera"},
		{`, "camera": "c1"`, "no picture within 5s: with trigger = \"mqtt\" it comes with the next trigger"},
	} {
		if a := r.Request("snapshot", x.rest, x.rest); a.Status != "error" || !strings.Contains(a.Error, x.says) {
			t.Errorf("%s: %+v", x.rest, a)
		}
	}
	a := r.Request("snapshot", "s1", `, "camera": "c0"`)
	data, ok := a.Data.(map[string]any)
	if a.Status != "ok" || !ok || data["camera"] != "c0" || len(fmt.Sprint(data["jpeg"])) < 500 {
		t.Errorf("answer %.300v", a)
	}
	// On the topic: the picture says its number, and the mask of that number is there.
	a = r.Request("snapshot", "s2", `, "camera": "c0", "topic": true`)
	data, _ = a.Data.(map[string]any)
	seq := fmt.Sprint(data["seq"])
	if a.Status != "ok" || data["jpeg"] != nil || data["topic"] != "edged/n/c0/snapshot" {
		t.Fatalf("answer %.300v", a)
	}
	picture := r.First("edged/n/c0/snapshot", 1)[0]
	if img, _, err := image.Decode(bytes.NewReader(picture)); err != nil || img.Bounds() != image.Rect(0, 0, 96, 80) || data["bytes"] != float64(len(picture)) ||
		!bytes.Contains(picture[:60], []byte("seq="+seq+" ts=")) {
		t.Errorf("%v: %.80q", err, picture)
	}
	masks := r.Got("edged/n/c0/mask")
	if !slices.ContainsFunc(masks, func(m []byte) bool { text, err := maskpng.Text(m, "seq"); return err == nil && text == seq }) {
		t.Errorf("no mask of %s among %d", seq, len(masks))
	}
}

func TestPageMetricsAndHealth(t *testing.T) {
	r := startRig(t, "")
	daemontest.Await(r.Subscriber, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Seq > 3 })
	get := func(path string) (int, string) {
		t.Helper()
		resp, err := http.Get("http://" + r.d.address + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	for path, want := range map[string]string{
		"/":        `"cameras":["c0"]`,
		"/metrics": `edged_frames_total{camera="c0",fate="published"}`,
		"/healthz": `"camera c0":"ok"`,
		"/readyz":  `"broker":"ok"`,
		"/live/c0": "\xff\xd8", // a JPEG begins
		"/draw.js": "createImageBitmap",
	} {
		if code, body := get(path); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d, %.200q; want %q in it", path, code, body, want)
		}
	}
	if code, _ := get("/live/nobody"); code != http.StatusNotFound {
		t.Errorf("a camera that is not there: %d", code)
	}
}
