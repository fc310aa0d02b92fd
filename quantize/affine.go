package quantize

import "math"

// Range is what the values of a tensor lie in.
type Range struct{ Lo, Hi float64 }

// union covers both.
func (r Range) union(o Range) Range { return Range{min(r.Lo, o.Lo), max(r.Hi, o.Hi)} }

// affine is TFLite's quantisation of an activation: real = scale*(q - zero), with
// q int8. Source: TensorFlow Lite's 8-bit quantization specification.
type affine struct {
	scale float32
	zero  int32
}

// leastRange keeps the scale of a tensor that hardly moves from being one that no
// multiplier can follow.
const leastRange = 1e-8

// rangeQuant covers r with 256 steps so that 0 is represented exactly, as padding
// and ReLU need it.
func rangeQuant(r Range) affine {
	lo, hi := min(r.Lo, 0), max(r.Hi, 0)
	if lo == hi {
		return affine{scale: 1}
	}
	scale := max(hi-lo, leastRange) / 255
	zero := math.Round(-128 - lo/scale)
	return affine{scale: float32(scale), zero: int32(max(-128, min(127, zero)))}
}

// covers is the range that q can hold.
func (q affine) covers() Range {
	return Range{float64(q.scale) * float64(-128-q.zero), float64(q.scale) * float64(127-q.zero)}
}

// values quantises numbers, halves away from zero as TFLite rounds them.
func (q affine) values(v []float32) []int8 {
	out := make([]int8, len(v))
	for i, x := range v {
		out[i] = int8(max(-128, min(127, math.Round(float64(x)/float64(q.scale))+float64(q.zero))))
	}
	return out
}

// channels says how the elements of a weight tensor belong to its output channels:
// n in blocks one after another, or the last dimension.
type channels struct {
	n    int
	last bool
}

func (c channels) of(i, elems int) int {
	if c.last {
		return i % c.n
	}
	return i / (elems / c.n)
}

// quantiseWeights is symmetric, -127..127, with a scale of its own for each
// channel, at least least's where that is given.
func quantiseWeights(w []float32, c channels, least []float64) (q []int8, scales []float32) {
	q, scales = make([]int8, len(w)), make([]float32, c.n)
	largest := make([]float64, c.n)
	for i, v := range w {
		k := c.of(i, len(w))
		largest[k] = max(largest[k], math.Abs(float64(v)))
	}
	for k, l := range largest {
		if l == 0 {
			l = 127 // all zero: any scale will do
		}
		if least != nil {
			l = max(l, 127*least[k])
		}
		scales[k] = float32(l / 127)
	}
	for i, v := range w {
		q[i] = int8(max(-127, min(127, math.Round(float64(v)/float64(scales[c.of(i, len(w))])))))
	}
	return q, scales
}

// mostBias keeps a quantised bias clear of the ends of the accumulator.
const mostBias = 1 << 30

// leastScales are the weight scales below which a channel's bias does not fit its
// accumulator: those of a channel whose weights died and whose bias did not.
func leastScales(bias []float32, input float32, n int) []float64 {
	least := make([]float64, n)
	for i, b := range bias {
		k := min(i, n-1)
		least[k] = max(least[k], math.Abs(float64(b))/(float64(input)*mostBias))
	}
	return least
}

// quantiseBias gives each bias the scale of its accumulator: that of the input
// times that of its weights.
func quantiseBias(b []float32, input float32, weights []float32) (q []int32, scales []float32) {
	q, scales = make([]int32, len(b)), make([]float32, len(weights))
	for i, s := range weights {
		scales[i] = input * s
	}
	for i, v := range b {
		s := float64(scales[min(i, len(scales)-1)])
		q[i] = int32(max(math.MinInt32, min(math.MaxInt32, math.Round(float64(v)/s))))
	}
	return q, scales
}
