package quantize

import (
	"fmt"
	"math"
	"sort"

	"edged/model"
)

// Report says how far the int8 net agrees with the float net on the pictures that
// were kept back, and what could be better.
type Report struct {
	Pictures    int            `json:"pictures"` // that ranges were learnt from
	Kept        int            `json:"kept_back"`
	Shown       string         `json:"shown"` // how the net saw them
	Candidate                  // that was chosen
	Candidates  []Candidate    `json:"candidates"`
	Classes     []ClassReport  `json:"classes,omitempty"`
	Outputs     []OutputReport `json:"outputs"`
	Layers      []LayerReport  `json:"layers"` // the largest differences first
	Suggestions []string       `json:"suggestions,omitempty"`
}

// ClassReport is how far both see one class.
type ClassReport struct {
	ID    int     `json:"id"`
	Name  string  `json:"name,omitempty"`
	Float int     `json:"float32"` // positions where the float net sees it
	Int8  int     `json:"int8"`
	Both  int     `json:"both"`
	Share float64 `json:"agreement"` // both, of those where either does; 1 where none does
}

// OutputReport is one output.
type OutputReport struct {
	Tensor    string  `json:"tensor"`
	Positions int     `json:"positions"`
	Agreement float64 `json:"agreement"`
	MaxDiff   float64 `json:"max_abs_diff"`
	RMS       float64 `json:"rms"` // of the difference, in shares of the output's range

	equal    int
	a, b, ab map[int]int
}

func (o *OutputReport) count(a, b int) {
	if o.a == nil {
		o.a, o.b, o.ab = map[int]int{}, map[int]int{}, map[int]int{}
	}
	o.a[a]++
	o.b[b]++
	if a == b {
		o.equal++
		o.ab[a]++
	}
}

// leastPositions of a class make it count.
const leastPositions = 8

// balanced is the mean agreement of the classes that the float net sees.
func (o *OutputReport) balanced() float64 {
	sum, n := 0.0, 0
	for c, seen := range o.a {
		if seen >= leastPositions {
			sum, n = sum+float64(o.ab[c])/float64(seen+o.b[c]-o.ab[c]), n+1
		}
	}
	if n == 0 {
		return o.Agreement
	}
	return sum / float64(n)
}

// LayerReport is how far a layer's result is off, with all that came before it.
type LayerReport struct {
	Operator string  `json:"operator"`
	Index    int     `json:"index"`
	Tensor   string  `json:"tensor"`
	RMS      float64 `json:"rms"` // of the difference, in shares of the float tensor's range, 0 in it
	SNR      float64 `json:"snr_db"`
	Clipped  float64 `json:"clipped"` // share of float values outside of what int8 covers
}

// report runs the winner once more, layer by layer.
func (j *judge) report(best *attempt, base *model.Model) (*Report, error) {
	rep := &Report{Pictures: len(j.learn), Kept: len(j.kept), Shown: j.f.says, Candidates: j.candidates, Candidate: best.Candidate}
	got, err := j.answers(best.quantised)
	if err != nil {
		return nil, err
	}
	g := base.Subgraphs[0]
	for i, t := range g.Outputs {
		name := j.f.base.Subgraphs[0].Tensors[g.Outputs[i]].Name
		o := j.compare(name, j.want[name], got[name])
		o.Tensor = g.Tensors[t].Name
		rep.Outputs = append(rep.Outputs, o)
		if name == j.mask {
			rep.Classes = j.classes(&o)
		}
	}
	if rep.Layers, err = j.layers(best, base); err != nil {
		return nil, err
	}
	rep.Suggestions = j.suggest(rep)
	return rep, nil
}

func (j *judge) classes(o *OutputReport) (list []ClassReport) {
	n := len(j.labels)
	for id := range o.a {
		n = max(n, id+1)
	}
	for id := range o.b {
		n = max(n, id+1)
	}
	for id := range n {
		c := ClassReport{ID: id, Float: o.a[id], Int8: o.b[id], Both: o.ab[id], Share: 1}
		if id < len(j.labels) {
			c.Name = j.labels[id]
		}
		if either := c.Float + c.Int8 - c.Both; either > 0 {
			c.Share = float64(c.Both) / float64(either)
		}
		list = append(list, c)
	}
	return list
}

// layers compares every tensor that both nets have, on the first kept picture, with
// the float net as it was equalised.
func (j *judge) layers(best *attempt, base *model.Model) ([]LayerReport, error) {
	g, b := base.Subgraphs[0], j.f.base.Subgraphs[0]
	var list, part []LayerReport
	var names []string
	bytes := int64(0)
	flush := func() error {
		done, err := j.measure(best, part, names)
		list, part, names, bytes = append(list, done...), nil, nil, 0
		return err
	}
	for i, op := range b.Operators {
		for _, t := range op.Outputs {
			if b.Tensors[t].Type != model.TypeFloat32 {
				continue
			}
			part = append(part, LayerReport{Operator: base.Code(g.Operators[i]).Name(), Index: i, Tensor: g.Tensors[t].Name})
			names = append(names, b.Tensors[t].Name)
			if bytes += j.sizeOf(b.Tensors[t].Name); bytes > chunkBytes/2 {
				if err := flush(); err != nil {
					return nil, err
				}
			}
		}
	}
	if err := flush(); err != nil {
		return nil, err
	}
	sort.SliceStable(list, func(a, b int) bool { return list[a].SNR < list[b].SNR })
	return list, nil
}

// sizeOf is what a tensor of the form takes on one picture.
func (j *judge) sizeOf(name string) int64 {
	for _, t := range j.f.float.Subgraphs[0].Tensors {
		if t.Name == name {
			return bytesOf(t)
		}
	}
	return 0
}

// measure fills the layers whose tensors the form has, by name.
func (j *judge) measure(best *attempt, part []LayerReport, names []string) (done []LayerReport, err error) {
	want := map[string][]float32{}
	if err := j.each(best.form.float, names, j.kept[:1], func(name string, v []float32, _ int) { want[name] = append(want[name], v...) }); err != nil {
		return nil, err
	}
	pairs := map[string]*pairing{}
	for _, t := range best.quantised.Subgraphs[0].Tensors {
		if q := t.Quantization; want[t.Name] != nil && q != nil && len(q.Scale) == 1 {
			pairs[t.Name] = newPairing(want[t.Name], affine{q.Scale[0], int32(q.ZeroPoint[0])})
		}
	}
	err = j.each(best.quantised, names, j.kept[:1], func(name string, v []float32, _ int) {
		if p := pairs[name]; p != nil {
			p.add(v)
		}
	})
	for i, name := range names {
		if p := pairs[name]; p != nil && p.n > 0 {
			p.fill(&part[i])
			done = append(done, part[i])
		}
	}
	return done, err
}

// pairing holds a tensor's values against the float net's.
type pairing struct {
	want                 []float32
	n, clipped           int
	lo, hi, noise, power float64
	cover                Range
}

func newPairing(want []float32, q affine) *pairing {
	c, half := q.covers(), float64(q.scale)/2
	return &pairing{want: want, lo: math.Inf(1), hi: math.Inf(-1), cover: Range{c.Lo - half, c.Hi + half}}
}

func (p *pairing) add(v []float32) {
	for _, x := range v {
		if p.n == len(p.want) {
			return
		}
		w := float64(p.want[p.n])
		p.n++
		p.lo, p.hi = min(p.lo, w), max(p.hi, w)
		p.noise += (w - float64(x)) * (w - float64(x))
		p.power += w * w
		if w < p.cover.Lo || w > p.cover.Hi {
			p.clipped++
		}
	}
}

func (p *pairing) fill(l *LayerReport) {
	n := float64(p.n)
	l.RMS = math.Sqrt(p.noise/n) / max(p.hi-p.lo, p.hi, -p.lo, leastRange)
	l.SNR = min(120, 10*math.Log10((p.power+1e-30)/(p.noise+1e-30)))
	l.Clipped = float64(p.clipped) / n
}

// Below these the suggestions name what to do.
const (
	goodAgreement = 0.99
	poorLayer     = 15 // dB
	fewPictures   = 16
)

func (j *judge) suggest(r *Report) (list []string) {
	if r.Pictures < fewPictures {
		list = append(list, fmt.Sprintf("ranges were learnt from %d pictures: %d or more, of all that the camera meets, give ranges that hold", r.Pictures, fewPictures))
	}
	if j.p.Len() == 1 {
		list = append(list, "with one picture nothing could be kept back: the agreement is that of the picture it was learnt from")
	}
	if s := j.sizes(); s != "" {
		list = append(list, s)
	}
	for _, c := range r.Classes {
		if c.Float == 0 && c.Name != "" {
			list = append(list, fmt.Sprintf("class %q does not occur on the pictures kept back: show some that have it", c.Name))
		}
	}
	if r.Agreement < goodAgreement && len(r.Layers) > 0 && r.Layers[0].SNR < poorLayer {
		l := r.Layers[0]
		list = append(list, fmt.Sprintf("%s (operator %d, %q) loses most, %.1f dB: %s", l.Operator, l.Index, l.Tensor, l.SNR, cureOf(l)))
	}
	return list
}

// sizes tells of pictures that are of another size than the net sees, or than
// their fellows.
func (j *judge) sizes() string {
	shape := inputOf(j.f.float).Shape
	smaller, least, most := 0, [2]int{math.MaxInt, math.MaxInt}, [2]int{}
	for i := range j.p.Len() {
		h, w := j.p.Size(i)
		if h < int(shape[1]) || w < int(shape[2]) {
			smaller++
		}
		least, most = [2]int{min(least[0], h), min(least[1], w)}, [2]int{max(most[0], h), max(most[1], w)}
	}
	switch {
	case smaller > 0:
		return fmt.Sprintf("%d of %d pictures are smaller than the %dx%d (height x width) that the net was shown, and were stretched: the camera's own pictures give the ranges that it will meet", smaller, j.p.Len(), shape[1], shape[2])
	case j.f.framed && (most[0] >= 2*least[0] || most[1] >= 2*least[1]):
		return fmt.Sprintf("pictures measure from %dx%d to %dx%d (height x width): of each no more than the centre of %dx%d was looked at; pictures of one size are seen whole", least[0], least[1], most[0], most[1], shape[1], shape[2])
	}
	return ""
}

func inputOf(m *model.Model) *model.Tensor {
	g := m.Subgraphs[0]
	return g.Tensors[g.Inputs[0]]
}

func cureOf(l LayerReport) string {
	switch {
	case l.Clipped > 0.001:
		return fmt.Sprintf("%.2f %% of its values lie outside of its range, so that more pictures help", 100*l.Clipped)
	case l.Operator == "FULLY_CONNECTED":
		return "TensorFlow Lite 2.9 has one scale for all its weights; the same layer as a 1x1 convolution has one a channel"
	case l.Operator == "CONCATENATION" || l.Operator == "ADD":
		return "what it joins has ranges that lie far apart; train with normalised branches"
	}
	return "its values are spread over a wide range; an activation that bounds them (RELU6) trained into the net helps"
}
