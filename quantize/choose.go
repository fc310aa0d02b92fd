package quantize

import (
	"math"

	"edged/model"
)

// judge learns, and decides by pictures that were kept back.
type judge struct {
	runner
	f          *form
	progress   func(what string, done, total int)
	learn      []int // pictures
	kept       []int
	mask       string             // the output that decides, by its number; empty: all alike
	threshold  float64            // of a mask of one channel
	labels     []string           // of its classes
	want       map[string]*answer // the float net's outputs on the kept pictures
	candidates []Candidate

	done, total int // steps of progress
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
	Refined   bool    `json:"refined"`   // biases moved by what the int8 net was seen to be off, layer by layer
	Agreement float64 `json:"agreement"` // share of equal classes, of the mask's output or of all
	Balanced  float64 `json:"balanced"`  // the same with every class counting alike: mean over classes of those where both see it, of those where either does
	Error     float64 `json:"error"`     // root mean square difference of the outputs, in shares of their range
}

// attempt is a way that was tried: its candidate, and all to do it again.
type attempt struct {
	Candidate
	form      *form
	recipe    *Recipe
	rescales  []rescale
	quantised *model.Model
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

// tell tells of the next step.
func (j *judge) tell(what string) {
	if j.progress != nil {
		j.progress(what, min(j.done, j.total), j.total)
	}
	j.done++
}

// choose learns the ranges and takes the best of all ways.
func (j *judge) choose() (*attempt, error) {
	j.split()
	j.total = 4*len(methods) + 3
	j.tell("ranges")
	seen, err := j.calibrate(j.f, j.learn)
	if err != nil {
		return nil, err
	}
	j.tell("float32")
	if j.want, err = j.answers(j.f.float); err != nil {
		return nil, err
	}
	best, err := j.tryAll(&attempt{form: j.f}, seen, nil)
	if err != nil {
		return nil, err
	}
	if list := rescales(j.f.base, seen); len(list) > 0 {
		if best, err = j.equalised(list, best); err != nil {
			return nil, err
		}
	}
	if best, err = j.tryRefined(best); err != nil {
		return nil, err
	}
	j.done = j.total
	j.tell("done")
	return best, nil
}

// equalised tries every method on the net with its channels equalised.
func (j *judge) equalised(list []rescale, best *attempt) (*attempt, error) {
	f := *j.f
	f.base = j.f.base.Clone()
	err := equalise(f.base, list)
	if err == nil {
		f.float, err = f.make(f.base)
	}
	if err != nil {
		return nil, err
	}
	seen, err := j.calibrate(&f, j.learn)
	if err != nil {
		return nil, err
	}
	return j.tryAll(&attempt{Candidate: Candidate{Equal: true}, form: &f, rescales: list}, seen, best)
}

// tryAll tries every method on one form, and gives the best of those and of what
// was best before.
func (j *judge) tryAll(like *attempt, seen map[string]*stats, best *attempt) (*attempt, error) {
	span := j.p.Span()
	for _, m := range methods {
		for _, correct := range []bool{false, true} {
			j.tell(string(m))
			a := *like
			a.Method, a.Correct = m, correct
			a.recipe = recipe(a.form.base, seen, &span, m, correct)
			if err := j.try(&a); err != nil {
				return nil, err
			}
			best = a.orBetter(best)
		}
	}
	return best, nil
}

// tryRefined refines the best, and gives the better of the two.
func (j *judge) tryRefined(best *attempt) (*attempt, error) {
	j.tell("biases")
	a := *best
	a.Refined = true
	var err error
	if a.recipe, err = j.refine(a.form, best.recipe); err != nil || len(a.recipe.Shift) == 0 {
		return best, err
	}
	if err := j.try(&a); err != nil {
		return nil, err
	}
	return a.orBetter(best), nil
}

// orBetter is best, unless that is nil or worse.
func (a *attempt) orBetter(best *attempt) *attempt {
	if best == nil || a.better(best.Candidate) {
		return a
	}
	return best
}

// better asks for more agreement of the classes, rare ones counting as much as
// others, then of the positions, and among equals for less error.
func (c Candidate) better(o Candidate) bool {
	if c.Balanced != o.Balanced {
		return c.Balanced > o.Balanced
	}
	if c.Agreement != o.Agreement {
		return c.Agreement > o.Agreement
	}
	return c.Error < o.Error
}

// try quantises by a's recipe, runs the kept pictures and fills in how well it
// agrees.
func (j *judge) try(a *attempt) (err error) {
	if a.quantised, err = a.form.quantised(a.recipe); err != nil {
		return err
	}
	got, err := j.answers(a.quantised)
	if err != nil {
		return err
	}
	c := &a.Candidate
	c.Agreement, c.Balanced, c.Error = 0, 0, 0
	n := 0.0
	for name, want := range j.want {
		o := j.compare(name, want, got[name])
		c.Error += o.RMS * o.RMS
		if j.mask == "" || j.mask == name {
			c.Agreement += o.Agreement
			c.Balanced += o.balanced()
			n++
		}
	}
	c.Agreement /= max(1, n)
	c.Balanced /= max(1, n)
	c.Error = math.Sqrt(c.Error / float64(max(1, len(j.want))))
	j.candidates = append(j.candidates, *c)
	return nil
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
