package daemon

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"edged"
	"edged/internal/audit"
	"edged/internal/config"
	"edged/internal/pipeline"
	"edged/internal/stage"
	"edged/model"
	"edged/mqtt"
)

// loaded is a model on its engine, ready to be adopted.
type loaded struct {
	file  *stage.File
	cam   *config.Camera // as it was opened for
	stage *pipeline.Stage
	why   string // on this engine

	notNumbers error // what its trial gave is not a number somewhere

	asked string         // the engine, as it is asked for
	audit *audit.Auditor // of its answers; nil: none
}

// firstModel loads what a camera starts with: its model file, or the last good
// one where the file crashes the daemon again and again or cannot be used.
func (u *unit) firstModel(ctx context.Context) (*loaded, error) {
	file, err := u.readModel(u.now())
	if err == nil {
		var back bool
		u.d.stateMu.Lock()
		back, err = u.d.memory.attempt(u.cfg.Name, file.SHA256)
		u.d.stateMu.Unlock()
		if err != nil {
			u.log.Warn("state not saved", "err", err.Error())
		}
		if !back {
			l, err := u.tryAndOpen(ctx, file, u.now())
			if err == nil && l.notNumbers != nil {
				return u.numberless(ctx, l)
			}
			if err == nil {
				return l, nil
			}
			return u.lastGood(ctx, err)
		}
		err = fmt.Errorf("model %s: the daemon has crashed %d times with it", file.Name, maxAttempts)
	}
	return u.lastGood(ctx, err)
}

// numberless goes back to the last good model from one whose trial gave no
// numbers. Where there is none the camera starts: its frames fail, are counted
// and told, and no verdict comes out of them.
func (u *unit) numberless(ctx context.Context, l *loaded) (*loaded, error) {
	good, err := u.lastGood(ctx, fmt.Errorf("model %s: its trial: %w", l.file.Name, l.notNumbers))
	if err != nil {
		l.stage.Unfit = l.notNumbers // frames on which it happens to give numbers are no better
		return l, nil
	}
	l.stage.Engine.Close()
	return good, nil
}

// lastGood goes back to the model that ran well before; without one the cause
// is the error.
func (u *unit) lastGood(ctx context.Context, cause error) (*loaded, error) {
	cause = fmt.Errorf("camera %s: %w", u.cfg.Name, cause)
	if u.d.memory.dir == "" || u.d.memory.of(u.cfg.Name).Good == "" || ctx.Err() != nil {
		return nil, cause
	}
	path := u.d.memory.goodPath(u.cfg.Name)
	file, err := stage.Read(path)
	if err != nil {
		return nil, errors.Join(cause, err)
	}
	if good := u.d.memory.of(u.cfg.Name).Good; file.SHA256 != good {
		return nil, errors.Join(cause, fmt.Errorf("the last good model %s is not what it was: its SHA-256 is %s, it ran with %s: the disk has changed it; deploy a model that is whole", path, file.SHA256, good))
	}
	l, err := u.tryAndOpen(ctx, file, u.now())
	if err != nil {
		return nil, errors.Join(cause, err)
	}
	u.log.Error("back to the last good model", "sha256", file.SHA256[:12], "err", cause.Error())
	u.startFault = "back to the last good model: " + cause.Error()
	return l, nil
}

// tryAndOpen has a child try the model, then loads it here.
func (u *unit) tryAndOpen(ctx context.Context, file *stage.File, cam *config.Camera) (*loaded, error) {
	if err := file.Admit(u.d.cfg.Trust()); err != nil {
		return nil, err
	}
	if file.Standing.Level == model.Invalid {
		u.log.Warn("the model's certificate is invalid", "model", file.Name, "reason", file.Standing.Why)
	}
	choice, err := u.chooseEngine(ctx, file, cam)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", file.Name, err)
	}
	done := u.markLoading(file)
	l, err := u.load(file, cam, choice)
	done() // not deferred: a panic must find the mark
	return l, err
}

// load opens a model that a child has tried, and looks at what comes out of it.
func (u *unit) load(file *stage.File, as *config.Camera, choice Choice) (*loaded, error) {
	cam := *as
	cam.Engine = choice.Engine
	s, err := stage.Open(file, &cam, u.d.opts.Engines.Open, edged.Options{MemoryLimit: u.d.limit.Load()})
	if err != nil {
		return nil, err
	}
	if s.Judge, err = stage.NewRuler(as, s.Labels, u.zones, u.verdictChanged, u.blindZone); err != nil {
		s.Engine.Close()
		return nil, err
	}
	s.Judge = stage.NewGauge(as, s.Judge, u.pictures())
	x, err := stage.Examine(s)
	if err != nil {
		s.Engine.Close()
		return nil, fmt.Errorf("model %s: its trial: %w", file.Name, err)
	}
	for _, warning := range x.Warnings {
		u.log.Warn("trial of the model", "model", file.Name, "warning", warning)
	}
	l := &loaded{file: file, cam: as, stage: s, why: choice.Why, notNumbers: x.NotNumbers, asked: choice.Engine}
	u.layAudit(l, x.Samples)
	return l, nil
}

// markLoading marks that a model is being loaded, until the function that it
// returns is called. While another runs the mark stays that one's: it is at work
// as well, and a child has loaded the new one before.
func (u *unit) markLoading(file *stage.File) (done func()) {
	if u.camera != nil {
		return func() {}
	}
	u.slot.set(loading, file.SHA256)
	late := time.AfterFunc(canaryTime, u.slot.stick)
	return func() {
		late.Stop()
		u.slot.set(idle, "")
	}
}

// reload has the camera take over its model file as it is now. On any error
// the model in use stays.
func (u *unit) reload(ctx context.Context, why string) (mqtt.ModelInfo, error) {
	u.reloading.Lock()
	defer u.reloading.Unlock()
	file, err := u.readModel(u.now())
	if err == nil && file.SHA256 == u.modelInfo().SHA256 {
		if !u.doubted() {
			return u.modelInfo().ModelInfo, nil // it is this one already
		}
		u.remember(func(m *memory) error { return m.trustAll(u.cfg.Name) }) // nothing is left to lose
	}
	var l *loaded
	if err == nil {
		l, err = u.tryAndOpen(ctx, file, u.now())
	}
	if err == nil && l.notNumbers != nil {
		l.stage.Engine.Close()
		err = fmt.Errorf("model %s: its trial: %w", file.Name, l.notNumbers)
	}
	if err != nil && ctx.Err() != nil {
		return mqtt.ModelInfo{}, err // the end is no fault of the model
	}
	if err != nil {
		err = fmt.Errorf("camera %s: the new model is not used, the old one stays: %w", u.cfg.Name, err)
		u.event(mqtt.Event{Kind: mqtt.EventFault, Message: err.Error()})
		return mqtt.ModelInfo{}, err
	}
	u.log.Info("model adopted", "why", why)
	old := u.modelInfo().SHA256
	u.take(l)
	u.forgetPromotion(file.SHA256)
	if u.traceModel(old, file.SHA256); old == file.SHA256 {
		u.event(mqtt.Event{Kind: mqtt.EventAudit, Message: "the model was loaded anew: its answers are believed until they differ again", Source: "daemon"})
	}
	return u.modelInfo().ModelInfo, nil
}

// reloadAll takes over the config and every camera's model and says what went
// wrong. A config that is wrong changes nothing.
func (d *Daemon) reloadAll(ctx context.Context, why string) {
	if _, err := d.reconfigure(ctx); err != nil {
		d.log.Error("reload failed", "why", why, "err", err.Error())
		return
	}
	for _, u := range d.units {
		if _, err := u.reload(ctx, why); err != nil {
			u.log.Error("reload failed", "why", why, "err", err.Error())
		}
	}
}

// startSide runs what goes on beside the cameras until ctx is done; wait
// returns when it has ended, or after sideTime: what runs on, a model that is being
// loaded, ends with the process.
func (d *Daemon) startSide(ctx context.Context) (wait func()) {
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-d.opts.Hangup:
				d.reloadAll(ctx, "SIGHUP")
			}
		}
	})
	wg.Go(func() { d.watchModels(ctx) })
	d.startOverlays(ctx, &wg)
	return func() {
		if !within(sideTime, wg.Wait) {
			d.log.Warn("the end does not wait for a model that is being loaded")
		}
	}
}

// sideTime is how long the end waits for what goes on beside the cameras. Trials,
// which take longest, are called off.
const sideTime = time.Second

// within tells whether wait returns within a time.
func within(limit time.Duration, wait func()) bool {
	ended := make(chan struct{})
	go func() { defer close(ended); wait() }()
	select {
	case <-ended:
		return true
	case <-time.After(limit):
		return false
	}
}

// prove keeps the model in use as the last good one once it has run long
// enough.
func (u *unit) prove() {
	u.mu.Lock()
	file, since, done := u.file, u.usedSince, u.proven
	u.mu.Unlock()
	if done || time.Since(since) < provenAfter || u.timing.count() == u.resultsBefore {
		return
	}
	u.d.stateMu.Lock()
	err := u.d.memory.proven(u.cfg.Name, file)
	u.d.stateMu.Unlock()
	if err != nil {
		u.log.Warn("the last good model could not be kept; tried again in a while", "err", err.Error())
		u.mu.Lock()
		u.usedSince = time.Now()
		u.mu.Unlock()
		return
	}
	u.mu.Lock()
	u.proven = u.proven || u.file == file
	file.Data = nil // nobody needs the bytes any more
	u.mu.Unlock()
}
