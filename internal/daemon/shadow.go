package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"edged"
	"edged/internal/metrics"
	"edged/internal/pipeline"
	"edged/internal/shadow"
	"edged/internal/stage"
	"edged/mqtt"
)

// byRequest is who changed something on .../request/<cmd>.
const byRequest = "request"

// shadowOf is the name under which the state remembers a camera's shadow; a
// camera cannot have it.
func shadowOf(camera string) string { return camera + " (shadow)" }

// running is a shadow beside the model in use.
type running struct {
	info    mqtt.ShadowInfo
	account shadow.Account
}

// restartShadow begins the camera's shadow in place of the one before, where
// there is one. It loads aside: a shadow is never waited for.
func (u *unit) restartShadow() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.endShadow != nil {
		u.endShadow()
	}
	u.shadow, u.noShadow = nil, ""
	if u.now().Shadow == "" || u.d.share == nil || u.life.Err() != nil {
		return
	}
	ctx, cancel := context.WithCancel(u.life)
	u.endShadow, u.shadow, u.noShadow = cancel, nil, "it is being tried"
	u.spare.Go(func() {
		u.shadowing.Lock() // the one before has left the slot
		defer u.shadowing.Unlock()
		if ctx.Err() == nil {
			u.runShadow(ctx)
		}
	})
}

// runShadow tries, loads and runs the shadow until ctx is done. What goes wrong
// is told, and is no fault of the camera's.
func (u *unit) runShadow(ctx context.Context) {
	s, file, err := u.openShadow(ctx)
	if err != nil {
		if !u.setShadow(ctx, nil, err.Error()) {
			return
		}
		if errors.Is(err, errInUse) { // it was promoted, or the files are the same: nothing is wrong
			u.log.Info("no shadow runs", "reason", err.Error())
			return
		}
		u.log.Warn("no shadow runs", "reason", err.Error())
		u.event(mqtt.Event{Kind: mqtt.EventShadow, Message: "no shadow runs: " + err.Error()})
		return
	}
	r := &running{info: mqtt.ShadowInfo{Name: file.Name, SHA256: file.SHA256, Engine: s.Engine.Name(), Certificate: s.Certificate}}
	if !u.setShadow(ctx, r, "") {
		s.Engine.Close()
		return
	}
	u.trace(mqtt.EventShadow, "a shadow runs: "+file.Name, byConfig, mqtt.Change{Key: "shadow", Value: file.SHA256})
	u.d.publishInfo()
	u.d.stateMu.Lock() // two cameras must not take one mark
	mark := u.d.memory.marks.of(shadowOf(u.cfg.Name))
	u.d.stateMu.Unlock()
	shadow.Run(ctx, shadow.Config{
		Stage: s, Slot: u.frames, Share: u.d.share, Idle: u.isIdle, Account: &r.account, Log: u.log.With("shadow", file.Name),
		Mark: func(on bool) {
			if on {
				mark.set(inferring, file.SHA256)
			} else {
				mark.set(idle, "")
			}
		},
		Judge: u.plainJudge,
	})
}

// setShadow notes which shadow runs, or why none does. It does nothing, and says
// so, where ctx is done: another has taken its place.
func (u *unit) setShadow(ctx context.Context, r *running, why string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if ctx.Err() != nil {
		return false
	}
	u.shadow, u.noShadow = r, why
	return true
}

// plainJudge is the camera's rules without hold: of one frame alone.
func (u *unit) plainJudge(labels []string) (pipeline.Judge, error) {
	cam := *u.now()
	cam.Rules = slices.Clone(cam.Rules)
	for i := range cam.Rules {
		cam.Rules[i].Hold = 1
	}
	return stage.NewRuler(&cam, labels, u.zones, func(stage.Change) {}, nil)
}

var errInUse = errors.New("it is the model in use")

// openShadow reads the shadow's file, has a child try it, and loads it.
func (u *unit) openShadow(ctx context.Context) (*pipeline.Stage, *stage.File, error) {
	path := u.now().Shadow
	u.noteRead(path)
	file, err := stage.Read(path)
	if err != nil {
		return nil, nil, err
	}
	if file.SHA256 == u.modelInfo().SHA256 {
		return nil, nil, errInUse
	}
	if err := file.Admit(u.d.cfg.Trust()); err != nil {
		return nil, nil, err
	}
	if err := u.shadowAttempt(file.SHA256); err != nil {
		return nil, nil, err
	}
	choice, err := u.d.opts.Engines.Try(ctx, file.Data, u.now().Engine, 1, "")
	if err != nil {
		return nil, nil, fmt.Errorf("model %s: %w", file.Name, err)
	}
	cam := *u.now()
	cam.Engine, cam.Threads = choice.Engine, 1
	s, err := stage.Open(file, &cam, u.d.opts.Engines.Open, edged.Options{MemoryLimit: int64(u.d.cfg.Node.MemoryLimit)})
	return s, file, err
}

// shadowAttempt refuses a shadow that has ended the daemon before, once: a model
// in use may try three times, a shadow has no such claim.
func (u *unit) shadowAttempt(sha string) error {
	u.d.stateMu.Lock()
	defer u.d.stateMu.Unlock()
	name := shadowOf(u.cfg.Name)
	if mm := u.d.memory.of(name); mm.Candidate == sha && mm.Attempts > 0 {
		return errors.New("the daemon has crashed in it")
	}
	_, err := u.d.memory.attempt(name, sha)
	return err
}

// shadowInfo is the shadow that runs, nil where none does.
func (u *unit) shadowInfo() *mqtt.ShadowInfo {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.shadowLocked()
}

func (u *unit) shadowLocked() *mqtt.ShadowInfo {
	if u.shadow == nil {
		return nil
	}
	info := u.shadow.info
	return &info
}

func (u *unit) whyNoShadow() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.noShadow == "" {
		return "set camera.shadow"
	}
	return u.noShadow
}

// shadowStats is the shadow's part of the stats topic, nil where none runs.
func (u *unit) shadowStats() *mqtt.ShadowStats {
	u.mu.Lock()
	r := u.shadow
	u.mu.Unlock()
	if r == nil {
		return nil
	}
	c := r.account.Counts()
	s := &mqtt.ShadowStats{
		Name: r.info.Name, SHA256: r.info.SHA256, Frames: c.Frames, VerdictsDiffering: c.VerdictsDiffering, Failed: c.Failed,
		Classes: map[string]mqtt.ShadowClass{},
	}
	for name, n := range c.Classes {
		s.Classes[name] = mqtt.ShadowClass(n)
	}
	return s
}

// shadowMetrics is its part of /metrics.
func (u *unit) shadowMetrics() metrics.Shadow {
	s := u.shadowStats()
	if s == nil {
		return metrics.Shadow{}
	}
	m := metrics.Shadow{On: true, Frames: s.Frames, VerdictsDiffering: s.VerdictsDiffering, Failed: s.Failed, Positions: map[[2]string]uint64{}}
	for name, n := range s.Classes {
		m.Positions[[2]string{name, "both"}], m.Positions[[2]string{name, "live_only"}], m.Positions[[2]string{name, "shadow_only"}] = n.Both, n.LiveOnly, n.ShadowOnly
	}
	return m
}

// shadowText is what the page says of it, empty without one.
func (u *unit) shadowText() string {
	s := u.shadowStats()
	switch {
	case u.now().Shadow == "":
		return ""
	case s == nil:
		return "none: " + u.whyNoShadow()
	}
	return fmt.Sprintf("%s: of %d frames %d verdicts differ", s.Name, s.Frames, s.VerdictsDiffering)
}
