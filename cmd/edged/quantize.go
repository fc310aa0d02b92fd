package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"edged"
	"edged/internal/atomicfile"
	"edged/quantize"
)

type quantizeFlags struct {
	images, out, io string
	threads         int
	json            bool
}

func newQuantizeCmd() *cobra.Command {
	f := &quantizeFlags{}
	cmd := &cobra.Command{
		Use:   "quantize NET --images DIR -o OUT",
		Short: "Turn a float32 net into a full int8 one, with ranges learnt from pictures",
		Long: `quantize makes a full int8 .tflite of a float32 one (float16 weights too), a
baseline or a dense net: weights with a scale a channel, activations with ranges
learnt from the pictures of DIR. Of every four pictures one is kept back; by those
it chooses between the extremes, a percentile and the least squared error, with the
biases corrected or not, and reports how far int8 agrees with float32.

A dense net that edged rewrite made is quantised as its baseline and rewritten
again, and a patch classifier without padding learns on whole frames, so that it
does not matter which comes first. A net without a manifest must be told first how
a picture becomes its input: see edged manifest.`,
		Example: `  edged quantize net.tflite --images parts/ -o net_int8.tflite
  edged quantize dense.tflite --images parts/ -o dense_int8.tflite --io uint8 --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return unquantised(f.run(cmd, args[0])) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.images, "images", "", "`DIR` of PNG and JPEG pictures of what the camera sees")
	fl.StringVarP(&f.out, "output", "o", "", "the `FILE` to write")
	fl.StringVar(&f.io, "io", "int8", "type of input and outputs: int8, uint8 or float32")
	fl.Var((*threadCount)(&f.threads), "threads", "threads of the engine, 0: it chooses")
	fl.BoolVar(&f.json, "json", false, "print one JSON document")
	_ = cmd.MarkFlagRequired("images")
	_ = cmd.MarkFlagRequired("output")
	eachOnce(fl)
	return cmd
}

// unquantised gives a refusal of the quantiser its exit code.
func unquantised(err error) error {
	if no := (*quantize.Refusal)(nil); errors.As(err, &no) {
		return &exitError{exitRefused, err}
	}
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted: nothing was written")
	}
	return refused(err)
}

func (f *quantizeFlags) run(cmd *cobra.Command, path string) error {
	io := map[string]edged.DType{"int8": edged.Int8, "uint8": edged.Uint8, "float32": edged.Float32}[f.io]
	if io == 0 {
		return exitf(exitUsage, "--io %q: choose int8, uint8 or float32", f.io)
	}
	if sameFile(path, f.out) {
		return usageErr(cmd, fmt.Errorf("-o %s is the input itself, which is never overwritten", f.out))
	}
	m, file, err := readGraph(path)
	if err != nil {
		return err
	}
	if err := atomicfile.Try(f.out); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	pictures, err := learningPictures(ctx, f.images, path, m)
	if err != nil {
		return err
	}
	open, err := openerOf(engineGo)
	if err != nil {
		return err
	}
	r, err := quantize.Net(ctx, m, pictures, quantize.Options{IO: io, Open: open, Threads: f.threads, Progress: showProgress(cmd.ErrOrStderr())})
	if err != nil {
		return err
	}
	small, err := r.Model.Write()
	if err != nil {
		return err
	}
	engines, err := tryWith(linkedEngines(), small, file, tryOn)
	if err != nil {
		return err
	}
	if err := atomicfile.Write(f.out, small); err != nil {
		return err
	}
	out := quantised{File: f.out, Bytes: len(small), Before: len(file), IO: f.io, Engines: engines, Report: r.Report}
	if f.json {
		return writeJSON(cmd.OutOrStdout(), out)
	}
	return out.print(cmd.OutOrStdout())
}

// quantised is what quantize prints.
type quantised struct {
	File    string  `json:"file"`
	Bytes   int     `json:"bytes"`
	Before  int     `json:"bytes_before"`
	IO      string  `json:"io"`
	Engines []tried `json:"engines"`
	quantize.Report
}

// layersShown is how many layers a person is shown; --json has them all.
const layersShown = 5

func (q *quantised) print(w io.Writer) error {
	fmt.Fprintf(w, "%s: int8, input and outputs %s, %d bytes (%d before)\n", q.File, q.IO, q.Bytes, q.Before)
	correct := "biases as they were"
	if q.Correct {
		correct = "biases corrected"
	}
	if q.Refined {
		correct += " and refined layer by layer"
	}
	if q.Equal {
		correct += ", channels equalised before depthwise convolutions"
	}
	fmt.Fprintf(w, "ranges from %d pictures, shown %s; by %s, %s\n", q.Pictures, q.Shown, q.Method, correct)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "on %d pictures kept back\tpositions\tequal class\tlargest difference\trms of range\t\n", q.Kept)
	for _, o := range q.Outputs {
		fmt.Fprintf(t, "%s\t%d\t%.3f %%\t%.4g\t%.3f %%\t\n", o.Tensor, o.Positions, 100*o.Agreement, o.MaxDiff, 100*o.RMS)
	}
	if len(q.Classes) > 0 {
		fmt.Fprintln(t, "class\tfloat32 sees\tint8 sees\tboth\tagreement\t")
	}
	for _, c := range q.Classes {
		name := c.Name
		if name == "" {
			name = fmt.Sprint(c.ID)
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%.2f %%\t\n", name, c.Float, c.Int8, c.Both, 100*c.Share)
	}
	fmt.Fprintln(t, "layers that lose most\tsignal to noise\trms of range\tclipped\t\t")
	for _, l := range q.Layers[:min(layersShown, len(q.Layers))] {
		fmt.Fprintf(t, "%s %s\t%.1f dB\t%.3f %%\t%.3f %%\t\t\n", l.Operator, l.Tensor, l.SNR, 100*l.RMS, 100*l.Clipped)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, s := range q.Suggestions {
		fmt.Fprintln(w, "suggestion:", s)
	}
	return nil
}
