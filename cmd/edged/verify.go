package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"edged"
	"edged/model"
	"edged/rewrite"
)

// verifyFlags are what the command line of edged verify says.
type verifyFlags struct {
	engine, stride, contract string
	positions                int64
	seed                     uint64
	certify, json            bool
}

func newVerifyCmd() *cobra.Command {
	f := &verifyFlags{}
	cmd := &cobra.Command{
		Use:   "verify BASE DENSE",
		Short: "Prove that a dense net gives the baseline's outputs at every position",
		Long: `verify runs BASE, untouched, on crops of a frame shifted by every phase (and, for
a patch classifier, on every patch), and compares what it says with DENSE's
answer for the whole frame. DENSE is a black box: only output stride and
contract are taken from its manifest, unless the flags say them.

Exit 0 only when equivalent: integer outputs bit for bit, float32 outputs within
what rounding explains. A comparison that would prove nothing (constant outputs,
phases that do not differ) fails.`,
		Example: `  edged verify patch.tflite dense.tflite
  edged verify patch.tflite dense.tflite --positions 5000 --engine go
  edged verify patch.tflite dense.tflite --certify       write the certificate into dense.tflite`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return refused(f.run(cmd, args[0], args[1])) },
	}
	fl := cmd.Flags()
	engineFlag(fl, &f.engine, "engine to compare on")
	fl.StringVar(&f.stride, "output-stride", "", "`Q`, or QxR (default: what DENSE's manifest says)")
	fl.StringVar(&f.contract, "contract", "", "patch or frame (default: what DENSE's manifest says)")
	fl.Int64Var(&f.positions, "positions", 0, "compare `N` positions, spread over every phase (default: all)")
	fl.Uint64Var(&f.seed, "seed", 0, "of the inputs and of the positions")
	fl.BoolVar(&f.certify, "certify", false, "write the certificate into DENSE's manifest")
	fl.BoolVar(&f.json, "json", false, "print one JSON document")
	return cmd
}

func (f *verifyFlags) run(cmd *cobra.Command, basePath, densePath string) error {
	o, err := f.options(cmd)
	if err != nil {
		return err
	}
	_, base, err := readGraph(basePath)
	if err != nil {
		return err
	}
	m, dense, err := readGraph(densePath)
	if err != nil {
		return err
	}
	open, err := openerForBoth(f.engine, base, dense)
	if err != nil {
		return err
	}
	show := progressTo(cmd.ErrOrStderr())
	o.Progress = show.step
	r, err := rewrite.Verify(base, dense, open, o)
	show.clear()
	if err != nil {
		return err
	}
	if r.Equivalent && f.certify {
		if err := certify(densePath, m, base, r); err != nil {
			return err
		}
	}
	return f.print(cmd, r)
}

func (f *verifyFlags) options(cmd *cobra.Command) (o rewrite.VerifyOptions, err error) {
	o = rewrite.VerifyOptions{Contract: rewrite.Contract(f.contract), Positions: f.positions, Seed: f.seed}
	if f.positions < 0 {
		return o, usageErr(cmd, fmt.Errorf("--positions %d is negative", f.positions))
	}
	if f.stride != "" {
		o.OutputStride, err = parsePair("--output-stride", f.stride, true)
	}
	return o, err
}

// openerForBoth is the engine to compare two models on. "auto" takes the first
// that runs both on the same kernels: integers are equal only within one set.
func openerForBoth(name string, models ...[]byte) (edged.Opener, error) {
	if name != engineAuto {
		return openerOf(name)
	}
	var last error
	for _, n := range linkedEngines() {
		open, err := openerOf(n)
		if err != nil {
			return nil, err
		}
		if last = loadsAlike(open, models); last == nil {
			return open, nil
		}
	}
	return nil, fmt.Errorf("no engine loads both models: %w", last)
}

// loadsAlike checks that an engine runs every model on the same kernels.
func loadsAlike(open edged.Opener, models [][]byte) error {
	name := ""
	for _, m := range models {
		e, err := open(m, edged.Options{Threads: 1, Exact: true})
		if err != nil {
			return err
		}
		n := e.Name()
		_ = e.Close()
		if name != "" && n != name {
			return &rewrite.KernelError{Base: name, Dense: n}
		}
		name = n
	}
	return nil
}

// certify writes what was found into the dense model's manifest; nothing else
// of the file changes.
func certify(path string, m *model.Model, base []byte, r *rewrite.Report) error {
	sum := sha256.Sum256(base)
	c, err := rewrite.Certificate(m, hex.EncodeToString(sum[:]), r)
	if err != nil {
		return err
	}
	c.Time, c.Version = time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), version
	f, err := m.Manifest()
	if err != nil {
		return err
	}
	if f == nil {
		f = &model.Manifest{Schema: model.ManifestSchema}
	}
	f.Certificate = c
	if err := m.SetManifest(f); err != nil {
		return err
	}
	return writeModel(path, m)
}

func (f *verifyFlags) print(cmd *cobra.Command, r *rewrite.Report) error {
	if f.json {
		if err := writeJSON(cmd.OutOrStdout(), r); err != nil {
			return err
		}
	} else {
		printReport(cmd.OutOrStdout(), r)
	}
	if !r.Equivalent {
		if f.json {
			return &exitError{code: exitRefused}
		}
		return exitf(exitRefused, "not equivalent: %s", r.Why)
	}
	return nil
}

func printReport(w io.Writer, r *rewrite.Report) {
	verdict := "EQUIVALENT"
	if !r.Equivalent {
		verdict = "NOT EQUIVALENT"
	}
	same := "bit identical"
	if !r.BitIdentical {
		same = fmt.Sprintf("largest difference %.3g, %.3g allowed", r.MaxAbsDiff, r.Bound)
	}
	fmt.Fprintf(w, "%s under the %s contract: %d positions in %d phases on %s: %s\n", verdict, r.Contract, r.Positions, r.Phases, r.Engine, same)
	if b := r.Band; b != (model.Band{}) {
		fmt.Fprintf(w, "border band, measured: %d top, %d left, %d bottom, %d right (input pixels)\n", b.Top, b.Left, b.Bottom, b.Right)
	}
	if r.Note != "" {
		fmt.Fprintf(w, "note: %s\n", r.Note)
	}
	if a := r.PatchAgreement; a != nil {
		fmt.Fprintf(w, "on patches of noise: largest difference %.4g; agreement of classes not measured\n", a.MaxAbsDiff)
	}
}

// progress shows how far a long job is, on a terminal only.
type progress struct {
	w     io.Writer
	live  bool
	start time.Time
	shown time.Time
}

func progressTo(w io.Writer) *progress {
	f, ok := w.(*os.File)
	return &progress{w: w, live: ok && term.IsTerminal(int(f.Fd())), start: time.Now()}
}

func (p *progress) step(done, total int) {
	now := time.Now()
	if !p.live || now.Sub(p.shown) < 200*time.Millisecond || total == 0 {
		return
	}
	p.shown = now
	left := time.Duration(float64(now.Sub(p.start)) / float64(done) * float64(total-done))
	fmt.Fprintf(p.w, "\rverifying: %d of %d baseline runs, %s left ", done, total, left.Round(time.Second))
}

func (p *progress) clear() {
	if p.live && !p.shown.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
