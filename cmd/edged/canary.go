package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"edged"
)

// canaryTime is how long a model may take to load and run once: the largest
// nets need seconds on the smallest boards.
const canaryTime = 60 * time.Second

// newCanaryCmd is what the daemon runs, as a child, to try a model: a library
// that crashes or hangs on it takes the child along and not the daemon.
func newCanaryCmd() *cobra.Command {
	var engine string
	var threads int
	cmd := &cobra.Command{
		Use:     "canary",
		Short:   "Load the model on stdin, run it once, and print the engine",
		Example: "  edged canary --engine tflite < net.tflite",
		Hidden:  true,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			data, err := io.ReadAll(cmd.InOrStdin())
			if err != nil {
				return fmt.Errorf("canary: %w", err)
			}
			name, err := runCanary(data, engine, edged.Options{Threads: threads})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), name)
			return err
		},
	}
	cmd.Flags().StringVar(&engine, "engine", engineAuto, "one of "+strings.Join(engineNames, ", "))
	cmd.Flags().IntVar(&threads, "threads", 0, "threads of the engine")
	return cmd
}

func runCanary(data []byte, engine string, o edged.Options) (string, error) {
	e, err := openEngine(engine, data, o)
	if err != nil {
		return "", err
	}
	defer e.Close()
	for i, s := range e.Inputs() {
		fillNoise(e.Input(i), s.Type)
	}
	if err := e.Run(); err != nil {
		return "", err
	}
	return e.Name(), nil
}

// tryModel has a child process run the model, and returns the engine to use.
// "auto" becomes the first of TFLite and the fallback that survives.
func tryModel(ctx context.Context, data []byte, engine string, threads int) (string, error) {
	if engine != engineAuto {
		return engine, canary(ctx, data, engine, threads)
	}
	var refusals []error
	for _, name := range autoOrder() {
		err := canary(ctx, data, name, threads)
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

// autoOrder lists the engines that auto tries.
func autoOrder() []string {
	var order []string
	for _, name := range linkedEngines() {
		if name != engineTFLiteBuiltin {
			order = append(order, name)
		}
	}
	return order
}

// canary runs one child. Its error says what the child said last, or which
// signal ended it.
func canary(ctx context.Context, data []byte, engine string, threads int) error {
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
