package rewrite

import (
	"fmt"
	"math"
	"math/rand/v2"

	"edged"
	"edged/model"
)

// Spots is the baseline of a dense net, ready to be asked about single answers
// that the dense net gave: the oracle of the proof, one run at a time. It needs
// no dense engine of its own.
type Spots struct {
	v       *verification
	output  int // of the dense net: the one that is checked
	name    string
	limit   float64 // one channel: class 1 from here on
	specs   edged.Spec
	scratch []float64
}

// Running is the dense net as an engine has it: what Spots has to know of it.
type Running struct {
	Input   edged.Spec
	Outputs []edged.Spec // the model's own
	Output  int          // of them, the one to check
	Limit   float64      // where it has one channel: the least value of class 1
}

// OpenSpots loads base, the baseline of the file dense, with open.
func OpenSpots(base, dense []byte, as Running, open edged.Opener) (_ *Spots, err error) {
	defer noPanic(&err)
	it := &answered{as: as}
	named := func(file []byte, o edged.Options) (edged.Engine, error) {
		e, err := open(file, o)
		if err == nil {
			it.name = e.Name() // engines may differ here: who asks knows by how much
		}
		return e, err
	}
	v, err := newVerification(base, dense, named, VerifyOptions{Workers: 1})
	if err != nil {
		return nil, err
	}
	v.dense = it
	if err := v.placeSpots(base); err != nil {
		v.close()
		return nil, err
	}
	s := &Spots{v: v, output: as.Output, name: it.name, limit: as.Limit, specs: as.Outputs[as.Output]}
	c := v.outs[s.output]
	s.scratch = make([]float64, 2*c.val.ch)
	if c.promised() == 0 {
		v.close()
		return nil, &Refusal{Reason: "the contract promises no position on this frame"}
	}
	return s, nil
}

// placeSpots is prepareRun without a dense engine.
func (v *verification) placeSpots(base []byte) error {
	m, err := model.Read(base)
	if err != nil {
		return err
	}
	if base, m, err = v.cutLike(base, m); err != nil {
		return err
	}
	if v.net, err = lift(m); err != nil {
		return err
	}
	v.net.prune()
	if err = v.placeFrame(m); err != nil {
		return err
	}
	if err = v.checkOutputs(); err != nil {
		return err
	}
	v.oracle, err = v.newOracle(base)
	return err
}

// Engine is the name of the engine that runs the baseline.
func (s *Spots) Engine() string { return s.name }

// Close frees the baseline.
func (s *Spots) Close() { s.v.close() }

// Answer is what a dense net was given and what it said, as its engine has it.
type Answer struct{ Input, Output []byte }

// Margin is by how much an answer may lie off the baseline's.
type Margin struct {
	Score    float64 // real units
	Relative float64 // and of the largest score at the position, where that is more
	Classes  bool    // scores may differ by more: a position differs where its class does, and the baseline is surer of it than Score
}

// Spot is what one run of the baseline shows of an answer.
type Spot struct {
	Positions int
	Differing int     // beyond the margin
	Largest   float64 // difference of a score
	Size      float64 // largest score, without its sign
	At        [2]int  // row and column of the answer: the largest difference beyond the margin
	Differs   float64 // there
	Crop      [4]int  // y, x, height, width of the input that the baseline saw
}

// Check runs the baseline on one crop of a's input and compares every promised
// position that it shows. Where crops show single positions, half of them are
// drawn by class, the rare ones first.
func (s *Spots) Check(a Answer, m Margin, r *rand.Rand) (spot Spot, err error) {
	defer noPanic(&err)
	at := s.draw(a.Output, r)
	o := s.v.oracle
	e := o.engines[0]
	s.v.crop(e.Input(0), a.Input, at, o.size, e.Inputs()[0], o.in)
	if err := e.Run(); err != nil {
		return spot, fmt.Errorf("rewrite: baseline: %w", err)
	}
	spot.Crop = [4]int{at[0], at[1], min(o.size[0], s.v.frame[0]-at[0]), min(o.size[1], s.v.frame[1]-at[1])}
	c, n := s.v.outs[s.output], o.n[s.output]
	want := realValues(e.Output(s.output), e.Outputs()[s.output])
	for u := range n.area() {
		j := pair{u / n[1], u % n[1]}
		t, ok := c.position(j, at)
		if ok && c.comparable(pair{at[0] + j[0]*c.e[0], at[1] + j[1]*c.e[1]}, at) {
			s.compare(&spot, a.Output, want, t, j, m)
		}
	}
	return spot, nil
}

// compare holds position t of the answer against unit j of the baseline's run.
func (s *Spots) compare(spot *Spot, output []byte, want []float64, t, j pair, m Margin) {
	c, d := s.v.outs[s.output], s.v.oracle.dims[s.output]
	got, base := s.scratch[:c.val.ch], s.scratch[c.val.ch:]
	s.position(got, output, t[0]*c.size[1]+t[1])
	differ, size := 0.0, 0.0
	for ch := range base {
		base[ch] = want[j[0]*d.y+j[1]*d.x+ch*d.c]
		diff := math.Abs(got[ch] - base[ch])
		if !(diff <= math.MaxFloat64) {
			diff = math.MaxFloat64
		}
		if got[ch] == base[ch] {
			diff = 0
		}
		differ = max(differ, diff)
		size = max(size, math.Abs(base[ch]))
	}
	spot.Size = max(spot.Size, size)
	spot.Positions++
	spot.Largest = max(spot.Largest, differ)
	limit := max(m.Score, m.Relative*size)
	if differ <= limit || m.Classes && s.gap(base, s.classOf(got)) <= limit {
		return
	}
	if spot.Differing++; differ > spot.Differs {
		spot.Differs, spot.At = differ, t
	}
}

// position reads one position of an answer, in real units.
func (s *Spots) position(dst []float64, output []byte, at int) {
	part, es := s.specs, s.specs.Type.Size()
	part.Shape = []int{len(dst)}
	copy(dst, realValues(output[at*len(dst)*es:(at+1)*len(dst)*es], part))
}

// classOf is the class that a position's scores decide for.
func (s *Spots) classOf(scores []float64) int {
	if len(scores) == 1 {
		if scores[0] >= s.limit {
			return 1
		}
		return 0
	}
	best := 0
	for ch, v := range scores {
		if v > scores[best] {
			best = ch
		}
	}
	return best
}

// gap is by how much scores speak against class, 0 where they are for it.
func (s *Spots) gap(scores []float64, class int) float64 {
	switch {
	case s.classOf(scores) == class:
		return 0
	case len(scores) == 1:
		return math.Abs(scores[0] - s.limit)
	}
	return scores[s.classOf(scores)] - scores[class]
}

// draw is the pixel at which the next crop starts. Without padding any promised
// position may be asked for, the first unit of a crop; else a crop is a phase of
// the whole frame: that without an offset, in which the borders count, half of
// the time.
func (s *Spots) draw(output []byte, r *rand.Rand) pair {
	c := s.v.outs[s.output]
	var at pair
	if s.v.oracle.local {
		t := s.drawPosition(output, r)
		return pair{t[0] * c.q[0], t[1] * c.q[1]}
	}
	if r.IntN(2) == 0 {
		return at
	}
	for range 8 {
		for a := range at {
			at[a] = r.IntN(max(1, c.e[a]/c.q[a])) * c.q[a]
		}
		if len(s.v.units(s.v.oracle, s.output, at, make([]bool, c.size.area()))) > 0 {
			return at
		}
	}
	return pair{}
}

// drawn is how many positions are looked at to find one of a rare class.
const drawn = 128

func (s *Spots) drawPosition(output []byte, r *rand.Rand) pair {
	c := s.v.outs[s.output]
	random := func() pair { return pair{r.IntN(c.count[0]), r.IntN(c.count[1])} }
	if r.IntN(2) == 0 {
		return random()
	}
	count, first := map[int]int{}, map[int]pair{}
	scores := s.scratch[:c.val.ch]
	for range drawn {
		t := random()
		s.position(scores, output, t[0]*c.size[1]+t[1])
		class := s.classOf(scores)
		if count[class]++; count[class] == 1 {
			first[class] = t
		}
	}
	rare := -1
	for class := range c.val.ch + 1 {
		if n := count[class]; n > 0 && (rare < 0 || n < count[rare]) {
			rare = class
		}
	}
	return first[rare]
}

// answered stands for a dense engine that somebody else runs.
type answered struct {
	as   Running
	name string
}

func (a *answered) Name() string            { return a.name }
func (a *answered) Inputs() []edged.Spec    { return []edged.Spec{a.as.Input} }
func (a *answered) Outputs() []edged.Spec   { return a.as.Outputs }
func (a *answered) Input(int) []byte        { return nil }
func (a *answered) Output(int) []byte       { return nil }
func (a *answered) Run() error              { panic("BUG: rewrite: the dense net is run elsewhere") }
func (a *answered) Resize(int, []int) error { panic("BUG: rewrite: the dense net is run elsewhere") }
func (a *answered) Close() error            { return nil }
