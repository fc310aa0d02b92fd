package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"edged/internal/config"
	"edged/internal/stage"
)

// clearGain is how much faster than the engine used before another must be to
// take its place: a restart is to make the same choice.
const clearGain = 1.15

// Choice is the engine that a model runs on, and why.
type Choice struct {
	Engine string   // the name that it is asked for by; empty: none runs the model
	Why    string   // what each engine took; empty: it was asked for by name
	Odd    []string // why engines that this program has cannot run the model

	refused bool // one of them for want of an operator: the file is sound
}

// trial is what came out of one engine's trial.
type trial struct {
	engine string
	took   time.Duration // the median of its runs
	over   bool          // it was stopped: it takes more than took
	err    error         // it does not run the model
}

func (t trial) String() string {
	ms := strconv.FormatFloat(float64(t.took.Microseconds())/1e3, 'f', 1, 64)
	switch {
	case t.err != nil:
		return t.engine + " does not run it"
	case t.over:
		return t.engine + " over " + ms + " ms"
	}
	return t.engine + " " + ms + " ms"
}

// appendReason adds why t failed, unless another engine has failed for the same
// reason: the two of TFLite read files alike.
func appendReason(list []string, t trial) []string {
	reason := func(s string) string {
		_, why, _ := strings.Cut(s, ": ")
		return why
	}
	now := t.err.Error()
	if slices.ContainsFunc(list, func(s string) bool { return reason(s) == reason(now) }) {
		return list
	}
	return append(list, now)
}

// err is why no engine runs the model.
func (c Choice) err() error {
	if c.Engine != "" {
		return nil
	}
	err := errors.New(strings.Join(c.Odd, "; and "))
	if c.refused {
		return &stage.Refused{Why: err}
	}
	return err
}

// choose takes the fastest engine, or the one used before unless another is
// clearly faster.
func choose(trials []trial, before string) Choice {
	best, kept := -1, -1
	var c Choice
	var told []string
	for i, t := range trials {
		told = append(told, t.String())
		switch {
		case t.err != nil:
			c.Odd = appendReason(c.Odd, t)
			c.refused = c.refused || errors.As(t.err, new(*stage.Refused))
			continue
		case t.over:
			continue
		}
		if best < 0 || t.took < trials[best].took {
			best = i
		}
		if t.engine == before {
			kept = i
		}
	}
	if best < 0 {
		return c
	}
	c.Why = strings.Join(told, ", ")
	if kept >= 0 && kept != best && float64(trials[kept].took) < clearGain*float64(trials[best].took) {
		best = kept
		c.Why += fmt.Sprintf("; %s as before, where nothing is %.0f %% faster", before, 100*(clearGain-1))
	}
	c.Engine = trials[best].engine
	return c
}

// tried is what the choice for a model depends on while the daemon runs.
type tried struct {
	sha256  string
	threads int
}

// chooseEngine has children try the model: on the engine of the config, or on
// all, of which it takes the fastest; what it took the last time stays unless
// another is clearly faster. An engine that an audit found wrong on it is not asked.
func (u *unit) chooseEngine(ctx context.Context, file *stage.File, cam *config.Camera) (Choice, error) {
	if cam.Engine != config.Auto {
		if c, ok := u.standIn(ctx, file, cam); ok {
			return c, nil
		}
		return u.d.opts.Engines.Try(ctx, file.Data, cam.Engine, cam.Threads, "")
	}
	c, err := u.fastest(ctx, file, cam)
	if err != nil {
		return c, err
	}
	level, args := slog.LevelInfo, []any{"engine", c.Engine, "why", c.Why}
	if len(c.Odd) > 0 {
		level, args = slog.LevelWarn, append(args, "reason", strings.Join(c.Odd, "; "))
	}
	u.log.Log(ctx, level, "engine chosen", args...)
	u.d.stateMu.Lock()
	defer u.d.stateMu.Unlock()
	u.d.tried[tried{file.SHA256, cam.Threads}] = c
	if err := u.d.memory.chose(u.cfg.Name, file.SHA256, u.d.opts.Version, c.Engine); err != nil {
		u.log.Warn("state not saved", "err", err.Error())
	}
	return c, nil
}

// fastest times the engines on a model, once for all cameras: many on one model
// are not to wait for as many trials.
func (u *unit) fastest(ctx context.Context, file *stage.File, cam *config.Camera) (Choice, error) {
	u.d.stateMu.Lock()
	c, known := u.d.tried[tried{file.SHA256, cam.Threads}]
	before := u.d.memory.engineOf(u.cfg.Name, file.SHA256, u.d.opts.Version)
	u.d.stateMu.Unlock()
	on := u.d.opts.Engines
	on.Auto = believed(on.Auto, u.wrongOn(file, cam))
	if known && slices.Contains(on.Auto, c.Engine) {
		return c, nil
	}
	return on.Try(ctx, file.Data, config.Auto, cam.Threads, before)
}
