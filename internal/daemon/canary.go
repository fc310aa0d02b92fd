package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"edged"
	"edged/internal/child"
	"edged/internal/config"
	"edged/internal/noise"
	"edged/internal/stage"
)

// canaryTime is how long a model may take to load and run once: the largest
// nets need seconds on the smallest boards.
const canaryTime = 60 * time.Second

// canaryFile is how much a trial may write to a file; it has no reason to.
const canaryFile = 64 << 20

// Engines are those of the program, which is where they are chosen.
type Engines struct {
	// ReportFaults has faults in threads of a linked library, of which the
	// runtime does not tell, written to a file; nil: there is no such library.
	ReportFaults func(*os.File) error
	Open         stage.Opener
	Auto         []string // what camera.engine = "auto" tries, in order: those that cannot crash first

	// Limit is how many bytes a model may take in its trial; nil or 0: three
	// quarters of what is free, and no more than 2 GiB.
	Limit func() int64

	// Unproven says what in a model a linked library is not known to survive,
	// empty for nothing: such a model is strained. nil: nothing is.
	Unproven func(model []byte) string

	readFile func(name string) ([]byte, error) // of /proc and /sys; nil: the machine's own

	trial func(context.Context, []byte, Trial) (Answer, error) // nil: by a child
}

// Trial is what a child is asked to do with a model.
type Trial struct {
	Engine   string
	Threads  int
	Timed    bool          // tell how long it takes
	Patience time.Duration // and give up a first run that takes longer; 0: never
	Memory   int64         // bytes that the model may take; 0: no limit
}

// Answer is what the child says, as JSON.
type Answer struct {
	Engine string        `json:"engine"` // the engine's own name
	Took   time.Duration `json:"took"`   // of a run, in ns
	Over   bool          `json:"over"`   // it was given up after so long
}

const (
	// timedFor is how long an engine is timed once it has run the model.
	timedFor = 200 * time.Millisecond

	// longRun is from when on the first run is taken for the time.
	longRun = time.Second

	// mostTimed is the most runs that this takes.
	mostTimed = 50

	// mostSlower is how many times as long as the fastest engine so far a first
	// run may take, leastPatience how long it may take at least: first runs touch
	// fresh memory.
	mostSlower    = 3
	leastPatience = 100 * time.Millisecond
)

// RunCanary is the child's part of a trial: it runs the model. A library that
// crashes or hangs takes the child along and not the daemon. The child is to
// end when this returns: a run that was given up goes on.
func (e *Engines) RunCanary(data []byte, t Trial) (Answer, error) {
	opened, err := e.Open(t.Engine, data, edged.Options{Threads: t.Threads, MemoryLimit: t.Memory})
	if err != nil {
		return Answer{}, err
	}
	for i, s := range opened.Inputs() {
		noise.Fill(opened.Input(i), s.Type)
	}
	a := Answer{Engine: opened.Name()}
	began, first := time.Now(), make(chan error, 1)
	go func() { first <- opened.Run() }()
	var patience <-chan time.Time
	if t.Patience > 0 {
		patience = time.After(t.Patience)
	}
	select {
	case err = <-first:
	case <-patience:
		a.Took, a.Over = t.Patience, true
		return a, nil
	}
	defer opened.Close()
	if a.Took = time.Since(began); err == nil && t.Timed && a.Took < longRun {
		a.Took, err = median(opened.Run)
	}
	return a, err
}

// median times runs: one at least, then as many as there is time for.
func median(run func() error) (time.Duration, error) {
	var took []time.Duration
	for start := time.Now(); len(took) == 0 || len(took) < mostTimed && time.Since(start) < timedFor; {
		began := time.Now()
		if err := run(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

// Try has child processes run the model, and returns the engine to use. "auto"
// becomes the fastest of its engines that run it; before is the one that it was
// the last time, empty where that is not known.
func (e *Engines) Try(ctx context.Context, data []byte, engine string, threads int, before string) (Choice, error) {
	if engine != config.Auto {
		return Choice{Engine: engine}, e.Canary(ctx, data, engine, threads)
	}
	var trials []trial
	t := Trial{Threads: threads, Timed: true}
	var best time.Duration
	for _, t.Engine = range e.Auto {
		a, err := e.try(ctx, data, t)
		if ctx.Err() != nil {
			return Choice{}, err
		}
		trials = append(trials, trial{engine: t.Engine, took: a.Took, over: a.Over, err: err})
		if err == nil && !a.Over && (best == 0 || a.Took < best) {
			best = a.Took
			t.Patience = max(leastPatience, mostSlower*best)
		}
	}
	c := choose(trials, before)
	return c, c.err()
}

// Canary has a child run the model on one engine: once, or many times where the
// library may not survive it. Its error says what the child said last, or which
// signal ended it.
func (e *Engines) Canary(ctx context.Context, data []byte, engine string, threads int) error {
	strain := e.Unproven != nil && e.Unproven(data) != ""
	_, err := e.try(ctx, data, Trial{Engine: engine, Threads: threads, Timed: strain})
	return err
}

// Strain is Canary for a model that may damage memory without a word: many runs
// bring that out.
func (e *Engines) Strain(ctx context.Context, data []byte, engine string, threads int) error {
	_, err := e.try(ctx, data, Trial{Engine: engine, Threads: threads, Timed: true})
	return err
}

// Once is a single run of the model on one engine, given up after patience: the
// answer then says that it was only loaded.
func (e *Engines) Once(ctx context.Context, data []byte, engine string, patience time.Duration) (Answer, error) {
	return e.try(ctx, data, Trial{Engine: engine, Patience: patience})
}

// try runs one child: this program's command canary.
func (e *Engines) try(ctx context.Context, data []byte, t Trial) (a Answer, err error) {
	if e.trial != nil {
		return e.trial(ctx, data, t)
	}
	exe, err := os.Executable()
	if err != nil {
		return a, fmt.Errorf("canary: %w", err)
	}
	var from string
	t.Memory, from = e.memory()
	var out bytes.Buffer
	words, err := child.Run(ctx, child.Command{
		Path: exe, Args: t.args(), Stdin: data, Stdout: &out, Alarm: canaryTime, Limits: child.Limits{FileSize: canaryFile, OOMScore: 1000},
	})
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return a, fmt.Errorf("engine %s: the trial was called off: %w", t.Engine, ctx.Err())
	case errors.Is(err, child.ErrAlarm):
		return a, fmt.Errorf("engine %s: the model did not run within %v", t.Engine, canaryTime)
	default:
		text := lastWords(t.Engine, err, words)
		if strings.Contains(text, "memory limit") {
			text += " (the limit is " + from + ")"
		}
		if child.Code(err) == exitRefused {
			return a, &stage.Refused{Why: errors.New(text)}
		}
		return a, errors.New(text)
	}
	if err := json.Unmarshal(out.Bytes(), &a); err != nil {
		return a, fmt.Errorf("engine %s: the trial's answer: %w", t.Engine, err)
	}
	return a, nil
}

// exitRefused is how a trial ends of a model that the engine has no operators for:
// the file is sound, and another try would say the same.
const exitRefused = 3

// args are the child's arguments. The name decides what the test binary is; ours
// is always the same.
func (t *Trial) args() []string {
	return []string{"edged", "canary", "--engine", t.Engine, "--threads", strconv.Itoa(t.Threads),
		"--timed=" + strconv.FormatBool(t.Timed), "--patience", t.Patience.String(), "--memory", strconv.FormatInt(t.Memory, 10)}
}

// lastWords tells why a child failed: its own error line, else how it ended.
func lastWords(engine string, err error, stderr string) string {
	first := "" // what a library says of its own accord is not why
	for line := range strings.Lines(stderr) {
		if said := strings.TrimSpace(line); first == "" && !strings.HasPrefix(said, "INFO: ") && !strings.HasPrefix(said, "WARNING: ") {
			first = said
		}
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "edged: "); ok {
			return text
		}
	}
	text := "engine " + engine + ": the trial run ended with " + err.Error()
	if first != "" {
		text += ": " + first
	}
	return text
}
