package main

import (
	"fmt"
	"io"
	"math"

	"edged"
	"edged/internal/fact"
	"edged/internal/pipeline"
)

// answer is what a model says of one picture, for people.
type answer struct {
	Class   *classified `json:"class,omitempty"`   // of a classifier
	Classes []share     `json:"classes,omitempty"` // of a mask
}

// classified is a classifier's class and how sure it is.
type classified struct {
	ID    int     `json:"id"`
	Name  string  `json:"name,omitempty"` // empty: the model has no labels
	Score float64 `json:"score"`          // a probability where the manifest says what the output means, else the output itself
}

// share is how much of a mask one class has.
type share struct {
	ID    int     `json:"id"`
	Name  string  `json:"name"`
	Px    int     `json:"px"`
	Ratio float64 `json:"ratio"`
}

// asMaps shows a classifier's list of classes as a map of one position.
type asMaps struct{ edged.Engine }

func (e asMaps) Outputs() []edged.Spec {
	var out []edged.Spec
	for _, s := range e.Engine.Outputs() {
		if n := s.Elems(); isVector(s) {
			s.Shape = []int{1, 1, 1, n}
		}
		out = append(out, s)
	}
	return out
}

// isVector reports whether an output is one list of classes.
func isVector(s edged.Spec) bool {
	return len(s.Shape) > 0 && s.Elems() > 0 && s.Elems() == s.Shape[len(s.Shape)-1] && len(s.Shape) != 3
}

// answer reads the output that the manifest names, or the only one.
func (v *vision) answer() (*answer, error) {
	err := v.lookup()
	if err != nil {
		outputs := v.engine.Outputs()
		if v.own == 1 && isVector(outputs[0]) && v.facts == nil {
			return &answer{Class: classOf(valuesOf(v.engine.Output(0), outputs[0]), "", 0)}, nil
		}
		return nil, err
	}
	out, spec := v.engine.Output(v.stage.Output), v.engine.Outputs()[v.stage.Output]
	if isVector(spec) {
		c := classOf(valuesOf(out, spec), v.stage.Mask.Meaning(), v.facts.Output.Threshold)
		if c.ID < len(v.stage.Labels) {
			c.Name = v.stage.Labels[c.ID]
		}
		return &answer{Class: c}, nil
	}
	return &answer{Classes: sharesOf(v.mask(), v.stage.Labels)}, nil
}

// classOf is the class of a list of outputs, one for each class, or one number
// for two. Without a meaning the score is the output itself.
func classOf(values []float64, meaning pipeline.Meaning, threshold float64) *classified {
	if len(values) == 1 {
		return binaryOf(values[0], meaning, threshold)
	}
	best := 0
	for i, x := range values {
		if x > values[best] {
			best = i
		}
	}
	c := &classified{ID: best, Score: values[best]}
	if meaning == pipeline.Logits {
		sum := 0.0
		for _, x := range values {
			sum += math.Exp(x - values[best])
		}
		c.Score = 1 / sum
	}
	return c
}

func binaryOf(x float64, meaning pipeline.Meaning, threshold float64) *classified {
	if meaning == "" {
		return &classified{Score: x}
	}
	if meaning == pipeline.Logits {
		x = 1 / (1 + math.Exp(-x))
	}
	if fact.Threshold(threshold) != nil {
		threshold = 0.5
	}
	if x >= threshold {
		return &classified{ID: 1, Score: x}
	}
	return &classified{Score: 1 - x}
}

// sharesOf counts the classes of a mask.
func sharesOf(m *edged.Mask, labels []string) []share {
	list := make([]share, len(labels))
	for i := range list {
		list[i].ID, list[i].Name = i, labels[i]
	}
	for y := range m.H {
		for _, id := range m.Pix[y*m.Stride : y*m.Stride+m.W] {
			if int(id) < len(list) {
				list[id].Px++
			}
		}
	}
	for i := range list {
		list[i].Ratio = float64(list[i].Px) / float64(m.W*m.H)
	}
	return list
}

// valuesOf are the real numbers of an output.
func valuesOf(b []byte, s edged.Spec) []float64 {
	out := make([]float64, s.Elems())
	scale, zero := float64(s.Quant.Scale), float64(s.Quant.ZeroPoint)
	if scale == 0 {
		scale = 1
	}
	for i := range out {
		switch s.Type {
		case edged.Float32:
			out[i] = float64(edged.View[float32](b)[i])
		case edged.Int8:
			out[i] = (float64(int8(b[i])) - zero) * scale
		case edged.Uint8:
			out[i] = (float64(b[i]) - zero) * scale
		}
	}
	return out
}

func (a *answer) print(w io.Writer) {
	if c := a.Class; c != nil {
		name := c.Name
		if name == "" {
			name = fmt.Sprintf("class %d", c.ID)
		}
		fmt.Fprintf(w, "%s  %.4g\n", name, c.Score)
	}
	for _, c := range a.Classes {
		fmt.Fprintf(w, "%3d  %-16s %9d px  %6.2f %%\n", c.ID, c.Name, c.Px, 100*c.Ratio)
	}
}
