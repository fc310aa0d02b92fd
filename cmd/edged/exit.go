package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Exit codes, part of the contract with scripts.
const (
	exitOK        = 0
	exitFailed    = 1
	exitUsage     = 2  // the command line is wrong
	exitRefused   = 3  // refused, or not equivalent
	exitBadConfig = 78 // EX_CONFIG of sysexits.h
)

// exitError is an error that chooses the exit code. Any other error exits with
// exitFailed. An error with empty text prints nothing.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// exitf is an exitError with a formatted message; %w works.
func exitf(code int, format string, args ...any) error {
	return &exitError{code: code, err: fmt.Errorf(format, args...)}
}

// usageErr turns cobra's complaint into one with the cure in it.
func usageErr(cmd *cobra.Command, err error) error {
	use := cmd.CommandPath() + " COMMAND"
	if p := cmd.Parent(); p != nil {
		use = p.CommandPath() + " " + cmd.Use
	}
	return exitf(exitUsage, "%w\nusage: %s; run '%s --help' for more", err, use, cmd.CommandPath())
}

// writeJSON prints v as one indented JSON document.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
