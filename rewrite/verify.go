package rewrite

import (
	"errors"
	"fmt"
	"time"

	"edged"
	"edged/model"
)

// VerifyOptions say what to prove and how much of it to check.
type VerifyOptions struct {
	OutputStride [2]int   // zero: DENSE's manifest says
	Contract     Contract // empty: DENSE's manifest says
	Positions    int64    // how many positions to compare, spread over every phase; 0: all
	Seed         uint64   // of inputs and sampled positions; 0: a fixed one
	Workers      int      // baseline engines that run side by side; 0: two
	BlackBox     bool     // the run alone, without the structure: level tested at most
	Others       []edged.Opener
	// Pictures are frames to look at beside the built-in ones, as DENSE's input.
	Pictures []Picture
	// Time is about how long the comparison may take: nets for which all of it takes
	// longer are sampled; 0: all is compared.
	Time time.Duration
	// Progress is told how many baseline runs are done; nil: nobody asks.
	Progress func(done, total int)
}

// Picture is a frame prepared as the dense model's input.
type Picture struct {
	Name string
	Data []byte
}

// Report is what Verify found; its JSON is part of edged's contracts.
type Report struct {
	Equivalent     bool                  `json:"equivalent"` // proved, or tested where no more was asked for
	Level          Level                 `json:"level"`
	Why            string                `json:"why,omitempty"` // why not proved
	Contract       Contract              `json:"contract"`
	Form           string                `json:"form"`
	Engine         string                `json:"engine"`
	Positions      int64                 `json:"positions"` // compared on the first input, each counted once
	Phases         int                   `json:"phases"`
	Sampled        bool                  `json:"sampled"`        // a share of the promised positions alone
	Seed           uint64                `json:"seed,omitempty"` // of the inputs and of the sample
	BitIdentical   bool                  `json:"bit_identical"`
	MaxAbsDiff     float64               `json:"max_abs_diff"`        // in real units where the output is quantised
	AsRunDiff      *float64              `json:"as_run_max_abs_diff"` // how far the daemon's faster arithmetic (Winograd) lies from the exact one; null: not run
	Bound          float64               `json:"bound"`               // what rounding may explain; 0 for integer outputs
	Band           model.Band            `json:"band"`                // measured, input pixels
	PatchAgreement *model.PatchAgreement `json:"patch_agreement"`     // null where there are no patches to agree with
	OutputStride   [2]int                `json:"output_stride"`

	// What was compared, so that anyone can do it again.
	Structure       bool             `json:"structure"`         // the baseline rewritten gave this graph and these facts
	Compared        []Compared       `json:"inputs"`            // one line for each dense run
	OutputsCompared []OutputCompared `json:"outputs,omitempty"` // on the first input
	Stated          []string         `json:"stated_by_user,omitempty"`
	BaselineSHA256  string           `json:"baseline_sha256"`
	BaselineGraph   string           `json:"baseline_graph_sha256"`
	GraphSHA256     string           `json:"graph_sha256"`
	FactsSHA256     string           `json:"facts_sha256"`
	Note            string           `json:"note,omitempty"` // what the comparison could not see
}

// Level says how much was shown.
type Level string

// The levels: both parts, the run alone, or a counterexample in either.
const (
	Proved  Level = "proved"
	Tested  Level = "tested"
	Refuted Level = "refuted"
)

// Compared is one input, and against which form of the baseline it was compared.
type Compared struct {
	Input     string `json:"input"`
	Oracle    string `json:"oracle"`
	Runs      int    `json:"runs"`
	Positions int64  `json:"positions"` // over all outputs
}

// OutputCompared says that nothing was left out: what the contract promises by
// closed form, and what was compared.
type OutputCompared struct {
	Name     string `json:"name"`
	Due      int64  `json:"due"`
	Compared int64  `json:"compared"`
}

// Verify proves in two parts that dense is base's dense net. Structure: base
// rewritten as dense's manifest says gives dense. Run: base, untouched, runs on
// crops of frames, and every output is compared with what dense gives for the
// whole frame; of dense it needs the contract and the output stride at most. A
// report that says no is not an error.
func Verify(base, dense []byte, open edged.Opener, o VerifyOptions) (_ *Report, err error) {
	defer noPanic(&err)
	v, err := newVerification(base, dense, open, o)
	if err != nil {
		return nil, err
	}
	defer v.close()
	err = v.prove(base, dense)
	var no *disproof
	if errors.As(err, &no) {
		v.report.Equivalent, v.report.Level, v.report.Why = false, Refuted, no.why
		return v.report, nil
	}
	return v.report, err
}

// prove does the cheap part first: a structure that is refuted needs no run.
func (v *verification) prove(base, dense []byte) error {
	s := unprovable("the structure was not compared (--black-box)")
	if !v.o.BlackBox {
		var err error
		if s, err = proveStructure(base, dense, v.q, v.report.Contract); err != nil {
			return err
		}
		if s.refuted {
			return &disproof{s.why}
		}
	}
	v.report.Structure, v.report.Stated = s.proven, s.stated
	if err := numbersIn(base, dense); err != nil {
		return err
	}
	if err := v.prepareRun(base, dense); err != nil {
		return err
	}
	err := v.run()
	var no *disproof
	if errors.As(err, &no) && !s.proven && !v.o.BlackBox {
		no.why += "; " + s.why
	}
	if err != nil {
		return err
	}
	v.report.Level, v.report.Why = Tested, s.why
	if s.proven {
		v.report.Level, v.report.Why = Proved, ""
	}
	v.report.Equivalent = s.proven || v.o.BlackBox
	return nil
}

// numbersIn refutes nets with constants that are no numbers: a NaN equals itself
// bit for bit, and is an answer to nothing.
func numbersIn(base, dense []byte) error {
	for name, file := range map[string][]byte{"the baseline": base, "the dense net": dense} {
		m, err := model.Read(file)
		if err != nil {
			return fmt.Errorf("rewrite: %s: %w", name, err)
		}
		if err := m.CheckNumbers(); err != nil {
			return disprovef("%s: %v", name, err)
		}
	}
	return nil
}

// disproof ends a verification with the answer no.
type disproof struct{ why string }

func (d *disproof) Error() string { return "rewrite: not equivalent: " + d.why }

func disprovef(format string, args ...any) error { return &disproof{fmt.Sprintf(format, args...)} }

// verification is one run of Verify.
type verification struct {
	o         VerifyOptions
	open      edged.Opener
	report    *Report
	prepare   model.Input // as dense's manifest says
	labels    []string
	threshold float64
	net       *net
	q         pair
	frame     pair
	frameDims [][]atom // how dense's input holds it
	windowed  bool     // dense answers window by window
	file      []byte   // dense's
	dense     edged.Engine
	oracle    *oracle        // the baseline on crops of its own size, or enlarged to the frame
	wide      *oracle        // the baseline resized to the frame; nil where it cannot be
	others    []edged.Engine // the baseline on other kernel sets
	outs      []*compared
	inputs    []probe
	pace      pace
	short     string // what the time left out
}

func newVerification(base, dense []byte, open edged.Opener, o VerifyOptions) (*verification, error) {
	if o.Seed == 0 {
		o.Seed = 1605_07251 // the paper's number
	}
	v := &verification{o: o, open: open, file: dense, report: &Report{BitIdentical: true, Sampled: o.Positions > 0, Seed: o.Seed}}
	if _, err := model.Read(base); err != nil {
		return nil, fmt.Errorf("rewrite: baseline: %w", err)
	}
	return v, v.promises(base, dense)
}

// prepareRun opens both models and places the baseline on dense's frame.
func (v *verification) prepareRun(base, dense []byte) (err error) {
	m, err := model.Read(base)
	if err != nil {
		return err
	}
	if v.dense, err = v.open(dense, proofOptions); err != nil {
		return fmt.Errorf("rewrite: dense model: %w", err)
	}
	if base, m, err = v.cutLike(base, m); err != nil {
		return err
	}
	d, err := model.Read(dense)
	if err != nil {
		return err
	}
	if m, err = sizedLike(m, d); err != nil {
		return err
	}
	if v.net, err = lift(m); err != nil {
		return err
	}
	v.net.prune()
	if err = v.placeFrame(m); err != nil {
		return err
	}
	v.report.Engine = v.dense.Name()
	if err = v.checkOutputs(); err != nil {
		return err
	}
	if v.oracle, err = v.newOracle(base); err != nil {
		return err
	}
	v.wide = v.newWide(v.oracle)
	return nil
}

// main is the oracle that shows every position in the fewest runs.
func (v *verification) main() *oracle {
	if v.wide != nil {
		return v.wide
	}
	return v.oracle
}

func (v *verification) close() {
	if v.dense != nil {
		_ = v.dense.Close()
	}
	for _, o := range []*oracle{v.oracle, v.wide} {
		if o != nil {
			o.close()
		}
	}
	for _, e := range v.others {
		_ = e.Close()
	}
}

func (v *verification) run() error {
	if err := v.oracle.check(); err != nil {
		return err
	}
	v.inputs = v.probes()
	if err := v.timeAll(); err != nil {
		return err
	}
	if err := v.bounds(); err != nil {
		return err
	}
	if err := v.tolerances(); err != nil {
		return err
	}
	jobs := v.jobs()
	v.bounded(jobs)
	total, done := 0, 0
	for _, j := range jobs {
		total += len(j.plan)
	}
	show := func() {
		if v.o.Progress != nil {
			v.o.Progress(done, total)
		}
	}
	show()
	tick := func() {
		done++
		show()
	}
	for i, j := range jobs {
		if len(j.plan) == 0 {
			return disprovef("vacuous: the contract promises no position on this frame; rewrite with a larger --input")
		}
		if err := v.compareJob(i, j, tick); err != nil {
			return err
		}
	}
	if err := v.verdict(); err != nil {
		return err
	}
	v.report.Note = v.note()
	if v.short != "" {
		v.report.Note = v.short
	}
	if err := v.asRun(); err != nil {
		return err
	}
	return v.agreement()
}

// jobs are the comparisons in their order: the first input in full, single
// patches beside it where the baseline ran resized, and the other inputs.
func (v *verification) jobs() []job {
	var out []job
	o := v.main()
	for i, p := range v.inputs {
		r := newRandom(v.o.Seed + uint64(i)*7919)
		want, runs := v.o.Positions, 0
		switch {
		case i > 0:
			want, runs = min(want, extraPositions), most(o.extraRuns(), v.pace.others)
		case want == 0:
			runs = v.pace.first
		}
		out = append(out, job{p.name, p, o, v.planFor(o, want, runs, r)})
		if o != v.oracle && (i == 0 || i == 2) {
			out = append(out, job{p.name + ", patch by patch", p, v.oracle, v.sample(v.oracle, v.offsets(v.oracle), patchPositions, v.pace.patches, r)})
		}
	}
	return out
}

// Certificate is what a report says about dense, tied to dense's graph and
// facts and to the baseline's file by their SHA-256.
func Certificate(dense *model.Model, baseSHA string, r *Report) (*model.Certificate, error) {
	f, err := dense.Manifest()
	if err != nil {
		return nil, err
	}
	if f == nil {
		f = &model.Manifest{Schema: model.ManifestSchema}
	}
	c := &model.Certificate{
		Level: model.Level(r.Level), BaselineSHA256: baseSHA, BaselineGraphSHA256: r.BaselineGraph, Equivalent: r.Equivalent,
		Contract: string(r.Contract), Form: r.Form, Engine: r.Engine, Positions: r.Positions, Phases: r.Phases,
		Inputs: len(r.Compared), Sampled: r.Sampled, Seed: r.Seed,
		BitIdentical: r.BitIdentical, MaxAbsDiff: r.MaxAbsDiff, AsRunMaxAbsDiff: r.AsRunDiff, Bound: r.Bound, Band: r.Band, PatchAgreement: r.PatchAgreement,
	}
	if c.GraphSHA256, err = dense.GraphSHA256(); err != nil {
		return nil, err
	}
	c.FactsSHA256, err = f.FactsSHA256()
	return c, err
}
