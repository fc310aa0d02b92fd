package daemon

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// clearGain is how much faster than the engine used before another must be to
// take its place: a restart is to make the same choice.
const clearGain = 1.15

// Choice is the engine that a model runs on, and why.
type Choice struct {
	Engine string   // the name that it is asked for by; empty: none runs the model
	Why    string   // what each engine took; empty: it was asked for by name
	Odd    []string // why engines that this program has cannot run the model
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
	return errors.New(strings.Join(c.Odd, "; and "))
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
