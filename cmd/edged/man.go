//go:build manpages

package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// The manual pages are made by a program of their own tag, so that the one that is
// installed holds nothing that writes them.
func init() { commands = append(commands, newManCommand) }

func newManCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the manual pages",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			root.DisableAutoGenTag = true
			date, err := time.Parse(time.DateOnly, os.Getenv("EDGED_MAN_DATE"))
			if err != nil {
				return fmt.Errorf("EDGED_MAN_DATE is the day of the pages, as 2026-01-31: %w", err)
			}
			return doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "edged", Manual: "edged", Date: &date}, args[0])
		},
	}
}
