package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
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
	Open stage.Opener
	Auto []string // what camera.engine = "auto" tries, in order
}

// RunCanary is the child's part of a trial: it runs the model once and returns
// the engine's own name. A library that crashes or hangs takes the child along
// and not the daemon.
func (e *Engines) RunCanary(data []byte, engine string, o edged.Options) (string, error) {
	opened, err := e.Open(engine, data, o)
	if err != nil {
		return "", err
	}
	defer opened.Close()
	for i, s := range opened.Inputs() {
		noise.Fill(opened.Input(i), s.Type)
	}
	if err := opened.Run(); err != nil {
		return "", err
	}
	return opened.Name(), nil
}

// Try has a child process run the model, and returns the engine to use. "auto"
// becomes the first of its engines that survives; the error then tells why
// others were passed over.
func (e *Engines) Try(ctx context.Context, data []byte, engine string, threads int) (string, error) {
	if engine != config.Auto {
		return engine, e.Canary(ctx, data, engine, threads)
	}
	var refusals []error
	for _, name := range e.Auto {
		err := e.Canary(ctx, data, name, threads)
		if err == nil {
			return name, errors.Join(refusals...)
		}
		if ctx.Err() != nil {
			return "", err
		}
		refusals = append(refusals, err)
	}
	return "", errors.Join(refusals...)
}

// Canary runs one child: this program's command canary. Its error says what the
// child said last, or which signal ended it.
func (e *Engines) Canary(ctx context.Context, data []byte, engine string, threads int) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("canary: %w", err)
	}
	words, err := child.Run(ctx, child.Command{
		Path: exe,
		// The name decides what the test binary is; ours is always the same.
		Args:  []string{"edged", "canary", "--engine", engine, "--threads", strconv.Itoa(threads)},
		Stdin: data, Alarm: canaryTime, Limits: child.Limits{FileSize: canaryFile, OOMScore: 1000},
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, child.ErrAlarm) || ctx.Err() != nil:
		return fmt.Errorf("engine %s: the model did not run within %v", engine, canaryTime)
	}
	return errors.New(lastWords(engine, err, words))
}

// lastWords tells why a child failed: its own error line, else how it ended.
func lastWords(engine string, err error, stderr string) string {
	for line := range strings.Lines(stderr) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "edged: "); ok {
			return text
		}
	}
	text := "engine " + engine + ": the trial run ended with " + err.Error()
	if line, _, _ := strings.Cut(strings.TrimSpace(stderr), "\n"); line != "" {
		text += ": " + line
	}
	return text
}
