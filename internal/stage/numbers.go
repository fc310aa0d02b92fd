package stage

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"edged"
	"edged/internal/pipeline"
)

// view is a model as a camera runs it: with the map that class ids were chosen
// from in the place of an ARG_MAX at the end, and with outputs more that are
// looked at and not shown.
type view struct {
	data   []byte
	output int // the mask's, -1: the engine's outputs decide
	own    int // outputs that the model has itself
	unfit  error
}

// viewOf lays out how f is run for the output called tensor.
func viewOf(f *File, tensor string) (view, error) {
	m, g := f.Model, f.Model.Subgraphs[0]
	v := view{data: f.Data, output: -1, own: len(g.Outputs), unfit: m.CheckNumbers()}
	for i, t := range g.Outputs {
		if tensor == g.Tensors[t].Name || tensor == "" && len(g.Outputs) == 1 {
			v.output = i
			m = m.TakeOffArgMax(i)
			break
		}
	}
	if more := m.Lossy(); len(more) > 0 {
		m = m.WithOutputs(more...)
	}
	if m == f.Model {
		return v, nil
	}
	data, err := m.Write()
	if err != nil {
		return v, fmt.Errorf("model %s: %w", f.Name, err)
	}
	v.data = data
	return v, nil
}

// watched are the outputs behind the model's own.
func (v *view) watched(e edged.Engine) []int {
	var list []int
	for i := v.own; i < len(e.Outputs()); i++ {
		list = append(list, i)
	}
	return list
}

// Watched is the model's file with outputs more behind its own: those tensors in
// which alone it shows that a result is not a number. own is how many outputs
// the model has itself.
func Watched(f *File) (data []byte, own int, err error) {
	own = len(f.Model.Subgraphs[0].Outputs)
	more := f.Model.Lossy()
	if len(more) == 0 {
		return f.Data, own, nil
	}
	data, err = f.Model.WithOutputs(more...).Write()
	return data, own, err
}

// Masked is the model's file as a camera runs it: an ARG_MAX at its end is taken
// off. output is the mask's, -1 where several outputs leave that to the facts.
func Masked(f *File) (data []byte, own, output int, err error) {
	manifest, err := f.Model.Manifest()
	if err != nil {
		return nil, 0, 0, err
	}
	tensor := ""
	if manifest != nil {
		tensor = manifest.Output.Tensor
	}
	v, err := viewOf(f, tensor)
	return v.data, v.own, v.output, err
}

// CheckOutputs looks for what is not a number in any output of an engine that
// has run.
func CheckOutputs(e edged.Engine) error {
	for i, s := range e.Outputs() {
		if err := edged.CheckFinite(s, e.Output(i)); err != nil {
			return err
		}
	}
	return nil
}

// Examination is what a stage says of pictures that are noise.
type Examination struct {
	NotNumbers error    // an output or a constant is not a number
	Warnings   []string // what may be meant so
	Samples    []Sample // what it was given and what it said
}

// Sample is one input of an engine, and its output that the mask is made from.
type Sample struct{ Input, Output []byte }

// Examine runs s on two pictures of noise, in the range that its preparation
// makes of a camera's. That the model does not crash a child has found before.
func Examine(s *pipeline.Stage) (Examination, error) {
	x := Examination{NotNumbers: s.Unfit}
	if s.Unfit != nil {
		return x, nil
	}
	outputs := s.Engine.Outputs()
	for i := range 2 {
		if err := feedNoise(s, uint64(i)); err != nil {
			return x, err
		}
		sample := Sample{Input: slices.Clone(s.Engine.Input(0))}
		if err := s.Engine.Run(); err != nil {
			return x, err
		}
		for _, o := range append([]int{s.Output}, s.Watch...) {
			if err := edged.CheckFinite(outputs[o], s.Engine.Output(o)); err != nil {
				x.NotNumbers = err
				return x, nil
			}
		}
		sample.Output = slices.Clone(s.Engine.Output(s.Output))
		x.Samples = append(x.Samples, sample)
	}
	if slices.Equal(x.Samples[0].Output, x.Samples[1].Output) {
		x.Warnings = append(x.Warnings, "the output is the same for two different pictures of noise: the weights, or the input's mean and scale, let nothing through")
	}
	return x, nil
}

// feedNoise prepares a picture of noise of the model's own size.
func feedNoise(s *pipeline.Stage, seed uint64) error {
	c, input := s.Prepare.Config(), s.Engine.Inputs()[0]
	p, err := pipeline.NewPreparer(pipeline.PrepareConfig{Order: c.Order, Mean: c.Mean, Scale: c.Scale}, input)
	if err != nil {
		return err
	}
	h, w := input.Shape[1], input.Shape[2]
	f := edged.Frame{Pix: make([]byte, h*w*c.Order.Channels()), Stride: w * c.Order.Channels(), W: w, H: h, Format: c.Order}
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range f.Pix {
		f.Pix[i] = byte(r.Uint32())
	}
	return p.Prepare(s.Engine.Input(0), &f)
}
