package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"edged"
	"edged/internal/atomicfile"
	"edged/internal/infile"
	"edged/internal/npy"
	"edged/internal/pipeline"
	"edged/internal/stage"
	"edged/rewrite"
)

// inferOptions are the flags of infer.
type inferOptions struct {
	delegate delegateFlags
	in       []string
	out      string
	overlay  string
	engine   string
	threads  int
	fit      string
	json     bool
}

func newInferCmd() *cobra.Command {
	var o inferOptions
	cmd := &cobra.Command{
		Use:   "infer MODEL --in X [--out Y]",
		Short: "Run a model once on a tensor or a picture",
		Long: `infer runs a model once.

X is a .npy tensor of the input's own shape and type, or a PNG or JPEG picture
that is prepared as the model's manifest says: the centre is cropped, at the
picture's own pixels; --fit tile runs a dense model over all of it. A model with several inputs takes --in several times, in
the order of its inputs.

Y is a .npy file for the output, PREFIX_0.npy, PREFIX_1.npy ... for several (the
prefix is Y without .npy), or a .png for the mask of class ids. Without --out a
classifier's class and score are printed, or how much of a mask each class has.`,
		Example: `  edged infer net.tflite --in x.npy --out y.npy
  edged infer net.tflite --in x.npy --out y.npy --engine tflite-builtin
  edged infer dense.tflite --in part.png --out mask.png
  edged infer dense.tflite --in part.png --overlay seen.png
  edged infer patch.tflite --in patch.png                class and score`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := infer(args[0], &o)
			if err != nil {
				return refused(err)
			}
			if o.json {
				return writeJSON(cmd.OutOrStdout(), r)
			}
			if r.answer != nil {
				r.answer.print(cmd.OutOrStdout())
			}
			for _, f := range r.Outputs {
				fmt.Fprintf(cmd.OutOrStdout(), "%s  %s %s%v\n", f.File, f.Name, f.Type, f.Shape)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.in, "in", nil, "the input: a .npy tensor, or a PNG or JPEG `FILE`")
	f.StringVar(&o.out, "out", "", "the output: a .npy or a mask .png `FILE`")
	f.StringVar(&o.overlay, "overlay", "", "the picture with its mask on it: a .png or .jpg `FILE`")
	engineFlag(f, &o.engine, "engine to run on")
	o.delegate.add(f)
	f.Var((*threadCount)(&o.threads), "threads", "threads of the engine, 0 for its own choice")
	f.StringVar(&o.fit, "fit", "crop", "how a picture gets into the input: crop, resize, or tile: all of it, tile by tile")
	f.BoolVar(&o.json, "json", false, "print one JSON document")
	_ = cmd.MarkFlagRequired("in")
	return cmd
}

// inferred is what infer prints.
type inferred struct {
	Model   string        `json:"model"`
	Engine  string        `json:"engine"`
	InferMS float64       `json:"infer_ms"`
	Outputs []writtenFile `json:"outputs,omitempty"`
	*answer
}

type writtenFile struct {
	File  string `json:"file"`
	Name  string `json:"name"`
	Type  string `json:"type"`
	Shape []int  `json:"shape"`
}

func infer(path string, o *inferOptions) (*inferred, error) {
	if o.out != "" && !strings.HasSuffix(o.out, ".npy") && !strings.HasSuffix(o.out, ".png") {
		return nil, exitf(exitUsage, "--out %s: name a .npy file for the outputs or a .png file for the mask", o.out)
	}
	if err := o.checkFit(); err != nil {
		return nil, err
	}
	if err := o.checkOverlay(); err != nil {
		return nil, err
	}
	engine, err := o.delegate.engine(o.engine)
	if err != nil {
		return nil, err
	}
	file, err := stage.Read(path)
	if err != nil {
		return nil, err
	}
	if err := giveSize(file, o.in); err != nil {
		return nil, err
	}
	data, own, output, err := viewFor(file, o.out)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	e, err := openEngine(engine, data, edged.Options{Threads: o.threads})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	defer e.Close()
	v := &vision{file: file, path: path, masked: o.overlay != "" || strings.HasSuffix(o.out, ".png"), engine: e, own: own, output: output, fit: o.fit}
	if err := feed(e, file, o.in, v); err != nil {
		return nil, err
	}
	start := time.Now()
	if err := v.run(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	r := &inferred{Model: path, Engine: e.Name(), InferMS: float64(time.Since(start).Microseconds()) / 1e3}
	notNumbers := file.Model.CheckNumbers()
	if notNumbers == nil {
		notNumbers = stage.CheckOutputs(e)
	}
	if !strings.HasSuffix(o.out, ".npy") {
		if notNumbers != nil {
			return nil, fmt.Errorf("%s: %w: no mask can be made of it", path, notNumbers)
		}
		return r, v.say(r, o)
	}
	if r.Outputs, err = writeOutputs(e, own, o.out); err == nil && notNumbers != nil {
		err = fmt.Errorf("%s: %w; the output was written as it is", path, notNumbers)
	}
	return r, err
}

// checkFit refuses ways to fit that there are not, and tiles of what is no picture.
func (o *inferOptions) checkFit() error {
	fit, ok := pipeline.FitOf(o.fit)
	if !ok {
		return exitf(exitUsage, "--fit %q: use crop or resize, or tile", o.fit)
	}
	if fit == pipeline.Tile && (len(o.in) != 1 || strings.HasSuffix(o.in[0], ".npy") || strings.HasSuffix(o.out, ".npy")) {
		return exitf(exitUsage, "--fit tile lays a picture's mask together: give one picture as --in, and leave --out away or name a .png file there")
	}
	return nil
}

// checkOverlay refuses an overlay that cannot be made.
func (o *inferOptions) checkOverlay() error {
	switch {
	case o.overlay == "":
		return nil
	case encoderOf(o.overlay) == nil:
		return exitf(exitUsage, "--overlay %s: name a .png or a .jpg file", o.overlay)
	case strings.HasSuffix(o.out, ".npy"):
		return exitf(exitUsage, "--overlay needs a mask: leave --out away, or name a .png file there")
	case len(o.in) != 1 || strings.HasSuffix(o.in[0], ".npy"):
		return exitf(exitUsage, "--overlay needs a picture as the one --in")
	}
	return nil
}

// say makes of the output what was asked for: an answer or a mask, an overlay.
func (v *vision) say(r *inferred, o *inferOptions) (err error) {
	if o.out == "" {
		r.answer, err = v.answer()
	} else {
		r.Outputs, err = v.writeMask(o.out)
	}
	if err != nil || o.overlay == "" {
		return err
	}
	f, err := v.writeOverlay(o.overlay)
	if err == nil {
		r.Outputs = append(r.Outputs, f)
	}
	return err
}

// viewFor is the model's file as it is run for out: whole for .npy, else as a
// camera runs it. output is the mask's, -1: the manifest decides.
func viewFor(file *stage.File, out string) (data []byte, own, output int, err error) {
	if strings.HasSuffix(out, ".npy") {
		data, own, err = stage.Watched(file)
		return data, own, -1, err
	}
	return stage.Masked(file)
}

// giveSize gives a model whose size is open that of the array to run it on: its
// place-holder may be a size at which no engine loads it. A picture has no size
// that is right.
func giveSize(file *stage.File, in []string) error {
	open := file.Model.OpenSize()
	if open == "" || len(in) != 1 {
		return nil
	}
	if !strings.HasSuffix(in[0], ".npy") {
		return fmt.Errorf("%s: %w", file.Name, stage.NoSize(open))
	}
	a, err := arrayOf(in[0])
	if err != nil {
		return fmt.Errorf("%s: %w", in[0], err)
	}
	axes, _, _ := file.Model.OpenAxes()
	if !mayTake(file, 0, a.Shape) {
		return nil // feedArray says what is wrong with it
	}
	m, err := rewrite.Sized(file.Model, [2]int{a.Shape[axes[0]], a.Shape[axes[1]]})
	if err != nil {
		return err
	}
	file.Model = m
	file.Data, err = m.Write()
	return err
}

// arrayOf reads a .npy file.
func arrayOf(path string) (*npy.Array, error) {
	f, _, err := infile.Open(path, maxTensor+infile.Text)
	if err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	defer f.Close()
	return npy.Read(f, maxTensor)
}

// feed fills the engine's inputs from the files.
func feed(e edged.Engine, file *stage.File, in []string, v *vision) error {
	inputs := e.Inputs()
	if len(in) != len(inputs) {
		return exitf(exitUsage, "%d --in for a model with %d inputs: %v", len(in), len(inputs), inputs)
	}
	for i, path := range in {
		var err error
		if strings.HasSuffix(path, ".npy") {
			err = feedArray(e, file, i, path)
		} else {
			err = v.feedPicture(path)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// feedArray copies a .npy file into input i.
func feedArray(e edged.Engine, file *stage.File, i int, path string) error {
	a, err := arrayOf(path)
	if err != nil {
		return err
	}
	want := e.Inputs()[i]
	if string(a.Type) != want.Type.String() {
		return fmt.Errorf("the array is %s, input %d (%s) takes %s: convert it with .astype(numpy.%s)", a.Type, i, want.Name, want.Type, want.Type)
	}
	if !equalShapes(a.Shape, want.Shape) {
		if !mayTake(file, i, a.Shape) {
			return fmt.Errorf("the array has shape %v, input %d (%s) takes %v", a.Shape, i, want.Name, want.Shape)
		}
		if err := e.Resize(i, a.Shape); err != nil {
			return fmt.Errorf("input %d (%s) in shape %v: %w", i, want.Name, a.Shape, err)
		}
	}
	if n := copy(e.Input(i), a.Data); n != len(a.Data) {
		panic(fmt.Sprintf("BUG: %d of %d bytes fit input %v", n, len(a.Data), want))
	}
	return nil
}

// maxTensor bounds the input that is read: 1 GiB is more than any board holds.
const maxTensor = 1 << 30

func equalShapes(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// mayTake tells whether the model leaves open the dimensions in which shape
// differs from its own.
func mayTake(file *stage.File, i int, shape []int) bool {
	g := file.Model.Subgraphs[0]
	signature := g.Tensors[g.Inputs[i]].ShapeSignature
	if len(signature) != len(shape) {
		return false
	}
	for d, n := range signature {
		if n != -1 && int(n) != shape[d] || shape[d] < 1 {
			return false
		}
	}
	return true
}

// writeOutputs writes each of the model's own outputs as .npy.
func writeOutputs(e edged.Engine, own int, out string) ([]writtenFile, error) {
	outputs := e.Outputs()[:own]
	var files []writtenFile
	for i, s := range outputs {
		name := out
		if len(outputs) > 1 {
			name = fmt.Sprintf("%s_%d.npy", strings.TrimSuffix(out, ".npy"), i)
		}
		var b bytes.Buffer
		if err := npy.Write(&b, &npy.Array{Type: npy.Type(s.Type.String()), Shape: s.Shape, Data: e.Output(i)}); err != nil {
			return nil, fmt.Errorf("output %d (%s): %w", i, s.Name, err)
		}
		if err := atomicfile.Write(name, b.Bytes()); err != nil {
			return nil, err
		}
		files = append(files, writtenFile{name, s.Name, s.Type.String(), s.Shape})
	}
	return files, nil
}
