package main

import "math"

// affine is TFLite's quantisation of an activation: real = scale*(q - zero), with
// q int8. Source: TensorFlow Lite's 8-bit quantization specification.
type affine struct {
	scale float32
	zero  int32
}

// rangeQuant covers lo..hi with 256 steps so that 0 is represented exactly, as
// padding and ReLU need it.
func rangeQuant(lo, hi float64) affine {
	lo, hi = min(lo, 0), max(hi, 0)
	if lo == hi {
		return affine{scale: 1}
	}
	scale := (hi - lo) / 255
	zero := math.Round(-128 - lo/scale)
	return affine{scale: float32(scale), zero: int32(max(-128, min(127, zero)))}
}

// quantiseWeights is symmetric, -127..127, with a scale of its own for each of n
// equal parts of w: its output channels, or all of it at once.
func quantiseWeights(w []float32, n int) (q []int8, scales []float32) {
	q, scales = make([]int8, len(w)), make([]float32, n)
	part := len(w) / n
	for c := range n {
		largest := 0.0
		for _, v := range w[c*part : (c+1)*part] {
			largest = max(largest, math.Abs(float64(v)))
		}
		if largest == 0 {
			largest = 127 // all zero: any scale will do
		}
		scales[c] = float32(largest / 127)
		for i := c * part; i < (c+1)*part; i++ {
			q[i] = int8(max(-127, min(127, math.Round(float64(w[i])/float64(scales[c])))))
		}
	}
	return q, scales
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
