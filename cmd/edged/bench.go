package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"edged"
	"edged/internal/noise"
	"edged/internal/stage"
	"edged/model"
	"edged/rewrite"
)

// benchWarmup are the runs before the clock counts: caches, page tables and
// the processor's clock settle.
const benchWarmup = 3

// benchOptions are the flags of bench.
type benchOptions struct {
	delegate delegateFlags
	engine   string
	compare  []string
	threads  int
	runs     int
	steps    bool
	json     bool
	report   bool   // a table to send
	input    string // HxW, for a net whose size is open
}

func newBenchCmd() *cobra.Command {
	var o benchOptions
	cmd := &cobra.Command{
		Use:   "bench MODEL",
		Short: "Measure how fast a model runs, or compare engines",
		Long: `bench runs a model on noise and shows the median and the 95th percentile.

With --compare the engines take turns, run by run, so that what else the machine
does meets them all alike; the ratios are of medians, to the first engine. A turn
begins when the threads of the engine before have stopped waiting awake.

With --steps the Go engine tells the median of every step of its plan, with the
multiply-accumulates that the step's operator asks for and the bytes of tensors
and packed weights that it reads and writes.

With --report it tells what the machine is, its heat and clock before and after, and
runs the models on every linked engine, with one thread and with all: a table in
Markdown, to be sent by whoever has a board that nobody has measured.

EDGED_KERNEL, EDGED_RATES and EDGED_WINOGRAD decide how the Go engine computes:
see docs/speed.md.

arena_bytes is the engine's own figure where it tells one, else the most bytes
of tensors that are alive at once.`,
		Example: `  edged bench dense.tflite
  edged bench dense.tflite --engine go --threads 1 --json
  edged bench dense.tflite --engine go --steps
  edged bench --report --runs 20 dense.tflite >board.md
  edged bench --compare tflite,go base.tflite dense.tflite`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.runs < 1 || o.runs > 1e6 {
				return exitf(exitUsage, "--runs %d: use 1 to 1000000", o.runs)
			}
			if o.steps && (len(o.compare) > 0 || o.engine != engineGo) {
				return exitf(exitUsage, "--steps: only the Go engine tells its steps: use --engine %s, without --compare", engineGo)
			}
			if o.report {
				if o.steps || o.json || len(o.compare) > 0 {
					return exitf(exitUsage, "--report runs all engines and prints a table: without --compare, --steps and --json")
				}
				return refused(runReport(cmd.OutOrStdout(), args, os.DirFS("/"), &o))
			}
			var err error
			if o.engine, err = o.delegate.engine(o.engine); err != nil {
				return err
			}
			if len(o.compare) > 0 {
				return refused(runCompare(cmd.OutOrStdout(), args, &o))
			}
			if len(args) != 1 {
				return exitf(exitUsage, "%d models: bench takes one; use --compare for several", len(args))
			}
			return refused(runBench(cmd.OutOrStdout(), args[0], &o))
		},
	}
	f := cmd.Flags()
	engineFlag(f, &o.engine, "engine to run on")
	o.delegate.add(f)
	f.StringSliceVar(&o.compare, "compare", nil, "engines that take turns, for example tflite,go")
	f.Var((*threadCount)(&o.threads), "threads", "threads of the engine, 0 for its own choice")
	f.IntVar(&o.runs, "runs", 50, "measured runs")
	f.BoolVar(&o.steps, "steps", false, "tell every step's time (with --engine go)")
	f.BoolVar(&o.json, "json", false, "print one JSON document")
	f.BoolVar(&o.report, "report", false, "print this machine and all its engines' times as a table to send")
	f.StringVar(&o.input, "input", "", "`HxW` of a net whose size is open (default 224x224)")
	return cmd
}

// benchmark is what bench --json prints.
type benchmark struct {
	Model      string  `json:"model"`
	Engine     string  `json:"engine"`
	Threads    int     `json:"threads"`
	Runs       int     `json:"runs"`
	MedianMS   float64 `json:"median_ms"`
	P95MS      float64 `json:"p95_ms"`
	MACs       int64   `json:"macs"`
	GMACs      float64 `json:"gmac_per_s"`
	ArenaBytes int64   `json:"arena_bytes"`

	Steps []stepTime `json:"steps,omitempty"`

	times []time.Duration
}

// racer is a loaded engine on the starting line.
type racer struct {
	engine edged.Engine
	result benchmark
}

// subject is a mapped model file: what is measured must not hold a copy of the
// weights that the engine does not need.
type subject struct {
	path  string
	data  []byte
	close func()
	model *model.Model // its weights are data's own memory
}

func newSubject(path string, o *benchOptions) (*subject, error) {
	data, unmap, err := mapFile(path)
	if err != nil {
		return nil, err
	}
	m, err := model.ReadShared(data)
	if err != nil {
		unmap()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	stage.Remark(path, m)
	c := &subject{path: path, data: data, close: unmap, model: m}
	if err := c.giveSize(o.input); err != nil {
		unmap()
		return nil, err
	}
	return c, nil
}

func newRacer(c *subject, engine string, o *benchOptions) (*racer, error) {
	e, err := openMapped(engine, c.data, edged.Options{Threads: o.threads})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.path, err)
	}
	for i := range e.Inputs() {
		noise.Fill(e.Input(i), e.Inputs()[i].Type)
	}
	for range benchWarmup {
		if err := e.Run(); err != nil {
			e.Close()
			return nil, fmt.Errorf("%s: %w", c.path, err)
		}
	}
	r := &racer{engine: e}
	r.result = benchmark{
		Model: c.path, Engine: e.Name(), Threads: o.threads, Runs: o.runs,
		MACs: rewrite.Analyse(c.model).MACs, ArenaBytes: arenaBytes(e, c.model),
	}
	return r, nil
}

func (r *racer) lap() error {
	start := time.Now()
	err := r.engine.Run()
	r.result.times = append(r.result.times, time.Since(start))
	return err
}

// turn is a lap of a comparison.
func (r *racer) turn() error {
	if err := r.warm(); err != nil {
		return err
	}
	return r.lap()
}

// finish computes the figures from the laps.
func (r *racer) finish() {
	b := &r.result
	slices.Sort(b.times)
	b.MedianMS = fine(b.times[len(b.times)/2])
	b.P95MS = fine(b.times[len(b.times)*95/100])
	if b.MedianMS > 0 {
		b.GMACs = float64(b.MACs) / 1e6 / b.MedianMS
	}
}

// fine is a time in milliseconds with all its digits.
func fine(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

func runBench(w io.Writer, path string, o *benchOptions) error {
	c, err := newSubject(path, o)
	if err != nil {
		return err
	}
	defer c.close()
	r, err := newRacer(c, o.engine, o)
	if err != nil {
		return err
	}
	defer r.engine.Close()
	lap := r.lap
	var clock *stepClock
	if o.steps {
		clock = newStepClock(r)
		lap = clock.lap
	}
	for range o.runs {
		if err := lap(); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	r.finish()
	if clock != nil {
		r.result.Steps = clock.medians()
	}
	if o.json {
		return writeJSON(w, r.result)
	}
	b := &r.result
	_, err = fmt.Fprintf(w, "%s on %s\n  median %.3f ms, 95 %% within %.3f ms, %d runs\n  %.3f GMAC, %.1f GMAC/s, arena %.1f MB\n",
		b.Model, b.Engine, b.MedianMS, b.P95MS, b.Runs, float64(b.MACs)/1e9, b.GMACs, float64(b.ArenaBytes)/1e6)
	if err != nil || !o.steps {
		return err
	}
	_, err = io.WriteString(w, stepsText(b.Steps))
	return err
}

// comparison is one model's part of bench --compare --json. Ratios are of
// medians, to the first engine.
type comparison struct {
	Model   string      `json:"model"`
	Results []benchmark `json:"results"`
	Ratios  []float64   `json:"ratios"`
	Note    string      `json:"note,omitempty"`
}

func runCompare(w io.Writer, paths []string, o *benchOptions) error {
	if len(o.compare) < 2 {
		return exitf(exitUsage, "--compare %s: name two engines or more, with commas between", strings.Join(o.compare, ","))
	}
	var all []comparison
	for _, path := range paths {
		c, err := compare(path, o)
		if err != nil {
			return err
		}
		all = append(all, *c)
	}
	if o.json {
		return writeJSON(w, all)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "model\tengine\tmedian ms\tp95 ms\tGMAC/s\tratio")
	for _, c := range all {
		for i, r := range c.Results {
			fmt.Fprintf(t, "%s\t%s\t%.3f\t%.3f\t%.1f\t%.3f\n", c.Model, r.Engine, r.MedianMS, r.P95MS, r.GMACs, c.Ratios[i])
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, c := range all {
		if c.Note != "" {
			fmt.Fprintf(w, "%s: %s\n", c.Model, c.Note)
		}
	}
	return nil
}

func compare(path string, o *benchOptions) (*comparison, error) {
	file, err := newSubject(path, o)
	if err != nil {
		return nil, err
	}
	defer file.close()
	var racers []*racer
	defer func() {
		for _, r := range racers {
			r.engine.Close()
		}
	}()
	var refusals error
	for _, name := range o.compare {
		r, err := newRacer(file, engineCalled(name), o)
		switch {
		case err == nil:
			racers = append(racers, r)
		case refusals == nil:
			refusals = err
		default:
			refusals = fmt.Errorf("%w; and %s", refusals, strings.TrimPrefix(err.Error(), path+": "))
		}
	}
	if refusals != nil {
		return nil, refusals
	}
	for lap := range o.runs {
		for i := range racers {
			rest(processorTime)
			// Every engine follows every other one equally often.
			if err := racers[(i+lap)%len(racers)].turn(); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	c := &comparison{Model: path, Note: roundingNote(file.model, racers)}
	for _, r := range racers {
		r.finish()
		c.Results = append(c.Results, r.result)
		c.Ratios = append(c.Ratios, r.result.MedianMS/racers[0].result.MedianMS)
	}
	return c, nil
}

// arenaBytes is the memory that a frame works in.
func arenaBytes(e edged.Engine, m *model.Model) int64 {
	if a, ok := e.(interface{ ArenaBytes() int64 }); ok {
		return a.ArenaBytes()
	}
	return liveBytes(m)
}

// liveBytes is the most bytes of tensors, constants aside, that are alive at
// once when the operators run in their order: no arena can be smaller.
func liveBytes(m *model.Model) int64 {
	m = m.Clone()
	if err := m.InferShapes(0); err != nil {
		return 0 // an operator of unknown shape: there is no figure
	}
	g := m.Subgraphs[0]
	last := map[int32]int{}
	for i, op := range g.Operators {
		for _, t := range op.Inputs {
			last[t] = i
		}
	}
	for _, t := range g.Outputs {
		last[t] = len(g.Operators)
	}
	bytes := func(t int32) int64 {
		if t < 0 || m.Data(g.Tensors[t]) != nil {
			return 0
		}
		n := int64(g.Tensors[t].Type.Size())
		for _, d := range g.Tensors[t].Shape {
			n *= int64(d)
		}
		return n
	}
	var live, most int64
	for _, t := range g.Inputs {
		live += bytes(t)
	}
	for i, op := range g.Operators {
		for _, t := range op.Outputs {
			live += bytes(t)
		}
		most = max(most, live)
		for t := range aliveUntil(op, last, i) {
			live -= bytes(t)
		}
	}
	return most
}

// aliveUntil is the set of tensors that operator i is the last to touch.
func aliveUntil(op *model.Operator, last map[int32]int, i int) map[int32]bool {
	set := map[int32]bool{}
	for _, t := range op.Inputs {
		if last[t] == i {
			set[t] = true
		}
	}
	for _, t := range op.Outputs {
		if _, used := last[t]; !used {
			set[t] = true
		}
	}
	return set
}
