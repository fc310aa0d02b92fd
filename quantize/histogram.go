package quantize

import (
	"math"

	"edged/model"
)

// Method is how the range of a tensor is read off its values.
type Method string

// The methods. Which one a net gets is decided by how far it then agrees with the
// float net on pictures that nothing was learnt from.
const (
	MinMax     Method = "min-max"            // all that occurred
	Percentile Method = "percentile"         // without the most extreme hundredth of a percent
	MSE        Method = "mean squared error" // the range with the least error of rounding and clipping
)

var methods = []Method{MinMax, Percentile, MSE}

// bins of a histogram: fine enough that a percentile lands within half a step of
// 256.
const bins = 2048

// stats are what was seen of a tensor.
type stats struct {
	Range
	seen  bool
	count []int64
	sum   []float64 // by channel
	top   []float64 // largest magnitude, by channel
	n     int64     // elements of each channel
}

// look takes over the extremes and the channels' sums.
func (s *stats) look(v []float32, channels int) {
	if !s.seen {
		s.Range, s.seen = Range{math.Inf(1), math.Inf(-1)}, true
		s.sum, s.top = make([]float64, channels), make([]float64, channels)
	}
	for i, x := range v {
		f := float64(x)
		if math.Abs(f) > noRange && !math.IsInf(f, 0) {
			continue
		}
		s.Lo, s.Hi = min(s.Lo, f), max(s.Hi, f)
		s.sum[i%channels] += f
		s.top[i%channels] = max(s.top[i%channels], math.Abs(f))
	}
	s.n += int64(len(v) / channels)
}

// spread counts values in bins over the range that is known by then.
func (s *stats) spread(v []float32) {
	if s.count == nil {
		s.count = make([]int64, bins)
	}
	per := bins / max(s.Hi-s.Lo, leastRange)
	for _, x := range v {
		if math.Abs(float64(x)) > noRange {
			continue
		}
		s.count[max(0, min(bins-1, int((float64(x)-s.Lo)*per)))]++
	}
}

func (s *stats) mean() []float64 {
	m := make([]float64, len(s.sum))
	for i, x := range s.sum {
		m[i] = x / float64(max(s.n, 1))
	}
	return m
}

// by is the range by a method.
func (s *stats) by(m Method) Range {
	switch m {
	case Percentile:
		return s.percentile(0.9999)
	case MSE:
		return s.leastError()
	}
	return s.Range
}

// at is the lower edge of bin i.
func (s *stats) at(i int) float64 { return s.Lo + float64(i)*(s.Hi-s.Lo)/bins }

// percentile leaves out (1-p)/2 of the values at either end.
func (s *stats) percentile(p float64) Range {
	total := int64(0)
	for _, n := range s.count {
		total += n
	}
	out := int64(float64(total) * (1 - p) / 2)
	lo, hi := 0, bins
	for n := s.count[0]; n <= out && lo < bins-1; n += s.count[lo] {
		lo++
	}
	for n := s.count[bins-1]; n <= out && hi > lo+1; n += s.count[hi-1] {
		hi--
	}
	return Range{s.at(lo), s.at(hi)}
}

// leastError tries ever narrower ranges, first of the upper end, then of the lower.
func (s *stats) leastError() Range {
	best := s.Range
	least := s.errorOf(best)
	for _, upper := range []bool{true, false, true, false} {
		from := best
		for k := 1; k < 40; k++ {
			r := from
			if f := 1 - float64(k)/40; upper {
				r.Hi = from.Hi * f
			} else {
				r.Lo = from.Lo * f
			}
			if e := s.errorOf(r); e < least {
				least, best = e, r
			}
		}
	}
	return best
}

// errorOf is the squared error of all values when r is what int8 covers: rounding
// is spread evenly over a step, clipping is what it is.
func (s *stats) errorOf(r Range) float64 {
	c := rangeQuant(r)
	cover, step := c.covers(), float64(c.scale)
	sum := 0.0
	for i, n := range s.count {
		if n == 0 {
			continue
		}
		x := (s.at(i) + s.at(i+1)) / 2
		d := max(cover.Lo-x, x-cover.Hi, 0)
		sum += float64(n) * (d*d + step*step/12)
	}
	return sum
}

// recipe is what Apply is told by a method.
func recipe(m *model.Model, seen map[string]*stats, input *Range, by Method, correct bool) *Recipe {
	r := &Recipe{Input: input, Ranges: map[string]Range{}}
	if correct {
		r.Means = map[string][]float64{}
	}
	in := m.Subgraphs[0].Tensors[m.Subgraphs[0].Inputs[0]].Name
	for name, s := range seen {
		if s.seen && (name != in || input == nil) {
			r.Ranges[name] = s.by(by)
		}
		if s.seen && correct {
			r.Means[name] = s.mean()
		}
	}
	return r
}
