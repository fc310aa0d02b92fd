package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"edged/internal/atomicfile"
	"edged/tune"
)

type tuneFlags struct {
	images, masks, out string
	json, even         bool
	o                  tune.Options
}

func newTuneCmd() *cobra.Command {
	f := &tuneFlags{o: tune.Default()}
	cmd := &cobra.Command{
		Use:   "tune DENSE --images DIR --masks DIR -o TUNED",
		Short: "Learn the weights of a dense net from labelled frames",
		Long: `tune teaches a dense float32 net, one that edged rewrite made, from frames and
their masks, and writes the same graph with better weights. "edged rewrite
--inverse TUNED" gives the baseline with those weights back, as fast as before.

A mask is an 8-bit greyscale PNG of the frame's size and name: the class id of each
pixel, 255 where nothing is to be learnt. One frame of four is kept back; the epoch
that is best on those is what is written. PyTorch does the learning (Debian's
python3-torch). An int8 net cannot learn: tune the float32 net, then quantize.`,
		Example: `  edged tune dense.tflite --images frames/ --masks masks/ -o tuned.tflite
  edged rewrite --inverse tuned.tflite -o net.tflite
  edged quantize tuned.tflite --images frames/ -o tuned_int8.tflite`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return untuned(f.run(cmd, args[0]), f.o.Work) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.images, "images", "", "`DIR` of PNG and JPEG frames")
	fl.StringVar(&f.masks, "masks", "", "`DIR` of their masks: NAME.png or NAME_mask.png")
	fl.StringVarP(&f.out, "output", "o", "", "the `FILE` to write")
	fl.IntVar(&f.o.Epochs, "epochs", f.o.Epochs, "epochs at most")
	fl.IntVar(&f.o.Patience, "patience", f.o.Patience, "end after so many epochs without a better one")
	fl.IntVar(&f.o.Steps, "steps", f.o.Steps, "steps of an epoch, of four crops each")
	fl.Float64Var(&f.o.Rate, "rate", f.o.Rate, "learning rate")
	fl.IntVar(&f.o.Seed, "seed", f.o.Seed, "seed of all that is drawn")
	fl.IntVar(&f.o.Freeze, "freeze", 0, "leave the first `N` layers' weights as they are")
	fl.IntVar(&f.o.Band, "ignore-band", 0, "leave out pixels within `N` of a boundary between classes, where masks are unsure")
	fl.StringSliceVar(&f.o.Augment, "augment", f.o.Augment, "what may be done to crops: flips, light, noise, or none")
	fl.BoolVar(&f.even, "even", false, "weigh all pixels alike (default: rare classes count more)")
	fl.StringVar(&f.o.Work, "work", "", "`DIR` of the run's state: an interrupted run goes on from there")
	fl.StringVar(&f.o.Python, "python", f.o.Python, "an interpreter that has torch and numpy")
	fl.Var((*threadCount)(&f.o.Threads), "threads", "threads of PyTorch and the engine, 0: they choose")
	fl.BoolVar(&f.json, "json", false, "print one JSON document")
	for _, name := range []string{"images", "masks", "output"} {
		_ = cmd.MarkFlagRequired(name)
	}
	eachOnce(fl)
	return cmd
}

// untuned gives a refusal its exit code, and an interruption its words.
func untuned(err error, work string) error {
	if no := (*tune.Refusal)(nil); errors.As(err, &no) {
		return &exitError{exitRefused, err}
	}
	if !errors.Is(err, context.Canceled) {
		return refused(err)
	}
	if work != "" {
		return fmt.Errorf("interrupted: nothing was written; the same command goes on from %s", work)
	}
	return errors.New("interrupted: nothing was written; with --work DIR an interrupted run goes on where it was")
}

// check looks at the flags.
func (f *tuneFlags) check() error {
	for name, v := range map[string]int{"--epochs": f.o.Epochs, "--patience": f.o.Patience, "--steps": f.o.Steps} {
		if v < 1 {
			return exitf(exitUsage, "%s %d: take at least one", name, v)
		}
	}
	if f.o.Freeze < 0 || f.o.Band < 0 || f.o.Seed < 0 || !(f.o.Rate > 0) {
		return exitf(exitUsage, "--freeze, --ignore-band and --seed are 0 or more, --rate is above 0")
	}
	if slices.Equal(f.o.Augment, []string{"none"}) {
		f.o.Augment = nil
	}
	for _, a := range f.o.Augment {
		if !slices.Contains(tune.Augmentations, a) {
			return exitf(exitUsage, "--augment %s: choose of %s, or none", a, strings.Join(tune.Augmentations, ", "))
		}
	}
	return nil
}

func (f *tuneFlags) run(cmd *cobra.Command, path string) error {
	if err := f.check(); err != nil {
		return err
	}
	if sameFile(path, f.out) {
		return usageErr(cmd, fmt.Errorf("-o %s is the input itself, which is never overwritten", f.out))
	}
	m, _, err := readGraph(path)
	if err != nil {
		return err
	}
	if err := atomicfile.Try(f.out); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	frames, err := labelledFrames(ctx, f.images, f.masks, path, m)
	if err != nil {
		return err
	}
	if f.o.Open, err = openerOf(engineGo); err != nil {
		return err
	}
	f.o.Weighted = !f.even
	f.o.Tell = func(e tune.Epoch) { tellEpoch(cmd.ErrOrStderr(), e) }
	r, err := tune.Run(ctx, m, frames, f.o)
	if err != nil {
		return err
	}
	if err := writeModel(f.out, r.Model); err != nil {
		return err
	}
	if f.json {
		return writeJSON(cmd.OutOrStdout(), struct {
			File string `json:"file"`
			*tune.Result
		}{f.out, r})
	}
	return printTuned(cmd.OutOrStdout(), f.out, r)
}

func tellEpoch(w io.Writer, e tune.Epoch) {
	if e.Epoch == 0 {
		fmt.Fprintf(w, "before: mIoU %.4f on the frames kept back\n", e.MIoU)
		return
	}
	best := ""
	if e.Best == e.Epoch {
		best = ", the best so far"
	}
	fmt.Fprintf(w, "epoch %d of %d: loss %.4f, mIoU %.4f%s\n", e.Epoch, e.Epochs, e.Loss, e.MIoU, best)
}

func printTuned(w io.Writer, file string, r *tune.Result) error {
	fmt.Fprintf(w, "%s: %d weights of %d tensors learnt from %d frames, crops of %dx%d\n", file, r.Learnt, r.Layers, r.Frames, r.Crop[0], r.Crop[1])
	last := r.Best
	if n := len(r.Epochs); n > 0 {
		last = r.Epochs[n-1].Epoch
	}
	fmt.Fprintf(w, "mIoU on %d frames kept back: %.4f, before %.4f (best epoch %d of %d)\n", r.Kept, r.After, r.Before, r.Best, last)
	fmt.Fprintf(w, "PyTorch %s and the engine differed by %.2g at most before the first step\n", r.Torch, r.Checked)
	if r.Best == 0 {
		fmt.Fprintln(w, "no epoch was better than the net as it was: the weights are unchanged")
	}
	for _, s := range r.Warnings {
		fmt.Fprintln(w, "warning:", s)
	}
	_, err := fmt.Fprintf(w, "next: edged rewrite --inverse %s -o NET; edged verify NET %s\n", file, file)
	return err
}
