package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"edged/internal/pipeline"
	"edged/mqtt"
)

// handleCommands carries out what comes over MQTT.
func (d *Daemon) handleCommands() {
	d.client.HandleEnabled(func(_ context.Context, cam string, on, retained bool) error {
		u, err := d.unit(cam)
		if err != nil {
			return err
		}
		u.enable(on, retained)
		return nil
	})
	d.client.HandleZones(d.onZones)
	d.client.Handle("trigger", d.onTrigger)
	d.client.Handle("reload", d.onReload)
	d.client.Handle("snapshot", d.onSnapshot)
	d.client.Handle("evidence", d.onEvidence)
	d.client.Handle("promote", d.onPromote)
	d.client.Handle("rollback", d.onRollback)
}

// onReload takes over a model file as it is now: {"camera"}, or the config and all
// of them. The answer lists what runs, and the keys that wait for a restart.
func (d *Daemon) onReload(ctx context.Context, r mqtt.Request) (any, error) {
	var body struct {
		Camera string `json:"camera"`
	}
	if err := decodeBody(r, &body); err != nil {
		return nil, err
	}
	units := d.units
	var waits []string
	if body.Camera == "" {
		var err error
		if waits, err = d.reconfigure(ctx); err != nil {
			return nil, err
		}
	} else {
		u, err := d.unit(body.Camera)
		if err != nil {
			return nil, err
		}
		units = []*unit{u}
	}
	var models []mqtt.ModelInfo
	var errs []error
	for _, u := range units {
		m, err := u.reload(ctx, "asked for over MQTT")
		models, errs = append(models, m), append(errs, err)
	}
	return map[string]any{"models": models, "restart": append([]string{}, waits...)}, errors.Join(errs...)
}

// snapshotTime is how long a snapshot waits for a frame.
const snapshotTime = 5 * time.Second

// onSnapshot answers with the next frame: {"camera"}. With "topic": true it publishes
// the frame instead, behind the mask of the same result.
func (d *Daemon) onSnapshot(ctx context.Context, r mqtt.Request) (any, error) {
	var body struct {
		Camera string `json:"camera"`
		Topic  bool   `json:"topic"`
	}
	if err := decodeBody(r, &body); err != nil {
		return nil, err
	}
	u, err := d.unit(body.Camera)
	if err != nil {
		return nil, err
	}
	if !u.camera.Enabled() {
		return nil, fmt.Errorf("camera %s: %s", u.cfg.Name, pipeline.Disabled)
	}
	ctx, cancel := context.WithTimeout(ctx, snapshotTime)
	defer cancel()
	limit := d.payloadLimit()
	if !body.Topic {
		limit = (limit - 1024) * 3 / 4 // base64 takes four bytes for three, and the rest of the answer some more
	}
	jpeg, shot, err := d.page.Snapshot(ctx, u.cfg.Name, limit)
	switch {
	case err != nil && ctx.Err() == nil:
		return nil, fmt.Errorf("camera %s: %w", u.cfg.Name, err)
	case err != nil:
		return nil, fmt.Errorf("camera %s: no picture within %v: %s", u.cfg.Name, snapshotTime, u.whyNoPicture())
	}
	answer := map[string]any{"camera": u.cfg.Name, "seq": shot.Seq, "ts": mqtt.Time{Time: shot.Time}}
	if body.Topic {
		answer["topic"], answer["bytes"] = d.client.Snapshot(u.cfg.Name, jpeg), len(jpeg)
	} else {
		answer["jpeg"] = jpeg
	}
	return answer, nil
}

// payloadLimit is how many bytes a payload may have at present.
func (d *Daemon) payloadLimit() int {
	link, _ := d.client.Link()
	return link.PayloadLimit
}

// overlayEvery is the least time between two overlays of a camera.
const overlayEvery = time.Second

// startOverlays publishes pictures for people where mqtt.overlay asks for them.
func (d *Daemon) startOverlays(ctx context.Context, group *sync.WaitGroup) {
	if d.client == nil {
		return
	}
	on := d.cfg.MQTT.Overlay || d.cfg.MQTT.HomeAssistant
	d.clearOverlays(on)
	if !on {
		return
	}
	for _, u := range d.units {
		group.Go(func() {
			d.page.Overlays(ctx, u.cfg.Name, overlayEvery, d.payloadLimit, func(jpeg []byte) { d.client.Overlay(u.cfg.Name, jpeg) })
		})
	}
}

// whyNoPicture says what a snapshot waited for: it is the next frame that the
// model looks at.
func (u *unit) whyNoPicture() string {
	u.mu.Lock()
	status := u.status
	u.mu.Unlock()
	switch {
	case !status.Online:
		return "the camera is offline: " + status.Reason
	case u.now().Trigger != "continuous":
		return fmt.Sprintf("with trigger = %q it comes with the next trigger", u.now().Trigger)
	}
	return "the model has taken no frame; the log and stats tell of frames that were refused"
}

// onTrigger asks for a frame: {"camera","part_id"}. The answer says that the
// trigger was taken; the result carries the part_id.
func (d *Daemon) onTrigger(_ context.Context, r mqtt.Request) (any, error) {
	var asked struct {
		Camera string `json:"camera"`
		PartID partID `json:"part_id"`
	}
	bad := decodeBody(r, &asked)
	u, err := d.unit(asked.Camera)
	if bad != nil {
		d.malformed(u, bad)
		return nil, bad
	}
	if err != nil {
		d.malformed(nil, err)
		return nil, err
	}
	body := struct{ PartID string }{string(asked.PartID)}
	queue := u.gate.queueNow()
	if queue == nil {
		return nil, fmt.Errorf("camera %s has trigger = %q: set trigger = \"mqtt\" to ask for single frames", u.cfg.Name, u.now().Trigger)
	}
	if why := u.cannotServe(&body.PartID); why != "" {
		u.camera.MissTrigger(pipeline.Shot{PartID: body.PartID}, why)
		return nil, fmt.Errorf("camera %s: %s", u.cfg.Name, why)
	}
	shot, err := queue.Fire(body.PartID)
	if err != nil {
		u.camera.MissTrigger(shot, err.Error())
		return nil, fmt.Errorf("camera %s: %w", u.cfg.Name, err)
	}
	return map[string]string{"camera": u.cfg.Name, "part_id": body.PartID}, nil
}

// malformed counts and tells a trigger that asks for nothing that can be served:
// at its camera where that is known, at each that takes triggers where it is not.
func (d *Daemon) malformed(of *unit, why error) {
	for _, u := range d.units {
		if u == of || of == nil && u.gate.queueNow() != nil {
			u.camera.MissTrigger(pipeline.Shot{}, "the trigger is malformed: "+why.Error())
		}
	}
}

// partID is a part's name: a text, or a number as it is written.
type partID string

// UnmarshalJSON implements json.Unmarshaler.
func (p *partID) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && (b[0] == '-' || b[0] >= '0' && b[0] <= '9') {
		*p = partID(b)
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("part_id: write a text or a number, not %.40s", b)
	}
	*p = partID(s)
	return nil
}

// maxPartID bounds what a trigger adds to its result, which has to fit into one
// payload.
const maxPartID = 256 // bytes

// cannotServe says why a trigger is missed at once, empty where it is not. It
// cuts a part_id that is too long.
func (u *unit) cannotServe(partID *string) string {
	if n := len(*partID); n > maxPartID {
		*partID = strings.ToValidUTF8((*partID)[:maxPartID], "")
		return fmt.Sprintf("the part_id has %d bytes: at most %d are taken", n, maxPartID)
	}
	if !u.camera.Enabled() {
		return pipeline.Disabled
	}
	return ""
}

// decodeBody reads a request's JSON object; none at all is an empty one.
func decodeBody(r mqtt.Request, dst any) error {
	if len(r.Body) == 0 {
		return nil
	}
	err := json.Unmarshal(r.Body, dst)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("request: %q is a %s, not a %s", wrong.Field, wrong.Value, wrong.Type)
	}
	if err != nil {
		return fmt.Errorf("request: %w", err)
	}
	return nil
}
