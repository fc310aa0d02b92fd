package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"edged/internal/daemon"
	"edged/tflite"
)

// newCanaryCmd is what the daemon runs, as a child, to try a model.
func newCanaryCmd() *cobra.Command {
	var t daemon.Trial
	cmd := &cobra.Command{
		Use:     "canary",
		Short:   "Load the model on stdin, run it, and print the engine",
		Example: "  edged canary --engine tflite < net.tflite",
		Hidden:  true,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			data, err := io.ReadAll(cmd.InOrStdin())
			if err != nil {
				return fmt.Errorf("canary: %w", err)
			}
			if err := daemon.LimitSelf(t.Memory); err != nil {
				return err
			}
			trial := daemon.Engines{Open: openBare}
			answer, err := trial.RunCanary(data, t)
			if err == nil && tflite.IsExternal(t.Engine) {
				err = delegateAgrees(data, t)
			}
			if err != nil {
				return refused(err)
			}
			return writeJSON(cmd.OutOrStdout(), answer)
		},
	}
	f := cmd.Flags()
	engineFlag(f, &t.Engine, "engine to run on")
	f.IntVar(&t.Threads, "threads", 0, "threads of the engine")
	f.BoolVar(&t.Timed, "timed", false, "tell how long it takes")
	f.Int64Var(&t.Memory, "memory", 0, "bytes that the model may take")
	f.DurationVar(&t.Patience, "patience", 0, "give up a first run that takes longer")
	return cmd
}
