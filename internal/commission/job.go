package commission

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"edged/internal/child"
	"edged/internal/infile"
	"edged/model"
)

const (
	mostLines = 40               // of what a child says, kept
	jobTime   = 60 * time.Minute // after which it is called off
	mostInput = 8192             // pixels of a side
)

// job is work that a child does: minutes of it, on a small board.
type job struct {
	Kind    string          `json:"kind"`  // plan or make
	Phase   string          `json:"phase"` // what it is at, or how it ended
	Model   string          `json:"model"`
	Dense   string          `json:"dense,omitempty"` // that make wrote
	Lines   []string        `json:"lines"`           // what it said last
	Done    bool            `json:"done"`
	Error   string          `json:"error"`
	Seconds float64         `json:"seconds"`
	Result  json.RawMessage `json:"result,omitempty"` // of rewrite --plan, or of verify

	started time.Time
}

// jobs is the one job there is at a time.
type jobs struct {
	mu   sync.Mutex
	last *job
	stop context.CancelFunc
	gone chan struct{}
}

func (j *jobs) look() *job {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.last == nil {
		return nil
	}
	c := *j.last
	c.Lines = slices.Clone(c.Lines)
	if !c.Done {
		c.Seconds = time.Since(c.started).Seconds()
	}
	return &c
}

// change notes news of the job.
func (j *jobs) change(news func(*job)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	news(j.last)
}

// Write takes what a child says on standard error, line by line.
func (j *jobs) Write(b []byte) (int, error) {
	j.change(func(last *job) {
		for text := range strings.FieldsFuncSeq(string(b), func(r rune) bool { return r == '\n' || r == '\r' }) {
			if text = strings.TrimSpace(text); text != "" {
				last.Lines = append(last.Lines, text[:min(len(text), 400)])
			}
		}
		last.Lines = last.Lines[max(0, len(last.Lines)-mostLines):]
	})
	return len(b), nil
}

func (j *jobs) cancel() {
	j.mu.Lock()
	stop, gone := j.stop, j.gone
	j.mu.Unlock()
	if stop != nil {
		stop()
		<-gone
	}
}

// begin runs work as the job, unless there is one.
func (j *jobs) begin(first job, work func(context.Context) error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.last != nil && !j.last.Done {
		return faultf(http.StatusConflict, "something is being worked on: wait for it, or call it off")
	}
	ctx, cancel := context.WithTimeout(context.Background(), jobTime)
	first.started, first.Lines = time.Now(), []string{}
	j.last, j.stop, j.gone = &first, cancel, make(chan struct{})
	gone := j.gone
	go func() {
		defer close(gone)
		defer cancel()
		err := work(ctx)
		j.change(func(last *job) {
			last.Done, last.Seconds = true, time.Since(last.started).Seconds()
			switch {
			case errors.Is(ctx.Err(), context.Canceled):
				last.Error = "called off"
			case err != nil:
				last.Error = err.Error()
			}
		})
	}()
	return nil
}

func (d *Desk) deleteJob(*http.Request) (any, error) {
	d.jobs.cancel()
	return d.jobs.look(), nil
}

// asked is what postJob is told.
type asked struct {
	Kind   string `json:"kind"` // plan: the price of each output stride; make: rewrite and prove
	Model  string `json:"model"`
	Input  [2]int `json:"input"` // height and width of what the dense net looks at
	Stride int    `json:"stride"`
	Form   string `json:"form"` // empty: auto
}

func (d *Desk) postJob(r *http.Request) (any, error) {
	var a asked
	if err := read(r, &a); err != nil {
		return nil, err
	}
	base, err := d.modelPath(a.Model)
	if err != nil {
		return nil, err
	}
	if h, w := a.Input[0], a.Input[1]; h < 1 || w < 1 || h > mostInput || w > mostInput {
		return nil, faultf(http.StatusBadRequest, "input: write height and width, 1 to %d pixels each", mostInput)
	}
	if !slices.Contains([]string{"", "auto", "dilated", "fragments", "shifts", "windows"}, a.Form) {
		return nil, faultf(http.StatusBadRequest, "form %.40q: there are auto, dilated, fragments, shifts and windows", a.Form)
	}
	first, work := job{Kind: a.Kind, Model: a.Model}, func(context.Context) error { return nil }
	switch a.Kind {
	case "plan":
		first.Phase, work = "measuring every output stride on this board", func(ctx context.Context) error { return d.plan(ctx, base, &a) }
	case "make":
		if a.Stride < 1 || a.Stride > mostInput {
			return nil, faultf(http.StatusBadRequest, "stride: write how many pixels lie from one position to the next, from 1")
		}
		stem := strings.TrimSuffix(a.Model, ".tflite")
		first.Dense = fmt.Sprintf("%s-dense-%dx%d-q%d.tflite", stem[:min(len(stem), 64)], a.Input[0], a.Input[1], a.Stride)
		dense := filepath.Join(d.dir, first.Dense)
		if err := mayWrite(dense); err != nil {
			return nil, err
		}
		first.Phase, work = "rewriting", func(ctx context.Context) error { return d.make(ctx, base, dense, &a) }
	default:
		return nil, faultf(http.StatusBadRequest, "kind %.40q: ask for plan or make", a.Kind)
	}
	if err := d.jobs.begin(first, work); err != nil {
		return nil, err
	}
	return d.jobs.look(), nil
}

// mayWrite refuses to write over what edged rewrite has not made.
func mayWrite(dense string) error {
	if _, err := os.Lstat(dense); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	data, err := infile.Read(dense, infile.Model)
	if err == nil {
		var m *model.Model
		if m, err = model.Read(data); err == nil {
			if f, err := m.Manifest(); err == nil && f != nil && f.Form != "" {
				return nil
			}
		}
	}
	return faultf(http.StatusConflict, "%s is there already, and edged rewrite has not made it: nothing is written over", filepath.Base(dense))
}

// edged runs the program itself, with what it prints as the answer.
func (d *Desk) edged(ctx context.Context, args ...string) ([]byte, error) {
	var out bytes.Buffer
	words, err := child.Run(ctx, child.Command{
		Path: d.cfg.Program, Args: append([]string{"edged"}, args...), Stdout: &out, Stderr: &d.jobs, Alarm: jobTime,
	})
	if err != nil {
		text := strings.TrimSpace(words)
		text = strings.TrimPrefix(text[max(0, len(text)-2000):], "edged: ")
		if text == "" {
			text = err.Error()
		}
		return out.Bytes(), errors.New(text)
	}
	return out.Bytes(), nil
}

func (a *asked) flags() []string {
	flags := []string{"--input", fmt.Sprintf("%dx%d", a.Input[0], a.Input[1])}
	if a.Form != "" {
		flags = append(flags, "--form", a.Form)
	}
	return flags
}

func (d *Desk) plan(ctx context.Context, base string, a *asked) error {
	out, err := d.edged(ctx, append([]string{"rewrite", base, "--plan", "--json"}, a.flags()...)...)
	if err != nil {
		return err
	}
	d.jobs.change(func(j *job) { j.Result, j.Phase = valid(out), "measured" })
	return nil
}

// make rewrites and proves. A net that is not proved stays where it is: its manifest
// says what it amounts to.
func (d *Desk) make(ctx context.Context, base, dense string, a *asked) error {
	flags := append(a.flags(), "--output-stride", fmt.Sprint(a.Stride), "-o", dense, "--json")
	if _, err := d.edged(ctx, append([]string{"rewrite", base}, flags...)...); err != nil {
		return err
	}
	d.jobs.change(func(j *job) { j.Phase = "proving: both nets are run side by side" })
	out, err := d.edged(ctx, "verify", base, dense, "--certify", "--json")
	d.jobs.change(func(j *job) { j.Result = valid(out) })
	var said struct {
		Level string `json:"level"`
	}
	if json.Unmarshal(out, &said) == nil && said.Level != "" {
		phase := map[string]string{"proved": "EQUIVALENT, proved", "tested": "tested on samples, not proved", "refuted": "NOT EQUIVALENT"}[said.Level]
		d.jobs.change(func(j *job) { j.Phase = phase })
	}
	return err
}

// valid is JSON that may be passed on, nil where it is none.
func valid(b []byte) json.RawMessage {
	if !json.Valid(b) {
		return nil
	}
	return b
}
