package quantize

import "edged/model"

// refineRounds is in how many steps, from the input to the outputs, biases are
// measured and moved: what one layer is moved by moves those behind it.
const refineRounds = 16

// refine moves the biases of the best candidate by what the int8 net's channels
// are off on the pictures that were learnt from, a few layers at a time: what
// rounding of weights, of activations and clipping do together. It is kept if the
// pictures kept back agree better.
func (j *judge) refine(f *form, best *Recipe, top Candidate, q *model.Model) (*Recipe, Candidate, error) {
	var names []string
	g := f.base.Subgraphs[0]
	for _, op := range g.Operators {
		if r := rules[f.base.Code(op).Builtin]; r.weights != nil && r.weights.biasOf(op) >= 0 {
			names = append(names, g.Tensors[op.Outputs[0]].Name)
		}
	}
	r := *best
	r.Shift = map[string][]float64{}
	n := min(refineRounds, len(names))
	for k := range n {
		off, err := j.off(q, names[k*len(names)/n:(k+1)*len(names)/n])
		if err != nil {
			return best, top, err
		}
		for name, d := range off {
			r.Shift[name] = d
		}
		if q, err = apply(f.base.Clone(), &r); err != nil {
			return best, top, err
		}
		if q, err = f.make(q); err != nil {
			return best, top, err
		}
	}
	q, c, err := j.try(f, &r, top.Method, top.Correct)
	if err != nil {
		return best, top, err
	}
	c.Refined = true
	j.candidates = append(j.candidates, c)
	if c.better(top) {
		best, top, j.quantised = &r, c, q
	}
	return best, top, nil
}

// off is how far the channels' means lie from the float net's.
func (j *judge) off(q *model.Model, names []string) (map[string][]float64, error) {
	got := map[string]*stats{}
	err := j.each(q, names, j.learn, func(name string, v []float32, channels int) {
		if got[name] == nil {
			got[name] = &stats{}
		}
		got[name].look(v, channels)
	})
	off := map[string][]float64{}
	for name, s := range got {
		want := j.seen[name]
		if want == nil || len(want.sum) != len(s.sum) {
			continue
		}
		a, b := s.mean(), want.mean()
		for k := range a {
			a[k] -= b[k]
		}
		off[name] = a
	}
	return off, err
}
