package daemon

import (
	"fmt"
	"strings"
	"time"

	"edged"
	"edged/capture"
	"edged/internal/config"
	"edged/internal/page"
	"edged/internal/pipeline"
)

// show offers a result to the page.
func (u *unit) show(r *pipeline.Result) {
	u.mu.Lock()
	why := u.why
	u.mu.Unlock()
	u.lastResult.Store(time.Now())
	s := page.Shot{
		Seq: r.Seq, Time: r.Frame.Time, Model: r.Stage.Model, Labels: r.Stage.Labels, Pixels: r.Pixels,
		InferMS: milliseconds(r.Infer), AgeMS: milliseconds(r.Age),
		Verdict: r.Verdict, Reasons: r.Reasons, PartID: r.PartID, Engine: r.Stage.Engine.Name(), Why: why, Certificate: r.Stage.Certificate,
		Audit: u.auditText(), Shadow: u.shadowText(),
	}
	if r.Line != nil && r.Stage.Judge != nil {
		u.said.hold(&s, r.Line.Ends)
	}
	u.d.page.Show(r.Camera, r.Frame, r.Mask, &s)
}

// pageState is what the page tells beside pictures. The page asks twice a second
// at most.
func (d *Daemon) pageState() page.State {
	s := page.State{Started: d.started, Version: d.opts.Version, Broker: "none"}
	heat, _ := d.heat.look()
	s.Temperature, s.HeldDown = heat.Celsius, heat.Causes
	for _, u := range d.units {
		s.Cameras = append(s.Cameras, u.pageState())
	}
	s.Evidence = d.evidencePage()
	if d.client == nil {
		return s
	}
	s.Broker = d.brokerWord()
	for _, a := range d.client.Ledger() {
		for _, n := range a.Dropped {
			s.Dropped += n
		}
	}
	return s
}

// brokerWord is ok, or what is wrong.
func (d *Daemon) brokerWord() string {
	switch link, err := d.client.Link(); {
	case link.Connected:
		return "ok"
	case err != nil:
		return "not connected: " + err.Error()
	}
	return "not connected"
}

func (u *unit) pageState() page.CameraState {
	f, m := u.account(), u.modelInfo()
	s := page.CameraState{
		Name: u.cfg.Name, Status: u.statusWord(), Trigger: u.now().Trigger,
		Model: m.Name, Engine: m.Engine, EngineWhy: m.Why, Certificate: m.Certificate, Audit: u.auditText(),
		InferMS: milliseconds(u.timing.median()),
		Read:    f.Read, Published: f.Published, PassedOver: f.PassedOver, Refused: f.Refused, Failed: f.Failed,
		Missed: f.MissedTriggers, RefusedBy: f.RefusedBy, Zones: u.zones.Set().List(),
	}
	s.Why, s.Waits = u.whyNothing(s.Trigger)
	if s.Why == sourceEnded {
		s.Status = "ended"
	}
	return s
}

// sourceEnded is why a camera is offline whose source came to its end.
const sourceEnded = "the source has ended"

// refusedFor is how long a refused frame is the reason for there being no result.
const refusedFor = 3 * time.Second

// whyNothing says why there is no result now, and whether that is for want of a
// trigger; empty: there is no reason.
func (u *unit) whyNothing(trigger string) (why string, waits bool) {
	u.mu.Lock()
	status, refusal, at, files := u.status, u.refusal, u.refusedAt, u.files
	u.mu.Unlock()
	switch {
	case status.Reason == sourceEnded:
		return sourceEnded, false
	case !u.camera.Enabled():
		return pipeline.Disabled, false
	case !status.Online && status.Reason == "":
		return "the camera is being opened", false
	case !status.Online:
		return "the camera is offline: " + status.Reason, false
	case refusal != "" && time.Since(at) < refusedFor:
		return refusal, false
	case strings.HasPrefix(trigger, "interval:"):
		return "", false
	case files != nil && time.Since(u.lastResult.Load()) > refusedFor:
		return "it waits for new pictures in " + capture.Redact(u.cfg.Source), true
	case trigger == config.TriggerCamera:
		return "it waits for the camera, which is triggered", true
	case trigger != "continuous":
		return fmt.Sprintf("it waits for a trigger (trigger = %q)", trigger), true
	}
	return "", false
}

// onlooker shows the page where a camera looks that gives no result.
type onlooker struct{ u *unit }

// resultFor is how long the page keeps a result of a camera that waits for its next
// trigger, before it shows what the camera sees meanwhile.
const resultFor = 10 * time.Second

// Wants implements pipeline.Onlooker.
func (o onlooker) Wants() bool {
	u := o.u
	if !u.d.page.Wanted(u.cfg.Name) {
		return false
	}
	return !u.camera.Enabled() || u.gate.queueNow() != nil && time.Since(u.lastResult.Load()) > resultFor
}

// Look implements pipeline.Onlooker.
func (o onlooker) Look(f *edged.Frame) {
	if why, _ := o.u.whyNothing(o.u.now().Trigger); why != "" {
		o.u.d.page.ShowRaw(o.u.cfg.Name, f, why)
	}
}

// refused notes why a frame led to no result, and offers it to the page.
func (u *unit) refused(r *pipeline.Refused) {
	text := fmt.Sprintf("frames are refused (%s): %s", r.Why, strings.TrimPrefix(r.Err.Error(), "pipeline: "))
	u.mu.Lock()
	u.refusal, u.refusedAt = text, time.Now()
	u.mu.Unlock()
	u.d.page.ShowRaw(u.cfg.Name, r.Frame, text)
	u.refusedPart(r)
}
