package quantize

import "edged/model"

// refinePictures are enough for means over all places of a picture.
const refinePictures = 8

// refine moves the biases of r by what the int8 net's channels are off in the mean,
// a layer at a time from the input on, each seen with all before it moved already.
// Rounding is no noise to a channel that hardly moves: it always goes one way, and
// the layers behind add that up. Source: Nagel et al., "Data-Free Quantization
// Through Weight Equalization and Bias Correction", 2019, empirical bias correction.
func (j *judge) refine(f *form, r *Recipe) (*Recipe, error) {
	pictures := j.learn
	if n := len(pictures); n > refinePictures {
		pictures = nil
		for i := range refinePictures {
			pictures = append(pictures, j.learn[i*n/refinePictures])
		}
	}
	layers := biased(f.base)
	want, err := j.means(f.float, layers, pictures)
	if err != nil {
		return nil, err
	}
	refined := *r
	refined.Shift = map[string][]float64{}
	for _, name := range layers {
		q, err := f.quantised(&refined)
		if err != nil {
			return nil, err
		}
		part := until(q, name)
		if want[name] == nil || part == nil {
			continue // the form has no such tensor
		}
		got, err := j.means(part, []string{name}, pictures)
		if err != nil {
			return nil, err
		}
		off := got[name]
		for c := range off {
			off[c] -= want[name][c]
		}
		refined.Shift[name] = off
	}
	return &refined, nil
}

// biased lists what the layers with biases write, from the input on.
func biased(m *model.Model) (names []string) {
	g := m.Subgraphs[0]
	for _, op := range g.Operators {
		if r, _ := ruleOf(m, g, op); r.weights != nil && r.weights.biasOf(op) >= 0 {
			names = append(names, g.Tensors[op.Outputs[0]].Name)
		}
	}
	return names
}

// means are the means by channel of the tensors named.
func (r *runner) means(m *model.Model, names []string, pictures []int) (map[string][]float64, error) {
	all := map[string]*stats{}
	err := r.each(m, names, pictures, func(name string, v []float32, channels int) {
		if all[name] == nil {
			all[name] = &stats{}
		}
		all[name].look(v, channels)
	})
	means := map[string][]float64{}
	for name, s := range all {
		means[name] = s.mean()
	}
	return means, err
}

// until is m up to the operator that writes the tensor; nil: none does.
func until(m *model.Model, name string) *model.Model {
	c := m.Clone()
	g := c.Subgraphs[0]
	for i, op := range g.Operators {
		for _, t := range op.Outputs {
			if g.Tensors[t].Name == name {
				g.Operators, g.Outputs, c.SignatureDefs = g.Operators[:i+1], []int32{t}, nil
				compact(c)
				return c
			}
		}
	}
	return nil
}
