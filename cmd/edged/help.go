package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// newHelpCmd is cobra's help, except that a command which is not there is wrong
// usage: a script must not take it for an answer.
func newHelpCmd(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Help about any command",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return exitf(exitUsage, "help: there is no command %q: use one of %s", strings.Join(args, " "), strings.Join(verbs(root), ", "))
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	}
}

// verbs are the commands that help lists.
func verbs(root *cobra.Command) (names []string) {
	for _, c := range root.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	return names
}
