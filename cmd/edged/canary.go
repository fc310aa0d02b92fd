package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"edged"
)

// newCanaryCmd is what the daemon runs, as a child, to try a model.
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
			name, err := engines.RunCanary(data, engine, edged.Options{Threads: threads})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), name)
			return err
		},
	}
	engineFlag(cmd.Flags(), &engine, "engine to run on")
	cmd.Flags().IntVar(&threads, "threads", 0, "threads of the engine")
	return cmd
}
