package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"edged"
	"edged/capture/belt"
	"edged/internal/eval"
	"edged/internal/infile"
	"edged/model"
)

// evalFlags are the flags of edged eval.
type evalFlags struct {
	images, source, engine, plot string
	frames, threads              int
	json, markdown, perturb      bool
	cfg                          eval.Config
}

func newEvalCmd() *cobra.Command {
	f := evalFlags{cfg: eval.Default()}
	cmd := &cobra.Command{
		Use:   "eval MODEL... --images DIR | --source test:belt",
		Short: "Measure accuracy and cost of a net against known masks",
		Long: `eval applies a patch classifier to whole frames in every way there is - at its
own stride and upsampled, with its strides just removed, patch by patch, and as the
equivalent dense net at each output stride - and compares the masks with the truth.

A folder holds NAME.png or NAME.jpg beside NAME_mask.png, or images/ and masks/ with
files of the same names. A mask is an 8-bit greyscale PNG (or a palette PNG) of class ids.

With --perturb the pictures are made worse in steps, and each net is measured at its own
stride and dense: how far it holds, and what the pictures then measure, for the limits
of [camera.quality].`,
		Example: `  edged eval net.tflite --source test:belt --plot cost.svg
  edged eval net.tflite net_int8.tflite --images parts/ --json
  edged eval net.tflite tuned.tflite --images parts/ --perturb --plot robust.svg`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return refused(f.run(cmd, args)) },
	}
	fs := cmd.Flags()
	fs.StringVar(&f.images, "images", "", "folder of pictures and masks")
	fs.StringVar(&f.source, "source", "", "a source that knows its truth: test:belt, with options")
	fs.IntVar(&f.frames, "frames", 12, "frames to take from --source")
	engineFlag(fs, &f.engine, "engine to run on")
	fs.Var((*threadCount)(&f.threads), "threads", "threads of the engine, 0: it chooses")
	fs.IntVar(&f.cfg.Patches, "patches", f.cfg.Patches, "patches of a frame for the patch-by-patch way, 0: every one")
	fs.IntVar(&f.cfg.Tolerance, "tolerance", f.cfg.Tolerance, "pixels that a border may be off")
	fs.BoolVar(&f.json, "json", false, "print one JSON document")
	fs.BoolVar(&f.markdown, "markdown", false, "print tables for a document")
	fs.StringVar(&f.plot, "plot", "", "draw mIoU against cost, or with --perturb against each step, into FILE.png or FILE.svg")
	fs.BoolVar(&f.perturb, "perturb", false, "accuracy against brightness, contrast, gamma, blur, noise, JPEG, shift and scale; dense nets too")
	return cmd
}

func (f *evalFlags) run(cmd *cobra.Command, args []string) error {
	if (f.images == "") == (f.source == "") {
		return exitf(exitUsage, "give either --images DIR or --source %s", belt.Prefix)
	}
	if f.frames < 1 {
		return exitf(exitUsage, "--frames %d: take at least one", f.frames)
	}
	if ext := strings.ToLower(filepath.Ext(f.plot)); f.plot != "" && ext != ".png" && ext != ".svg" {
		return exitf(exitUsage, "--plot %s: the name must end in .png or .svg", f.plot)
	}
	f.cfg.Options = edged.Options{Threads: f.threads}
	engine, use := "", f.engine
	f.cfg.Open = func(tfl []byte, o edged.Options) (edged.Engine, error) {
		if use == engineAuto { // the first net's choice is all others': they are compared
			var err error
			if use, err = fastest(tfl, o); err != nil {
				return nil, err
			}
		}
		e, err := openEngine(use, tfl, o)
		if err == nil {
			engine = e.Name()
		}
		return e, err
	}
	if err := f.cfg.Validate(); err != nil {
		return usageErr(cmd, err)
	}
	if f.perturb {
		return f.robustness(cmd, args, &engine)
	}
	report := eval.Report{Source: f.images + f.source, Tolerance: f.cfg.Tolerance}
	for _, path := range args {
		m, n, err := f.compare(cmd, path)
		if err != nil {
			return err
		}
		report.Models, report.Images = append(report.Models, *m), n
	}
	report.Engine = engine
	return f.publish(cmd.OutOrStdout(), &report)
}

// robustness measures the nets on pictures that get worse.
func (f *evalFlags) robustness(cmd *cobra.Command, args []string, engine *string) error {
	var list []eval.Net
	var samples eval.Samples
	for _, path := range args {
		tfl, err := infile.Read(path, infile.Model)
		if err != nil {
			return err
		}
		if samples, err = f.samples(tfl); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		list = append(list, eval.Net{Name: strings.TrimSuffix(filepath.Base(path), ".tflite"), TFLite: tfl})
	}
	f.cfg.Progress = showProgress(cmd.ErrOrStderr())
	r, err := eval.Perturb(cmd.Context(), f.cfg, list, samples)
	if err != nil {
		return err
	}
	r.Source, r.Engine = f.images+f.source, *engine
	if f.json {
		err = writeJSON(cmd.OutOrStdout(), r)
	} else {
		err = r.WriteTable(cmd.OutOrStdout())
	}
	if err != nil || f.plot == "" {
		return err
	}
	return r.Plot(f.plot)
}

// publish writes the report before the plot: what took so long to measure must
// not be lost with a file that cannot be written.
func (f *evalFlags) publish(w io.Writer, report *eval.Report) error {
	write := func() error { return report.WriteTable(w, f.markdown) }
	if f.json {
		write = func() error { return writeJSON(w, report) }
	}
	if err := write(); err != nil || f.plot == "" {
		return err
	}
	return report.Plot(f.plot)
}

// compare evaluates one file and says how many pictures there were.
func (f *evalFlags) compare(cmd *cobra.Command, path string) (*eval.ModelReport, int, error) {
	tfl, err := infile.Read(path, infile.Model)
	if err != nil {
		return nil, 0, err
	}
	samples, err := f.samples(tfl)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", path, err)
	}
	f.cfg.Progress = showProgress(cmd.ErrOrStderr())
	net := eval.Net{Name: strings.TrimSuffix(filepath.Base(path), ".tflite"), TFLite: tfl}
	m, err := eval.Compare(cmd.Context(), f.cfg, net, samples)
	return m, samples.Len(), err
}

func (f *evalFlags) samples(tfl []byte) (eval.Samples, error) {
	m, err := model.Read(tfl)
	if err != nil {
		return nil, err
	}
	known, err := m.Manifest()
	if err != nil {
		return nil, err
	}
	labels := 0
	if known != nil {
		labels = len(known.Labels)
	}
	if f.images != "" {
		return eval.OpenFolder(f.images, labels)
	}
	if labels != belt.Classes {
		return nil, fmt.Errorf("the net has %d labels, %s has the %d classes %s",
			labels, belt.Prefix, belt.Classes, strings.Join(belt.Labels(), ", "))
	}
	return eval.OpenBelt(f.source, f.frames)
}

// showProgress draws a bar that goes away when it is full.
func showProgress(w io.Writer) func(string, int, int) {
	var bar *progressbar.ProgressBar
	return func(model string, done, total int) {
		if bar == nil {
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(w),
				progressbar.OptionSetDescription(model), progressbar.OptionShowCount(),
				progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
		}
		_ = bar.Set(done) // a bar that cannot be drawn is no reason to stop
	}
}
