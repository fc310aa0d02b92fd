package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"edged/internal/infile"
	"edged/model"
	"edged/rewrite"
	"edged/tflite"
)

// rewriteFlags are what the command line of edged rewrite says.
type rewriteFlags struct {
	out, stride, input, form, contract, manifest, engine string
	cuts                                                 []string
	plan, json, inverse                                  bool
}

func newRewriteCmd() *cobra.Command {
	f := &rewriteFlags{}
	cmd := &cobra.Command{
		Use:   "rewrite BASE -o DENSE",
		Short: "Make a strided net answer at every position, with the same weights",
		Long: `rewrite turns a compiled convolutional net, a .tflite, into the dense net that
gives the net's own output at every position of the input, or at every Q-th.
Nothing is trained and no weight changes: strides become dilations (or
fragments, or shifts, see --form), and stock TFLite runs the result. A patch
classifier that pads, or looks at all of its patch, keeps its answers window by
window (--form windows): every Q-th pixel, Q named, at one run of the net each.

What cannot be made dense exactly is refused with the operator, its index and
what would work instead. "edged verify BASE DENSE" proves the result.`,
		Example: `  edged rewrite patch.tflite -o dense.tflite --input 480x640
  edged rewrite patch.tflite --plan --input 480x640      the price of every output stride
  edged rewrite mobilenet.tflite -o dense.tflite --input 480x640 --form windows --output-stride 32
  edged rewrite net.tflite -o dense.tflite --output-stride 4 --contract frame
  edged rewrite detector.tflite -o dense.tflite --cut maps --output-stride 8
  edged rewrite --inverse dense.tflite -o net.tflite     the way back, with the weights as they are now`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return refused(f.run(cmd, args[0])) },
	}
	fl := cmd.Flags()
	fl.StringVarP(&f.out, "output", "o", "", "the `FILE` to write")
	fl.StringVar(&f.stride, "output-stride", "", "`Q`, or QxR for y and x: keep the first strides up to Q pixels (default 1); with --form windows any number: a window every Q pixels")
	fl.StringVar(&f.input, "input", "", "`HxW` of the dense net's input (default: the baseline's)")
	fl.StringVar(&f.form, "form", "auto", "auto, dilated, fragments, shifts or windows")
	fl.StringVar(&f.contract, "contract", "", "patch or frame (default: patch for a patch classifier, frame for a net whose output is a map)")
	fl.StringArrayVar(&f.cuts, "cut", nil, "end the net at this `TENSOR`; again for more of them. \"maps\": at the last maps before outputs that are none")
	fl.StringVar(&f.manifest, "manifest", "", "JSON `FILE` with facts to put into the manifest: labels, input, output")
	engineFlag(fl, &f.engine, "engine that --plan measures with")
	fl.BoolVar(&f.plan, "plan", false, "print the price of every output stride and write nothing")
	fl.BoolVar(&f.json, "json", false, "print one JSON document")
	fl.BoolVar(&f.inverse, "inverse", false, "restore the baseline from a dense net")
	eachOnce(fl, "cut")
	return cmd
}

// eachOnce makes every flag given twice an error, but for those named: of two
// sizes one would be dropped without a word.
func eachOnce(fl *pflag.FlagSet, but ...string) {
	fl.VisitAll(func(f *pflag.Flag) {
		if !slices.Contains(but, f.Name) {
			f.Value = &onceValue{Value: f.Value}
		}
	})
}

// onceValue is a flag that takes one value.
type onceValue struct {
	pflag.Value
	given bool
}

func (v *onceValue) Set(s string) error {
	if v.given {
		return errors.New("it is given twice")
	}
	v.given = true
	return v.Value.Set(s)
}

// refused gives refusals and wrong usage of the rewriter their exit codes.
func refused(err error) error {
	var no *rewrite.Refusal
	var usage *rewrite.UsageError
	var unsupported *model.UnsupportedError
	var missing *tflite.MissingError
	switch {
	case errors.As(err, &usage):
		return &exitError{exitUsage, err}
	case errors.As(err, &no), errors.As(err, &unsupported), errors.As(err, &missing):
		return &exitError{exitRefused, err}
	}
	return err
}

func (f *rewriteFlags) run(cmd *cobra.Command, path string) error {
	if !f.plan && f.out == "" {
		return usageErr(cmd, errors.New("-o is missing: the file to write"))
	}
	if !f.plan && sameFile(path, f.out) {
		return usageErr(cmd, fmt.Errorf("-o %s is the input itself, which is never overwritten", f.out))
	}
	if f.plan && f.inverse {
		return usageErr(cmd, errors.New("--plan tells the price of a rewrite, --inverse takes one back: leave one out"))
	}
	if _, err := openerOf(f.engine); err != nil {
		return err
	}
	m, b, err := readGraph(path)
	if err != nil {
		return err
	}
	if f.inverse {
		return f.goBack(cmd, m)
	}
	o, err := f.options()
	if err != nil {
		return err
	}
	sum := sha256.Sum256(b)
	sha := hex.EncodeToString(sum[:])
	if f.plan {
		return f.printPlan(cmd, m, b, sha, o)
	}
	if p, ok := rewrite.PatchSize(m, o); ok && f.input == "" {
		return usageErr(cmd, fmt.Errorf("%s answers for one patch of %dx%d: --input HxW is missing, the size of the frames to run it over, like --input 480x640", path, p[0], p[1]))
	}
	r, err := rewrite.Rewrite(m, sha, o)
	if err != nil {
		return err
	}
	list, err := tryDense(r, sizedBase(m, r, b))
	if err != nil {
		return err
	}
	if err := f.agree(cmd, m, b, r, list); err != nil {
		return err
	}
	if err := writeModel(f.out, r.Model); err != nil {
		return err
	}
	return f.printResult(cmd, r, list)
}

// sameFile reports whether two paths name one file.
func sameFile(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	if err1 == nil && err2 == nil {
		return os.SameFile(x, y)
	}
	return filepath.Clean(a) == filepath.Clean(b)
}

func (f *rewriteFlags) options() (rewrite.Options, error) {
	o := rewrite.Options{Form: rewrite.Form(f.form), Contract: rewrite.Contract(f.contract), Cuts: f.cuts}
	var err error
	if f.stride != "" {
		if o.OutputStride, err = parsePair("--output-stride", f.stride, true); err != nil {
			return o, err
		}
	}
	if f.input != "" {
		if o.Input, err = parsePair("--input", f.input, false); err != nil {
			return o, err
		}
	}
	if f.manifest != "" {
		b, err := infile.Read(f.manifest, infile.Text)
		if err != nil {
			return o, fmt.Errorf("manifest: %w", err)
		}
		if o.Facts, err = model.ParseManifest(b); err != nil {
			return o, fmt.Errorf("%s: %w", f.manifest, err)
		}
	}
	return o, o.Validate()
}

// parsePair reads "12x34", and "12" for both where single allows it.
func parsePair(flag, s string, single bool) (p [2]int, err error) {
	parts := strings.Split(s, "x")
	if len(parts) == 1 && single {
		parts = append(parts, parts[0])
	}
	if len(parts) == 2 {
		p[0], err = strconv.Atoi(parts[0])
		if err == nil {
			p[1], err = strconv.Atoi(parts[1])
		}
		if err == nil && p[0] > 0 && p[1] > 0 {
			return p, nil
		}
	}
	return p, exitf(exitUsage, "%s %q: give height x width, like 480x640", flag, s)
}

// agree measures how far a dense patch classifier under the frame contract
// agrees with the classifier on patches, and notes it in the manifest.
func (f *rewriteFlags) agree(cmd *cobra.Command, m *model.Model, base []byte, r *rewrite.Result, list []tried) error {
	if r.Contract != rewrite.Frame {
		return nil
	}
	if _, patch := rewrite.PatchSize(m, rewrite.Options{Cuts: f.cuts}); patch && !quick(list) {
		fmt.Fprintf(cmd.ErrOrStderr(), "edged: agreement with patches was not measured: one run of the dense net takes longer than %v; edged verify --images DIR measures it\n", agreeRun)
		return nil
	}
	dense, err := r.Model.Write()
	if err != nil {
		return err
	}
	sized, err := rewrite.SizedFile(m, r.Model, base)
	if err != nil {
		return err
	}
	open, err := openerForBoth(f.engine, sized, dense)
	if err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "edged: agreement with patches was not measured: %v\n", err)
		return nil
	}
	a, err := rewrite.Agreement(base, dense, open)
	if err != nil || a == nil {
		if err != nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "edged: agreement with patches was not measured: %v\n", err)
		}
		return nil
	}
	printAgreement(cmd.ErrOrStderr(), a)
	facts, err := r.Model.Manifest()
	if err != nil {
		return err
	}
	facts.PatchAgreement = a
	return r.Model.SetManifest(facts)
}

func (f *rewriteFlags) goBack(cmd *cobra.Command, dense *model.Model) error {
	base, err := rewrite.Inverse(dense)
	if err != nil {
		return err
	}
	if err := writeModel(f.out, base); err != nil {
		return err
	}
	if f.json {
		return writeJSON(cmd.OutOrStdout(), map[string]any{"baseline": f.out, "operators": len(base.Subgraphs[0].Operators)})
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d operators, weights as in the dense net\n", f.out, len(base.Subgraphs[0].Operators))
	return err
}
