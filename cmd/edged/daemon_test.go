package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	_ "image/png"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"edged/internal/pipeline"
	"edged/mqtt"
	"edged/train/nets"
)

// rig is a daemon on a broker, both in this process, and a subscriber.
type rig struct {
	t     *testing.T
	dir   string
	model string
	d     *daemon
	sub   paho.Client
	stop  context.CancelFunc
	done  chan error

	mu  sync.Mutex
	got map[string][][]byte // by topic, in order
}

// startRig runs cameras on the belt, each with the lines given, on one model.
func startRig(t *testing.T, cameras ...string) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), done: make(chan error, 1), got: map[string][][]byte{}}
	b, err := startBroker("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	r.model = denseFile(t, r.dir, nets.Valid, 48, 56)
	text := fmt.Sprintf("[node]\nname = \"n\"\nhttp = \"127.0.0.1:0\"\n[mqtt]\nbroker = \"tcp://%s\"\nspool_dir = \"state\"\n", b.address)
	for i, lines := range cameras {
		text += fmt.Sprintf("[[camera]]\nname = \"c%d\"\nsource = \"test:belt?size=96x80&fps=50\"\nmodel = \"dense.tflite\"\nengine = \"fallback\"\nthreads = 1\n%s\n", i, lines)
	}
	c := parseConfig(filepath.Join(r.dir, "edged.toml"), []byte(text))
	if err := c.file.Err(); err != nil {
		t.Fatal(err)
	}
	r.subscribe(b.address)
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	if r.d, err = newDaemon(ctx, c, daemonOptions{log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	go func() { r.done <- r.d.run(ctx) }()
	t.Cleanup(r.end)
	return r
}

func (r *rig) end() {
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
	r.sub.Disconnect(0)
}

func (r *rig) subscribe(address string) {
	o := paho.NewClientOptions().AddBroker("tcp://" + address).SetClientID("test")
	o.SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
		r.mu.Lock()
		r.got[m.Topic()] = append(r.got[m.Topic()], bytes.Clone(m.Payload()))
		r.mu.Unlock()
	})
	r.sub = paho.NewClient(o)
	if token := r.sub.Connect(); token.Wait() && token.Error() != nil {
		r.t.Fatal(token.Error())
	}
	if token := r.sub.Subscribe("edged/#", 1, nil); token.Wait() && token.Error() != nil {
		r.t.Fatal(token.Error())
	}
}

func (r *rig) send(topic, payload string) {
	if token := r.sub.Publish(topic, 1, false, payload); token.WaitTimeout(10*time.Second) && token.Error() != nil {
		r.t.Fatal(token.Error())
	}
}

// await waits for the first message on a topic that fits.
func await[T any](r *rig, topic string, fits func(*T) bool) *T {
	r.t.Helper()
	limit := time.Now().Add(60 * time.Second)
	for seen := 0; time.Now().Before(limit); time.Sleep(5 * time.Millisecond) {
		r.mu.Lock()
		list := r.got[topic]
		r.mu.Unlock()
		for ; seen < len(list); seen++ {
			var v T
			if err := json.Unmarshal(list[seen], &v); err != nil {
				r.t.Fatalf("%s: %v: %s", topic, err, list[seen])
			}
			if fits(&v) {
				return &v
			}
		}
	}
	r.t.Fatalf("%s: the message awaited did not come; there were %d", topic, len(r.got[topic]))
	return nil
}

// request sends a command and returns its answer.
func (r *rig) request(cmd, transaction, rest string) *mqtt.Response {
	r.t.Helper()
	r.awaitText("edged/n/status", mqtt.Online) // from here on it listens
	r.send("edged/n/request/"+cmd, fmt.Sprintf(`{"transaction": %q%s}`, transaction, rest))
	return await(r, "edged/n/response/"+cmd, func(a *mqtt.Response) bool { return a.Transaction == transaction })
}

func TestResultsMasksAndInfo(t *testing.T) {
	r := startRig(t, "", "rotate = 90\nroi = [0, 0, 64, 80]")
	info := await(r, "edged/n/info", func(i *mqtt.Info) bool { return len(i.Models) == 2 })
	if info.Version != version || info.LastStop != nil || info.Models[0].SHA256 != r.d.units[0].file.sha256 || len(info.Classes["c1"]) != 5 {
		t.Errorf("info %+v", info)
	}
	for _, cam := range []string{"c0", "c1"} {
		res := await(r, "edged/n/"+cam+"/result", func(p *mqtt.Result) bool { return p.Seq >= 2 })
		if res.Frame != (mqtt.Size{W: 96, H: 80}) || res.Fit != "crop" || res.Mask == nil || len(res.Classes) != 5 || res.Model != "dense.tflite" {
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

func (r *rig) checkMask(cam string, w, h int) {
	r.t.Helper()
	r.mu.Lock()
	list := r.got["edged/n/"+cam+"/mask"]
	r.mu.Unlock()
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
	a := r.request("trigger", "t1", `, "camera": "c0", "part_id": "part 7"`)
	if a.Status != "ok" {
		t.Fatalf("answer %+v", a)
	}
	res := await(r, "edged/n/c0/result", func(p *mqtt.Result) bool { return true })
	if res.PartID != "part 7" || res.Seq != 1 {
		t.Errorf("result %+v", res)
	}
	if a := r.request("trigger", "t2", `, "camera": "c1"`); a.Status != "error" || !strings.Contains(a.Error, `trigger = "continuous"`) {
		t.Errorf("a camera that needs no trigger: %+v", a)
	}
	if a := r.request("trigger", "t3", `, "camera": "c9"`); a.Status != "error" || !strings.Contains(a.Error, "no such camera") {
		t.Errorf("a camera that is not there: %+v", a)
	}
	// More than the queue holds, at once: some are missed, and said to be.
	for i := range 40 * triggerDepth {
		r.d.onTrigger(context.Background(), mqtt.Request{Body: fmt.Appendf(nil, `{"camera": "c0", "part_id": "p%d"}`, i)})
	}
	e := await(r, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventMissedTrigger })
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
	r.awaitText("edged/n/status", mqtt.Online)
	r.send("edged/n/c0/enabled/set", "OFF")
	r.awaitText("edged/n/c0/enabled/state", "OFF")
	if a := r.request("trigger", "t1", `, "part_id": "resting"`); a.Status != "error" || !strings.Contains(a.Error, "is disabled") {
		t.Errorf("answer %+v", a)
	}
	missed := func(part, reason string) {
		t.Helper()
		e := await(r, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.PartID == part })
		if e.Kind != mqtt.EventMissedTrigger || e.Message != reason {
			t.Errorf("event %+v", e)
		}
	}
	missed("resting", pipeline.Disabled)
	long := strings.Repeat("p", maxPartID)
	r.request("trigger", "t2", `, "part_id": "`+long+`x"`)
	missed(long, "the part_id has 257 bytes: at most 256 are taken")
	if a := r.request("snapshot", "s1", ""); a.Status != "error" || !strings.Contains(a.Error, pipeline.Disabled) {
		t.Errorf("answer %+v", a)
	}
	r.d.units[0].queue.Fire("early") // taken just before the camera was disabled
	r.d.units[0].queue.Fire("late")
	r.end()
	missed("late", pipeline.Stopping)
	if n := r.d.units[0].camera.Counts(); n.Missed != 4 || n.Published != 0 {
		t.Errorf("counts %+v", n)
	}
}

func TestEnabledSet(t *testing.T) {
	r := startRig(t, "")
	await(r, "edged/n/c0/result", func(p *mqtt.Result) bool { return true })
	r.awaitText("edged/n/status", mqtt.Online)
	r.send("edged/n/c0/enabled/set", "OFF")
	r.awaitText("edged/n/c0/enabled/state", "OFF")
	r.awaitText("edged/n/c0/status", mqtt.Disabled)
	r.send("edged/n/c0/enabled/set", "ON")
	r.awaitText("edged/n/c0/status", mqtt.Online)
	last := r.d.units[0].camera.Counts().Published
	await(r, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Seq > last+1 })
}

// awaitText waits until the latest message on a topic is text.
func (r *rig) awaitText(topic, text string) {
	r.t.Helper()
	for range 6000 {
		r.mu.Lock()
		list := r.got[topic]
		r.mu.Unlock()
		if len(list) > 0 && string(list[len(list)-1]) == text {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.t.Fatalf("%s never said %q", topic, text)
}

func TestReload(t *testing.T) {
	r := startRig(t, "")
	first := r.d.units[0].file.sha256
	await(r, "edged/n/c0/result", func(p *mqtt.Result) bool { return true })

	// Garbage, found by the watch: the old model stays, and an event says so.
	writeFile(t, r.model, []byte("garbage"))
	e := await(r, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventFault })
	if !strings.Contains(e.Message, "the old one stays") {
		t.Errorf("event %+v", e)
	}
	if a := r.request("reload", "r1", ""); a.Status != "error" || !strings.Contains(a.Error, "the old one stays") {
		t.Errorf("answer %+v", a)
	}
	last := r.d.units[0].camera.Counts().Published
	await(r, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Seq > last })

	// Another good model, on request: adopted between two frames.
	denseFile(t, r.dir, nets.Valid, 48, 64)
	if a := r.request("reload", "r2", `, "camera": "c0"`); a.Status != "ok" {
		t.Fatalf("answer %+v", a)
	}
	info := await(r, "edged/n/info", func(i *mqtt.Info) bool { return i.Models[0].SHA256 != first })
	if info.Models[0].SHA256 != r.d.units[0].file.sha256 {
		t.Errorf("info %+v", info)
	}
	res := await(r, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Mask != nil && p.Mask.W != 18 })
	before := res.Seq
	await(r, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Seq == before+1 })
	if f := r.d.units[0].account(); f.Refused+f.Failed != 0 {
		t.Errorf("frames were lost on the way: %+v", f)
	}
}

func TestVerdictsAndTheirEvents(t *testing.T) {
	r := startRig(t, "[[camera.rule]]\nclass = \"metal\"\nmin_score = 0.5\nmin_area_px = 20\nverdict = \"part\"")
	res := await(r, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Verdict == "part" })
	if len(res.Reasons) == 0 || !strings.Contains(res.Reasons[0].Text, "metal") || res.Reasons[0].Class != "metal" || res.Reasons[0].Rule != 1 || res.Reasons[0].Px < 20 || res.Engine == "" || res.Schema != 2 {
		t.Errorf("result %+v", res)
	}
	e := await(r, "edged/n/c0/event", func(e *mqtt.Event) bool { return e.Kind == mqtt.EventVerdict })
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
		if a := r.request("snapshot", x.rest, x.rest); a.Status != "error" || !strings.Contains(a.Error, x.says) {
			t.Errorf("%s: %+v", x.rest, a)
		}
	}
	a := r.request("snapshot", "s1", `, "camera": "c0"`)
	data, ok := a.Data.(map[string]any)
	if a.Status != "ok" || !ok || data["camera"] != "c0" || len(fmt.Sprint(data["jpeg"])) < 500 {
		t.Errorf("answer %.300v", a)
	}
}

func TestPageMetricsAndHealth(t *testing.T) {
	r := startRig(t, "")
	await(r, "edged/n/c0/result", func(p *mqtt.Result) bool { return p.Seq > 3 })
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
		"/page.js": "createImageBitmap",
	} {
		if code, body := get(path); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d, %.200q; want %q in it", path, code, body, want)
		}
	}
	if code, _ := get("/live/nobody"); code != http.StatusNotFound {
		t.Errorf("a camera that is not there: %d", code)
	}
}

// Every frame and message is accounted for at the end, and the state says that
// the stop was clean.
func TestTheEndIsAccountedFor(t *testing.T) {
	r := startRig(t, "", `trigger = "interval:30ms"`)
	await(r, "edged/n/c1/result", func(p *mqtt.Result) bool { return p.Seq > 2 })
	await(r, "edged/n/c0/result", func(p *mqtt.Result) bool { return true })
	r.end()
	if l := r.d.finalLedger(); !l.Balanced || l.Cameras["c0"].Published == 0 {
		t.Errorf("ledger %+v", l)
	}
	r.awaitText("edged/n/status", mqtt.Offline)
	m := open(t, filepath.Join(r.dir, "state"))
	if s := m.lastStop(); s == nil || !s.Clean {
		t.Errorf("last stop %+v", s)
	}
	if _, err := os.Stat(filepath.Join(r.dir, "state", "state.json")); err != nil {
		t.Error(err)
	}
}
