package daemon

import (
	"context"
	"fmt"

	"edged/internal/atomicfile"
	"edged/internal/config"
	"edged/internal/stage"
	"edged/mqtt"
)

// promotion is a shadow that was put in place of a camera's model. It holds until
// the model's file is replaced: whoever deploys a model gets that one.
type promotion struct {
	SHA256 string `json:"sha256"`
	Name   string `json:"name"`
	Over   string `json:"over"` // SHA-256 of the file that it stands in place of
}

// promotedPath is where a camera's promoted model is kept: the shadow's own file
// may be the next candidate by the next start.
func (m *memory) promotedPath(camera string) string { return m.path(camera + ".promoted.tflite") }

// promoted is a camera's promotion; the zero one: there is none.
func (u *unit) promoted() promotion {
	u.d.stateMu.Lock()
	defer u.d.stateMu.Unlock()
	return u.d.memory.of(u.cfg.Name).Promoted
}

// keepPromotion remembers p, with its file where there is a folder for it.
func (u *unit) keepPromotion(p promotion, data []byte) error {
	u.d.stateMu.Lock()
	defer u.d.stateMu.Unlock()
	m := u.d.memory
	if m.dir != "" && p.SHA256 != "" {
		if err := atomicfile.WritePrivate(m.promotedPath(u.cfg.Name), data); err != nil {
			return err
		}
	}
	before := m.of(u.cfg.Name).Promoted
	m.of(u.cfg.Name).Promoted = p
	if err := m.save(); err != nil {
		m.of(u.cfg.Name).Promoted = before // what was refused must not happen later by itself
		return err
	}
	return nil
}

// forgetPromotion ends a promotion over a file that is there no more: the model in
// use is that of a new one.
func (u *unit) forgetPromotion(inUse string) {
	if p := u.promoted(); p.SHA256 == "" || p.SHA256 == inUse {
		return
	}
	if err := u.keepPromotion(promotion{}, nil); err != nil {
		u.log.Warn("state not saved", "err", err.Error())
	}
}

// readModel reads what the camera is to run: its model file, or the one that was
// promoted over it.
func (u *unit) readModel(cam *config.Camera) (*stage.File, error) {
	u.noteRead(cam.Model)
	file, err := stage.Read(cam.Model)
	p := u.promoted()
	if err != nil || p.SHA256 == "" || p.Over != file.SHA256 {
		return file, err
	}
	path := u.d.memory.promotedPath(u.cfg.Name)
	if u.d.memory.dir == "" {
		path = cam.Shadow
	}
	promoted, err := stage.Read(path)
	if err == nil && promoted.SHA256 != p.SHA256 {
		err = fmt.Errorf("%s: its SHA-256 is %s, %s was promoted", path, promoted.SHA256, p.SHA256)
	}
	if err != nil {
		u.log.Error("the promoted model is not used, that of the config is", "err", err.Error())
		u.startFault = "the promoted model is not used, that of the config is: " + err.Error()
		return file, nil
	}
	promoted.Name = p.Name
	return promoted, nil
}

// promote puts the shadow in place of the model in use.
func (u *unit) promote(ctx context.Context) (mqtt.ModelInfo, error) {
	u.reloading.Lock()
	defer u.reloading.Unlock()
	s := u.shadowInfo()
	if s == nil {
		return mqtt.ModelInfo{}, fmt.Errorf("camera %s has no shadow that runs: %s", u.cfg.Name, u.whyNoShadow())
	}
	file, err := stage.Read(u.now().Shadow)
	if err == nil && file.SHA256 != s.SHA256 {
		err = fmt.Errorf("%s is another model by now than the shadow: try again once it runs", u.now().Shadow)
	}
	if err != nil {
		return mqtt.ModelInfo{}, fmt.Errorf("camera %s: %w", u.cfg.Name, err)
	}
	under, err := stage.Read(u.now().Model)
	if err != nil {
		return mqtt.ModelInfo{}, fmt.Errorf("camera %s: %w", u.cfg.Name, err)
	}
	return u.exchange(ctx, file, promotion{SHA256: file.SHA256, Name: file.Name, Over: under.SHA256}, "promoted")
}

// rollback goes back from a promoted model to that of the config.
func (u *unit) rollback(ctx context.Context) (mqtt.ModelInfo, error) {
	u.reloading.Lock()
	defer u.reloading.Unlock()
	file, err := stage.Read(u.now().Model)
	if err != nil {
		return mqtt.ModelInfo{}, fmt.Errorf("camera %s: %w", u.cfg.Name, err)
	}
	if p := u.promoted(); p.SHA256 == "" || p.Over != file.SHA256 {
		return mqtt.ModelInfo{}, fmt.Errorf("camera %s: no model was promoted over %s: there is nothing to roll back", u.cfg.Name, u.now().Model)
	}
	return u.exchange(ctx, file, promotion{}, "rolled back to")
}

// exchange takes file into use and remembers p; on any error the model in use
// stays.
func (u *unit) exchange(ctx context.Context, file *stage.File, p promotion, what string) (mqtt.ModelInfo, error) {
	before := u.modelInfo().ModelInfo
	data := file.Data
	l, err := u.tryAndOpen(ctx, file, u.now())
	if err == nil && l.notNumbers != nil {
		l.stage.Engine.Close()
		err = fmt.Errorf("model %s: its trial: %w", file.Name, l.notNumbers)
	}
	if err != nil {
		return before, fmt.Errorf("camera %s: not %s, the old model stays: %w", u.cfg.Name, what, err)
	}
	if err := u.keepPromotion(p, data); err != nil {
		l.stage.Engine.Close()
		return before, fmt.Errorf("camera %s: not %s, the old model stays: %w", u.cfg.Name, what, err)
	}
	u.take(l)
	now := u.modelInfo().ModelInfo
	text := fmt.Sprintf("%s %s in place of %s", what, now.Name, before.Name)
	if u.d.memory.dir == "" {
		text += "; until the next start: there is no state folder"
	}
	u.trace(mqtt.EventShadow, text, byRequest, mqtt.Change{Key: "model", Previous: before.SHA256, Value: now.SHA256})
	return now, nil
}

// take has the camera take over l, which a trial has found good.
func (u *unit) take(l *loaded) {
	u.d.stateMu.Lock()
	_, err := u.d.memory.attempt(u.cfg.Name, l.file.SHA256)
	u.d.stateMu.Unlock()
	if err != nil {
		u.log.Warn("state not saved", "err", err.Error())
	}
	u.use(l)
	u.noteModel(l.file.SHA256)
	u.camera.Adopt(l.stage)
	u.startAudit(l)
	u.restartShadow()
	u.d.publishInfo()
}

// onPromote and onRollback exchange a camera's model and its shadow: {"camera"}.
// The answer says what runs now.
func (d *Daemon) onPromote(ctx context.Context, r mqtt.Request) (any, error) {
	return d.exchangeModels(ctx, r, (*unit).promote)
}

func (d *Daemon) onRollback(ctx context.Context, r mqtt.Request) (any, error) {
	return d.exchangeModels(ctx, r, (*unit).rollback)
}

func (d *Daemon) exchangeModels(ctx context.Context, r mqtt.Request, do func(*unit, context.Context) (mqtt.ModelInfo, error)) (any, error) {
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
	m, err := do(u, ctx)
	if err != nil {
		return nil, err
	}
	return m, nil
}
