package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"edged/mqtt"
)

// handleCommands carries out what comes over MQTT.
func (d *daemon) handleCommands() {
	d.client.HandleEnabled(func(_ context.Context, cam string, on bool) error {
		u, err := d.unit(cam)
		if err != nil {
			return err
		}
		u.camera.Enable(on)
		u.publishStatus()
		return nil
	})
	d.client.Handle("trigger", d.onTrigger)
	d.client.Handle("reload", d.onReload)
	d.client.Handle("snapshot", d.onSnapshot)
}

// onReload takes over the model files as they are now: {"camera"}, or all of
// them. The answer lists what runs.
func (d *daemon) onReload(ctx context.Context, r mqtt.Request) (any, error) {
	var body struct {
		Camera string `json:"camera"`
	}
	if err := decodeBody(r, &body); err != nil {
		return nil, err
	}
	units := d.units
	if body.Camera != "" {
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
	return map[string]any{"models": models}, errors.Join(errs...)
}

// snapshotTime is how long a snapshot waits for a frame.
const snapshotTime = 5 * time.Second

// onSnapshot answers with the next frame: {"camera"}.
func (d *daemon) onSnapshot(ctx context.Context, r mqtt.Request) (any, error) {
	var body struct {
		Camera string `json:"camera"`
	}
	if err := decodeBody(r, &body); err != nil {
		return nil, err
	}
	u, err := d.unit(body.Camera)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, snapshotTime)
	defer cancel()
	// Base64 takes four bytes for three, and the rest of the answer some more.
	limit := (int(d.cfg.MQTT.MaxPayload) - 1024) * 3 / 4
	jpeg, shot, err := d.page.Snapshot(ctx, u.cfg.Name, limit)
	if err != nil {
		return nil, fmt.Errorf("camera %s: no picture within %v: %w", u.cfg.Name, snapshotTime, err)
	}
	return map[string]any{"camera": u.cfg.Name, "seq": shot.Seq, "ts": mqtt.Time{Time: shot.Time}, "jpeg": jpeg}, nil
}

// onTrigger asks for a frame: {"camera","part_id"}. The answer says that the
// trigger was taken; the result carries the part_id.
func (d *daemon) onTrigger(_ context.Context, r mqtt.Request) (any, error) {
	var body struct {
		Camera string `json:"camera"`
		PartID string `json:"part_id"`
	}
	if err := decodeBody(r, &body); err != nil {
		return nil, err
	}
	u, err := d.unit(body.Camera)
	if err != nil {
		return nil, err
	}
	if u.queue == nil {
		return nil, fmt.Errorf("camera %s has trigger = %q: set trigger = \"mqtt\" to ask for single frames", u.cfg.Name, u.cfg.Trigger)
	}
	shot, err := u.queue.Fire(body.PartID)
	if err != nil {
		u.camera.MissTrigger(shot, err.Error())
		return nil, err
	}
	return map[string]string{"camera": u.cfg.Name, "part_id": body.PartID}, nil
}

// decodeBody reads a request's JSON object; none at all is an empty one.
func decodeBody(r mqtt.Request, dst any) error {
	if len(r.Body) == 0 {
		return nil
	}
	if err := json.Unmarshal(r.Body, dst); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	return nil
}
