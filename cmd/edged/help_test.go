package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// The commands that users and scripts rely on.
var promised = []string{"run", "snap", "replay", "demo", "rewrite", "verify", "manifest", "inspect", "infer", "bench", "eval", "watch", "check", "doctor", "version"}

func TestEveryCommandHasHelpWithExamples(t *testing.T) {
	_, list, _ := runEdged("--help")
	for _, name := range promised {
		if !strings.Contains(list, "\n  "+name+" ") {
			t.Errorf("edged --help does not list %s", name)
		}
		code, out, errs := runEdged(name, "--help")
		if code != exitOK || errs != "" || !strings.Contains(out, "Examples:\n  edged "+name) {
			t.Errorf("edged %s --help: exit %d, stderr %q\n%s", name, code, errs, out)
		}
		if code, out, errs := runEdged(name, "--no-such-flag"); code != exitUsage || out != "" || !strings.Contains(errs, "edged "+name+" --help") {
			t.Errorf("edged %s --no-such-flag: exit %d, stdout %q, stderr %q", name, code, out, errs)
		}
	}
}

// help on what is not there is wrong usage and names what is.
func TestHelpOnNonsense(t *testing.T) {
	for _, args := range [][]string{{"help", "nonsense"}, {"help", "version", "x"}, {"help", "help", "x"}} {
		code, out, errs := runEdged(args...)
		if code != exitUsage || out != "" || !strings.Contains(errs, strings.Join(args[1:], " ")) || !strings.Contains(errs, "bench, check, compare, demo") || strings.Contains(errs, "canary") {
			t.Errorf("edged %q: exit %d, stdout %q, stderr %q", args, code, out, errs)
		}
	}
	for _, args := range [][]string{{"help"}, {"help", "rewrite"}, {"help", "help"}} {
		if code, out, errs := runEdged(args...); code != exitOK || !strings.Contains(out, "Usage:") || errs != "" {
			t.Errorf("edged %q: exit %d, stderr %q", args, code, errs)
		}
	}
}

// What help shows can be typed: every example is a command with flags and
// arguments that it takes.
func TestExamplesAreCommandLines(t *testing.T) {
	root, _ := newRoot()
	for _, cmd := range append(root.Commands(), root) {
		seen := 0
		for line := range strings.SplitSeq(cmd.Example, "\n") {
			words := strings.Fields(line)
			if len(words) == 0 || words[0] != "edged" {
				continue // a document, or what a line goes on with
			}
			seen++
			if err := parse(exampleArgs(line)); err != nil {
				t.Errorf("edged %s: example %q: %v", cmd.Name(), line, err)
			}
		}
		if seen == 0 && !cmd.Hidden && slices.Contains(promised, cmd.Name()) {
			t.Errorf("edged %s has no example", cmd.Name())
		}
	}
}

// exampleArgs are an example's arguments without its comment and without what
// the shell does with its streams.
func exampleArgs(line string) []string {
	line = strings.TrimSpace(line)
	for _, end := range []string{"   ", " #", " > ", " < ", " | "} {
		line, _, _ = strings.Cut(line, end)
	}
	return strings.Fields(line)[1:]
}

// parse reads a command line as far as the command's own code.
func parse(args []string) error {
	root, _ := newRoot()
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if err := cmd.ValidateRequiredFlags(); err != nil {
		return err
	}
	check := cmd.Args
	if check == nil {
		check = cobra.ArbitraryArgs
	}
	return check(cmd, cmd.Flags().Args())
}
