package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"edged/internal/board"
)

// runReport prints, in Markdown, what this machine is and how fast each linked engine
// runs the models, in turns, with one thread and with all: to be sent by the owners
// of boards that nobody here has.
func runReport(w io.Writer, paths []string, root fs.FS, o *benchOptions) error {
	b, before := thisBuild(), board.Read(root)
	fmt.Fprintf(w, "- board: %s\n- processor: %s, %d cores\n- kernel: %s\n- edged %s (%s) on %s\n- before: %s\n\n",
		orUnknown(board.Name(root)), orUnknown(board.Processor(root)), runtime.NumCPU(), kernelRelease(), b.Version, b.Revision, b.Platform, state(before))
	fmt.Fprint(w, "| model | threads | engine | median ms | p95 ms | GMAC/s | over the first |\n|---|---|---|---|---|---|---|\n")
	for _, path := range paths {
		for _, threads := range slices.Compact([]int{1, runtime.NumCPU()}) {
			turn := *o
			turn.threads, turn.compare = threads, linkedEngines()
			if err := reportModel(w, path, &turn); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintf(w, "\n- after: %s\n", state(board.Read(root)))
	return err
}

// reportModel prints a model's rows; an engine that cannot run it has one that says so.
func reportModel(w io.Writer, path string, o *benchOptions) error {
	var able []string
	for _, engine := range o.compare {
		one := *o
		one.compare, one.runs = []string{engine}, 1
		_, err := compare(path, &one)
		var missing *fs.PathError
		if errors.As(err, &missing) {
			return err
		}
		if err != nil {
			fmt.Fprintf(w, "| %s | %d | %s | does not run it: %s | | | |\n", filepath.Base(path), o.threads, engine, strings.ReplaceAll(bare(err), "|", "/"))
			continue
		}
		able = append(able, engine)
	}
	if len(able) == 0 {
		return fmt.Errorf("%s: no engine runs it", path)
	}
	o.compare = able
	c, err := compare(path, o)
	if err != nil {
		return err
	}
	for i, r := range c.Results {
		fmt.Fprintf(w, "| %s | %d | %s | %.2f | %.2f | %.1f | %.2f |\n", filepath.Base(path), o.threads, r.Engine, r.MedianMS, r.P95MS, r.GMACs, c.Ratios[i])
	}
	return nil
}

// state is a machine's heat and clock in words.
func state(t board.Thermal) string {
	if !t.Told() {
		return "heat and clock are not told"
	}
	var all []string
	if t.Celsius > 0 {
		all = append(all, fmt.Sprintf("%.0f °C", t.Celsius))
	}
	if t.MaxMHz > 0 {
		all = append(all, fmt.Sprintf("%.0f of %.0f MHz", t.MHz, t.MaxMHz))
	}
	if len(t.Causes) > 0 {
		all = append(all, "held down by "+strings.Join(t.Causes, ", "))
	}
	return strings.Join(all, ", ")
}

func orUnknown(s string) string {
	if s == "" {
		return "not told"
	}
	return s
}

// kernelRelease is the kernel's name of itself.
func kernelRelease() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "not told"
	}
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
}
