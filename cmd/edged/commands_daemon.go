package main

import (
	"context"
	"encoding/json"
	"fmt"

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
