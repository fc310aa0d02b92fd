package daemon

import (
	"context"
	"fmt"
	"slices"

	"edged/internal/config"
	"edged/internal/stage"
)

// distrust names the engines whose answers an audit found wrong on a model. It
// outlives a restart: whatever made them wrong, a board that starts again is the
// same board. It holds for one model file, one version of edged and one
// camera.engine, and until a reload where no engine is left.
type distrust struct {
	SHA256  string   `json:"sha256"`
	Version string   `json:"version"`
	Asked   string   `json:"asked"` // camera.engine
	Engines []string `json:"engines"`
}

// wrongOn are the engines found wrong where that was under the same
// circumstances.
func (m *memory) wrongOn(camera string, now distrust) []string {
	if w := m.of(camera).Wrong; w.SHA256 == now.SHA256 && w.Version == now.Version && w.Asked == now.Asked {
		return w.Engines
	}
	return nil
}

// foundWrong adds an engine to them.
func (m *memory) foundWrong(camera string, now distrust, engine string) error {
	engines := m.wrongOn(camera, now)
	if slices.Contains(engines, engine) {
		return nil
	}
	now.Engines = append(slices.Clone(engines), engine)
	m.of(camera).Wrong = now
	return m.save()
}

// trustAll forgets what was found wrong.
func (m *memory) trustAll(camera string) error {
	m.of(camera).Wrong = distrust{}
	return m.save()
}

// circumstances are those under which an engine is found wrong on a file.
func (u *unit) circumstances(file *stage.File, cam *config.Camera) distrust {
	return distrust{SHA256: file.SHA256, Version: u.d.opts.Version, Asked: cam.Engine}
}

// wrongOn are the engines not to be believed on a file.
func (u *unit) wrongOn(file *stage.File, cam *config.Camera) []string {
	u.d.stateMu.Lock()
	defer u.d.stateMu.Unlock()
	return slices.Clone(u.d.memory.wrongOn(u.cfg.Name, u.circumstances(file, cam)))
}

// distrust remembers that an engine is not to be believed on a file.
func (u *unit) distrust(file *stage.File, engine string) {
	u.remember(func(m *memory) error { return m.foundWrong(u.cfg.Name, u.circumstances(file, u.now()), engine) })
}

// remember changes the state on disk. That a disk fails is told, and no reason to
// stop.
func (u *unit) remember(change func(m *memory) error) {
	u.d.stateMu.Lock()
	err := change(u.d.memory)
	u.d.stateMu.Unlock()
	if err != nil {
		u.log.Warn("state not saved", "err", err.Error())
	}
}

// believed are those of engines that no audit has found wrong; all where it has
// found all so: loaded anew, a model gets another chance.
func believed(engines, wrong []string) []string {
	left := slices.DeleteFunc(slices.Clone(engines), func(e string) bool { return slices.Contains(wrong, e) })
	if len(left) == 0 {
		return engines
	}
	return left
}

// standIn is the engine that runs a model in place of the one that the config
// names and that an audit has found wrong: the one that took over, else the first
// that runs the model. ok is false where there is none, or nothing was found.
func (u *unit) standIn(ctx context.Context, file *stage.File, cam *config.Camera) (c Choice, ok bool) {
	wrong := u.wrongOn(file, cam)
	if !slices.Contains(wrong, cam.Engine) {
		return c, false
	}
	u.d.stateMu.Lock()
	tookOver := u.d.memory.engineOf(u.cfg.Name, file.SHA256, u.d.opts.Version)
	u.d.stateMu.Unlock()
	list := believed(u.enginesFrom(cam.Engine), wrong)
	slices.SortStableFunc(list, func(a, b string) int { return rank(b == tookOver) - rank(a == tookOver) })
	for _, engine := range list {
		if engine == cam.Engine || u.d.opts.Engines.Canary(ctx, file.Data, engine, cam.Threads) != nil {
			continue
		}
		why := fmt.Sprintf("an audit found the answers of %s wrong on this model; engine = \"auto\" or another file tries it again", cam.Engine)
		u.log.Warn("engine chosen", "engine", engine, "why", why)
		return Choice{Engine: engine, Why: why}, true
	}
	return c, false
}

func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// inUse is the model in use.
func (u *unit) inUse() *loaded {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.loaded
}

// sameAs tells whether l is the file in use on the engine in use, as the config
// asks for it now.
func (u *unit) sameAs(l *loaded) bool {
	now := u.inUse()
	return now.file.SHA256 == l.file.SHA256 && now.asked == l.asked && now.cam.Engine == l.cam.Engine
}
