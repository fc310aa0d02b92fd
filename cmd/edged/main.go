// Command edged turns the frames of cameras into masks, publishes them over
// MQTT, and holds the tools around that: rewriting, checking and measuring
// models. It is the only place where the rooms of the project are wired.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"edged/internal/config"
	"edged/internal/signals"
	"edged/internal/stage"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program: it carries out args and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root, started := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	if !*started {
		err = usageErr(cmd, err)
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(stderr, "edged:", quoteControls(text))
	}
	var e *exitError
	switch {
	case errors.As(err, &e):
		return e.code
	case errors.Is(err, config.ErrBad):
		return exitBadConfig
	case errors.As(err, new(*stage.Refused)):
		return exitRefused
	}
	return exitFailed
}

// quoteControls quotes control characters, which names in files may hold and which a
// terminal would obey. Lines stay lines.
func quoteControls(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

// daemonCommand is the command that signals reach from its first moment to its
// last; the others end with one as any program does.
const daemonCommand = "run"

// newRoot builds the command tree. *started turns true once a command's own
// code runs; an error before that is wrong usage.
func newRoot() (root *cobra.Command, started *bool) {
	started = new(bool)
	root = &cobra.Command{
		Use:   "edged",
		Short: "Dense, exact, accountable vision on cheap boards",
		Long: `edged turns the frames of cameras into masks - one class for every pixel of a
grid - and publishes them over MQTT with a verdict and a count of everything
that happened to every frame.`,
		Example: `  edged demo                            see it work: no camera, no broker, no config
  edged run -c /etc/edged/edged.toml    the daemon
  edged rewrite net.tflite -o dense.tflite --input 480x640
  edged doctor                          is this machine ready?`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := cmd.ValidateRequiredFlags(); err != nil {
				return err
			}
			*started = true
			if cmd.Name() != daemonCommand {
				signals.Release()
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(cmd.ErrOrStderr())
			_ = cmd.Help()
			return &exitError{code: exitUsage, err: errors.New("which command? See the list above")}
		},
	}
	for _, newCmd := range commands {
		root.AddCommand(newCmd())
	}
	root.SetHelpCommand(newHelpCmd(root))
	return root, started
}
