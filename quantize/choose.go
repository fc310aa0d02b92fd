package quantize

import (
	"math"

	"edged/model"
)

// judge learns, and decides by pictures that were kept back.
type judge struct {
	runner
	f          *form
	equal      *form // the same with its channels equalised, nil: there is nothing to equalise
	rescales   []rescale
	progress   func(what string, done, total int)
	learn      []int // pictures
	kept       []int
	seen       map[string]*stats
	mask       string             // the output that decides, by its number; empty: all alike
	threshold  float64            // of a mask of one channel
	labels     []string           // of its classes
	want       map[string]*answer // the float net's outputs on the kept pictures
	candidates []Candidate
	quantised  *model.Model // the winner in the form that is run
}

// answer is what a net says on the kept pictures, one after another.
type answer struct {
	values   []float32
	channels int
}

// Candidate is one way to quantise, and how far it agrees with the float net.
type Candidate struct {
	Method    Method  `json:"method"`
	Correct   bool    `json:"bias_correction"`
	Equal     bool    `json:"equalised"` // channels before depthwise convolutions
	Agreement float64 `json:"agreement"` // share of equal classes, of the mask's output or of all
	Error     float64 `json:"error"`     // root mean square difference of the outputs, in shares of their range
}

// split keeps every fourth picture back, at least one where there are two.
func (j *judge) split() {
	n := j.p.Len()
	for i := range n {
		if i%4 == 3 || n < 4 && i == n-1 && n > 1 {
			j.kept = append(j.kept, i)
		} else {
			j.learn = append(j.learn, i)
		}
	}
	if len(j.kept) == 0 {
		j.kept = j.learn
	}
}

// main finds the output that decides.
func (j *judge) main(given, base *model.Model) error {
	f, err := given.Manifest()
	if err != nil || f == nil {
		return err
	}
	j.labels, j.threshold = f.Labels, f.Output.Threshold
	if j.threshold == 0 && f.Output.Kind() == "probabilities" {
		j.threshold = 0.5
	}
	g := base.Subgraphs[0]
	for _, o := range g.Outputs {
		if name := g.Tensors[o].Name; name == f.Output.Tensor || len(g.Outputs) == 1 {
			j.mask = j.f.base.Subgraphs[0].Tensors[o].Name
		}
	}
	return nil
}

func (j *judge) tell(what string, done, total int) {
	if j.progress != nil {
		j.progress(what, done, total)
	}
}

// choose learns the ranges and takes the best of all ways.
func (j *judge) choose() (best *Recipe, err error) {
	j.split()
	total := 4*len(methods) + 2
	j.tell("ranges", 0, total)
	if j.seen, err = j.calibrate(j.f, j.learn); err != nil {
		return nil, err
	}
	j.tell("float32", 1, total)
	if j.want, err = j.answers(j.f.float); err != nil {
		return nil, err
	}
	var top Candidate
	if best, top, err = j.tryAll(j.f, nil, top, total); err != nil {
		return nil, err
	}
	if j.rescales = rescales(j.f.base, j.seen); len(j.rescales) > 0 {
		if err := j.equalised(); err != nil {
			return nil, err
		}
		if best, top, err = j.tryAll(j.equal, best, top, total); err != nil {
			return nil, err
		}
	}
	if !top.Equal {
		j.rescales = nil
	}
	j.tell("done", total, total)
	return best, nil
}

// tryAll tries every method on one form, and gives the best of those and of what
// was best before.
func (j *judge) tryAll(f *form, best *Recipe, top Candidate, total int) (*Recipe, Candidate, error) {
	span := j.p.Span()
	for _, m := range methods {
		for _, correct := range []bool{false, true} {
			j.tell(string(m), 2+len(j.candidates), total)
			r := recipe(f.base, j.seen, &span, m, correct)
			q, c, err := j.try(f, r, m, correct)
			if err != nil {
				return nil, top, err
			}
			if best == nil || c.better(top) {
				best, top, j.quantised = r, c, q
			}
			j.candidates = append(j.candidates, c)
		}
	}
	return best, top, nil
}

// equalised makes the form whose channels are equalised, and learns its ranges.
func (j *judge) equalised() (err error) {
	e := *j.f
	e.base = j.f.base.Clone()
	if err = equalise(e.base, j.rescales); err != nil {
		return err
	}
	if e.float, err = e.make(e.base); err != nil {
		return err
	}
	j.equal = &e
	j.seen, err = j.calibrate(j.equal, j.learn)
	return err
}

// better asks for more agreement, and among equals for less error.
func (c Candidate) better(o Candidate) bool {
	if c.Agreement != o.Agreement {
		return c.Agreement > o.Agreement
	}
	return c.Error < o.Error
}

// try quantises by one recipe and runs the kept pictures.
func (j *judge) try(f *form, r *Recipe, m Method, correct bool) (*model.Model, Candidate, error) {
	c := Candidate{Method: m, Correct: correct, Equal: f == j.equal}
	q, err := apply(f.base.Clone(), r)
	if err != nil {
		return nil, c, err
	}
	if q, err = f.make(q); err != nil {
		return nil, c, err
	}
	got, err := j.answers(q)
	if err != nil {
		return nil, c, err
	}
	n := 0.0
	for name, want := range j.want {
		o := j.compare(name, want, got[name])
		c.Error += o.RMS * o.RMS
		if j.mask == "" || j.mask == name {
			c.Agreement += o.Agreement
			n++
		}
	}
	c.Agreement /= max(1, n)
	c.Error = math.Sqrt(c.Error / float64(max(1, len(j.want))))
	return q, c, nil
}

// answers are the outputs of a net on the kept pictures, by name.
func (j *judge) answers(m *model.Model) (map[string]*answer, error) {
	var names []string
	for _, o := range j.f.base.Subgraphs[0].Outputs {
		names = append(names, j.f.base.Subgraphs[0].Tensors[o].Name)
	}
	all := map[string]*answer{}
	err := j.each(m, names, j.kept, func(name string, v []float32, channels int) {
		if all[name] == nil {
			all[name] = &answer{channels: channels}
		}
		all[name].values = append(all[name].values, v...)
	})
	return all, err
}

// compare holds one output against the float net's.
func (j *judge) compare(name string, want, got *answer) OutputReport {
	o := OutputReport{Tensor: name}
	if got == nil || len(got.values) != len(want.values) {
		return o
	}
	lo, hi, sum := math.Inf(1), math.Inf(-1), 0.0
	for i, v := range want.values {
		d := float64(v) - float64(got.values[i])
		lo, hi, sum = min(lo, float64(v)), max(hi, float64(v)), sum+d*d
		o.MaxDiff = max(o.MaxDiff, math.Abs(d))
	}
	o.RMS = math.Sqrt(sum/float64(max(1, len(want.values)))) / max(hi-lo, leastRange)
	for i := 0; i+want.channels <= len(want.values); i += want.channels {
		a, b := j.class(name, want.values[i:i+want.channels]), j.class(name, got.values[i:i+want.channels])
		o.Positions++
		o.count(a, b)
	}
	o.Agreement = float64(o.equal) / float64(max(1, o.Positions))
	return o
}

// class is the position's class: the channel with the most, or of one channel
// whether it reaches the threshold.
func (j *judge) class(name string, v []float32) int {
	if len(v) == 1 {
		t := 0.0
		if name == j.mask {
			t = j.threshold
		}
		if float64(v[0]) >= t {
			return 1
		}
		return 0
	}
	at := 0
	for i := range v {
		if v[i] > v[at] {
			at = i
		}
	}
	return at
}
