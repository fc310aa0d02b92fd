package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"edged"
	"edged/internal/infile"
	"edged/model"
	"edged/rewrite"
)

// verifyFlags are what the command line of edged verify says.
type verifyFlags struct {
	engine, stride, contract, images, sign string
	positions                              int64
	seed                                   uint64
	certify, json, blackBox                bool
	time                                   time.Duration
}

func newVerifyCmd() *cobra.Command {
	f := &verifyFlags{}
	cmd := &cobra.Command{
		Use:   "verify BASE DENSE",
		Short: "Prove that a dense net gives the baseline's outputs at every position",
		Long: `verify proves in two parts. Structure: BASE rewritten as DENSE's manifest says
gives DENSE, operator by operator and weight by weight, and the facts in its
manifest. Run: BASE, untouched, runs on crops of frames shifted by every phase
(and, for a patch classifier, on patches), and what it says is compared with
DENSE's answer for the whole frame, on noise and on structured pictures. Nets for
which that takes longer than --time are compared at a sample of positions, which is
told and stands in the certificate.

Level "proved" is both, and exits with 0. Level "tested" is the run alone, of a
file that another edged rewrote: exit 3, or 0 where --black-box asks for no more.
Level "refuted": exit 3, and what differs.`,
		Example: `  edged verify patch.tflite dense.tflite
  edged verify patch.tflite dense.tflite --positions 5000 --engine go
  edged verify patch.tflite dense.tflite --certify       write the certificate into dense.tflite
  edged verify patch.tflite dense.tflite --images parts/   how far the frame contract agrees on patches
  edged verify patch.tflite dense.tflite --sign line1.key   certify, and sign with a key of edged key`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return refused(f.run(cmd, args[0], args[1])) },
	}
	fl := cmd.Flags()
	engineFlag(fl, &f.engine, "engine to compare on")
	fl.StringVar(&f.stride, "output-stride", "", "`Q`, or QxR (default: what DENSE's manifest says)")
	fl.StringVar(&f.contract, "contract", "", "patch or frame (default: what DENSE's manifest says)")
	fl.Int64Var(&f.positions, "positions", 0, "compare `N` positions, spread over every phase (default: all)")
	fl.Uint64Var(&f.seed, "seed", 0, "of the inputs and of the positions")
	fl.DurationVar(&f.time, "time", 5*time.Minute, "sample where all positions would take longer than about this; 0: never")
	fl.StringVar(&f.images, "images", "", "`DIR` of pictures: compared too, and the frame contract's agreement is measured on them")
	fl.BoolVar(&f.blackBox, "black-box", false, "the run alone: accept level tested")
	fl.BoolVar(&f.certify, "certify", false, "write the certificate into DENSE's manifest")
	fl.StringVar(&f.sign, "sign", "", "certify, and sign with the private key in `KEYFILE`")
	fl.BoolVar(&f.json, "json", false, "print one JSON document")
	return cmd
}

func (f *verifyFlags) run(cmd *cobra.Command, basePath, densePath string) error {
	o, err := f.options(cmd)
	if err != nil {
		return err
	}
	key, err := f.key()
	if err != nil {
		return err
	}
	b, base, err := readGraph(basePath)
	if err != nil {
		return err
	}
	m, dense, err := readGraph(densePath)
	if err != nil {
		return err
	}
	sized, err := rewrite.SizedFile(b, m, base)
	if err != nil {
		return err
	}
	open, err := openerForBoth(f.engine, sized, dense)
	if err != nil {
		return err
	}
	if o.Others, err = otherKernels(f.engine); err != nil {
		return err
	}
	if f.images != "" {
		if o.Pictures, err = picturesFor(f.images, densePath, m, dense, open); err != nil {
			return err
		}
	}
	show := progressTo(cmd.ErrOrStderr())
	o.Progress = show.step
	r, err := rewrite.Verify(base, dense, open, o)
	show.clear()
	if err != nil {
		return err
	}
	if r.Equivalent && (f.certify || key != nil) {
		if err := certify(densePath, m, base, r, key); err != nil {
			return err
		}
	}
	return f.print(cmd, r)
}

func (f *verifyFlags) options(cmd *cobra.Command) (o rewrite.VerifyOptions, err error) {
	o = rewrite.VerifyOptions{Contract: rewrite.Contract(f.contract), Positions: f.positions, Seed: f.seed, BlackBox: f.blackBox, Time: f.time}
	if f.positions < 0 {
		return o, usageErr(cmd, fmt.Errorf("--positions %d is negative", f.positions))
	}
	if f.time < 0 {
		return o, usageErr(cmd, fmt.Errorf("--time %v is negative", f.time))
	}
	if f.stride != "" {
		o.OutputStride, err = parsePair("--output-stride", f.stride, true)
	}
	return o, err
}

// key reads the private key to sign with, before any work is done; nil for none.
func (f *verifyFlags) key() (ed25519.PrivateKey, error) {
	if f.sign == "" {
		return nil, nil
	}
	b, err := infile.Read(f.sign, infile.Text)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	k, err := model.ParsePrivateKey(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.sign, err)
	}
	return k, nil
}

// otherKernels are the kernel sets on which rounding is measured beside the one
// asked for. Who names the Go engine gets nothing but Go.
func otherKernels(name string) ([]edged.Opener, error) {
	var list []edged.Opener
	if name == engineGo {
		return nil, nil
	}
	for _, n := range linkedEngines() {
		if n == name || len(linkedEngines()) == 1 {
			continue
		}
		open, err := openerOf(n)
		if err != nil {
			return nil, err
		}
		list = append(list, open)
	}
	return list, nil
}

// openerForBoth is the engine to compare two models on. "auto" takes the first
// that runs both on the same kernels: integers are equal only within one set.
func openerForBoth(name string, models ...[]byte) (edged.Opener, error) {
	if name != engineAuto {
		return openerOf(name)
	}
	why, last := errors.New("no engine loads both models"), ""
	for _, n := range linkedEngines() {
		open, err := openerOf(n)
		if err != nil {
			return nil, err
		}
		if err = loadsAlike(open, models); err == nil {
			return open, nil
		}
		if err.Error() != last { // the two of TFLite read files alike
			why, last = fmt.Errorf("%w; engine %s: %w", why, n, err), err.Error()
		}
	}
	return nil, why
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
func certify(path string, m *model.Model, base []byte, r *rewrite.Report, key ed25519.PrivateKey) error {
	sum := sha256.Sum256(base)
	c, err := rewrite.Certificate(m, hex.EncodeToString(sum[:]), r)
	if err != nil {
		return err
	}
	c.Time, c.Version = time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), version
	if key != nil {
		if err := c.Sign(key); err != nil {
			return err
		}
	}
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
	if r.Equivalent {
		return nil
	}
	if f.json {
		return &exitError{code: exitRefused}
	}
	if r.Level == rewrite.Tested {
		return exitf(exitRefused, "tested, not proved: %s (--black-box accepts a test)", r.Why)
	}
	return exitf(exitRefused, "not equivalent: %s", r.Why)
}

func printReport(w io.Writer, r *rewrite.Report) {
	if r.Level == rewrite.Refuted {
		fmt.Fprintf(w, "NOT EQUIVALENT under the %s contract\n", r.Contract)
		return
	}
	verdict := "EQUIVALENT"
	if !r.Equivalent {
		verdict = "TESTED ONLY"
	}
	same := "bit identical"
	if !r.BitIdentical {
		same = fmt.Sprintf("largest difference %.3g, %.3g allowed", r.MaxAbsDiff, r.Bound)
	}
	fmt.Fprintf(w, "%s under the %s contract: %d positions in %d phases on %s: %s\n", verdict, r.Contract, r.Positions, r.Phases, r.Engine, same)
	how := "structure and run"
	if !r.Structure {
		how = "run alone: " + r.Why
	}
	var more int64
	for _, c := range r.Compared[1:] {
		more += c.Positions
	}
	fmt.Fprintf(w, "level %s (%s); %d more positions on %d further inputs\n", r.Level, how, more, len(r.Compared)-1)
	if r.AsRunDiff != nil && *r.AsRunDiff > 0 {
		fmt.Fprintf(w, "as the daemon runs it (faster sums): differs by up to %.3g\n", *r.AsRunDiff)
	}
	if len(r.Stated) > 0 {
		fmt.Fprintf(w, "stated by the user, not derived: %s\n", strings.Join(r.Stated, ", "))
	}
	if b := r.Band; b != (model.Band{}) {
		fmt.Fprintf(w, "border band, measured: %d top, %d left, %d bottom, %d right (input pixels)\n", b.Top, b.Left, b.Bottom, b.Right)
	}
	if r.Note != "" {
		fmt.Fprintf(w, "note: %s\n", r.Note)
	}
	if r.PatchAgreement != nil {
		printAgreement(w, r.PatchAgreement)
	}
}

// progress shows how far a long job is: in place on a terminal, else as a line
// every few seconds.
type progress struct {
	w     io.Writer
	live  bool
	start time.Time
	shown time.Time
}

func progressTo(w io.Writer) *progress {
	f, ok := w.(*os.File)
	now := time.Now()
	return &progress{w: w, live: ok && term.IsTerminal(int(f.Fd())), start: now, shown: now}
}

func (p *progress) step(done, total int) {
	now, pause, form := time.Now(), 5*time.Second, "verifying: %d of %d baseline runs, %s left\n"
	if p.live {
		pause, form = 200*time.Millisecond, "\rverifying: %d of %d baseline runs, %s left "
	}
	if now.Sub(p.shown) < pause || total == 0 {
		return
	}
	p.shown = now
	left := "some time"
	if done > 0 {
		left = time.Duration(float64(now.Sub(p.start)) / float64(done) * float64(total-done)).Round(time.Second).String()
	}
	fmt.Fprintf(p.w, form, done, total, left)
}

func (p *progress) clear() {
	if p.live && p.shown != p.start {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
