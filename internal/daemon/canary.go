package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"edged"
	"edged/internal/config"
	"edged/internal/noise"
	"edged/internal/stage"
)

// canaryTime is how long a model may take to load and run once: the largest
// nets need seconds on the smallest boards.
const canaryTime = 60 * time.Second

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
	ctx, cancel := context.WithTimeout(ctx, canaryTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe)
	// The name decides what the test binary is; ours is always the same.
	cmd.Args = []string{"edged", "canary", "--engine", engine, "--threads", strconv.Itoa(threads)}
	cmd.Stdin = bytes.NewReader(data)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err = cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("engine %s: the model did not run within %v", engine, canaryTime)
	}
	return errors.New(lastWords(engine, err, stderr.String()))
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
