package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"edged/internal/daemon"
	"edged/model"
	"edged/rewrite"
)

// triedTime is how long an engine may take for its one run of a dense net that
// was just made.
const triedTime = 30 * time.Second

// tried is what an engine made of a dense net, before its file is written.
type tried struct {
	Engine string `json:"engine"`
	Ran    bool   `json:"ran"`
	Note   string `json:"note,omitempty"` // why it was loaded and not run, or not tried
	took   time.Duration
}

// tryDense has children load the dense net on every engine of this program, and
// run it once. A file that an engine refuses which takes the baseline is no
// answer to anybody: nothing is written then. base is the baseline's file at a
// size that it can be tried at.
func tryDense(r *rewrite.Result, base []byte) ([]tried, error) {
	dense, err := r.Model.Write()
	if err != nil {
		return nil, err
	}
	return tryWith(linkedEngines(), dense, base, tryOn)
}

// tryWith is tryDense with another way to try a file.
func tryWith(engines []string, dense, base []byte, try func(engine string, file []byte) (tried, error)) ([]tried, error) {
	var out []tried
	var last error
	for _, engine := range engines {
		t, err := try(engine, dense)
		if err == nil {
			out = append(out, t)
			continue
		}
		if _, baseErr := try(engine, base); baseErr != nil {
			last = baseErr // it does not take the baseline either
			continue
		}
		return nil, exitf(exitRefused, "nothing was written: the dense net was made, but an engine that runs the baseline does not take it: %w; try another --form, or --cut a tensor earlier", err)
	}
	if len(out) == 0 {
		out = append(out, tried{Note: fmt.Sprintf("not tried: no engine here runs the baseline: %v", last)})
	}
	return out, nil
}

// tryOn runs a model once on one engine, in a child. What does not fit into
// memory, or takes too long, is no fault of the file.
func tryOn(engine string, file []byte) (tried, error) {
	a, err := (&daemon.Engines{}).Once(context.Background(), file, engine, triedTime)
	switch {
	case err != nil && machines(err):
		return tried{Engine: engine, Note: "loaded, not run: " + err.Error()}, nil
	case err != nil:
		return tried{}, err
	case a.Over:
		return tried{Engine: engine, Note: fmt.Sprintf("loaded, not run: one run takes more than %v", triedTime)}, nil
	}
	return tried{Engine: engine, Ran: true, took: a.Took}, nil
}

// machines reports whether a trial failed for want of memory or time: another
// machine may have them.
func machines(err error) bool {
	said := strings.ToLower(err.Error())
	for _, word := range []string{"memory", "bad_alloc", "did not run within"} {
		if strings.Contains(said, word) {
			return true
		}
	}
	return false
}

// agreeRun is how long a run of the dense net may take for a measurement that
// nobody asked for.
const agreeRun = 5 * time.Second

// quick reports whether some engine runs the dense net soon enough.
func quick(list []tried) bool {
	return slices.ContainsFunc(list, func(t tried) bool { return t.Ran && t.took < agreeRun })
}

// printTried tells on which engines the file was run.
func printTried(w io.Writer, list []tried) {
	var ran []string
	for _, t := range list {
		if t.Ran {
			ran = append(ran, t.Engine)
		}
	}
	if len(ran) > 0 {
		fmt.Fprintf(w, "  loaded and run once on %s\n", strings.Join(ran, ", "))
	}
	for _, t := range list {
		if t.Note != "" {
			fmt.Fprintf(w, "  %s\n", strings.TrimPrefix(t.Engine+": "+t.Note, ": "))
		}
	}
}

// sizedBase is the baseline as an engine can be asked about it.
func sizedBase(m *model.Model, r *rewrite.Result, file []byte) []byte {
	if b, err := rewrite.SizedFile(m, r.Model, file); err == nil {
		return b
	}
	return file
}
