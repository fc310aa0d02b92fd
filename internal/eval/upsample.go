package eval

import (
	"fmt"
	"math"

	"edged"
)

// Upsampling tells how the pixels between a net's outputs get their class.
type Upsampling uint8

// The two ways that the paper compares against.
const (
	Nearest  Upsampling = iota // the class of the nearest output
	Bilinear                   // the scores are interpolated, then the best one wins
)

func (u Upsampling) String() string {
	if u == Bilinear {
		return "bilinear"
	}
	return "nearest"
}

// scores is a net's output on one frame: C scores at each of H x W places.
type scores struct {
	data    []float32
	h, w, c int
	grid    edged.Grid
	// threshold splits a single score into class 0 and 1.
	threshold float32
}

// span is the pixels that lie between the first and the last output.
func span(grid edged.Grid, h, w int) Region {
	var r Region
	r.Y0, r.Y1 = spanOf(grid.Origin[0], grid.Stride[0], h)
	r.X0, r.X1 = spanOf(grid.Origin[1], grid.Stride[1], w)
	return r
}

func spanOf(origin, stride float64, n int) (from, to int) {
	return int(math.Ceil(origin)), int(math.Floor(origin+stride*float64(n-1))) + 1
}

// intersect is what lies in both.
func (r Region) intersect(o Region) Region {
	return Region{max(r.X0, o.X0), max(r.Y0, o.Y0), min(r.X1, o.X1), min(r.Y1, o.Y1)}
}

// decode fills s from an output tensor of shape [1, h, w, c].
func (s *scores) decode(spec edged.Spec, raw []byte) error {
	if len(spec.Shape) != 4 || spec.Shape[0] != 1 {
		return fmt.Errorf("eval: output %v: want scores of shape [1, rows, columns, classes]", spec)
	}
	s.h, s.w, s.c = spec.Shape[1], spec.Shape[2], spec.Shape[3]
	if cap(s.data) < spec.Elems() {
		s.data = make([]float32, spec.Elems())
	}
	s.data = s.data[:spec.Elems()]
	return dequantise(s.data, spec, raw)
}

// dequantise turns the elements of a tensor into numbers.
func dequantise(dst []float32, spec edged.Spec, raw []byte) error {
	scale, zero := spec.Quant.Scale, spec.Quant.ZeroPoint
	if scale == 0 {
		scale = 1
	}
	switch spec.Type {
	case edged.Float32:
		copy(dst, edged.View[float32](raw))
	case edged.Int8:
		for i, v := range edged.View[int8](raw) {
			dst[i] = scale * float32(int32(v)-zero)
		}
	case edged.Uint8:
		for i, v := range raw {
			dst[i] = scale * float32(int32(v)-zero)
		}
	default:
		return fmt.Errorf("eval: output %v: float32, int8 and uint8 scores are understood", spec)
	}
	return nil
}

// best is the class of one place: the first of the highest scores, or for a
// single score whether it exceeds the threshold.
func best(score []float32, threshold float32) uint8 {
	if len(score) == 1 {
		if score[0] > threshold {
			return 1
		}
		return 0
	}
	at := 0
	for i, v := range score {
		if v > score[at] {
			at = i
		}
	}
	return uint8(at)
}

// mask writes the class of every pixel of r into m, which has the frame's size.
func (s *scores) mask(m *edged.Mask, r Region, how Upsampling) {
	if how == Bilinear {
		s.bilinear(m, r)
		return
	}
	classes := make([]uint8, s.h*s.w)
	for i := range classes {
		classes[i] = best(s.data[i*s.c:(i+1)*s.c], s.threshold)
	}
	for y := r.Y0; y < r.Y1; y++ {
		row := classes[nearest(y, s.grid.Origin[0], s.grid.Stride[0], s.h)*s.w:]
		for x := r.X0; x < r.X1; x++ {
			m.Pix[y*m.Stride+x] = row[nearest(x, s.grid.Origin[1], s.grid.Stride[1], s.w)]
		}
	}
}

// nearest is the output closest to pixel p; halfway the later one.
func nearest(p int, origin, stride float64, n int) int {
	return max(0, min(n-1, int(math.Floor((float64(p)-origin)/stride+0.5))))
}

// between is the output before pixel p and how far p lies towards the next.
func between(p int, origin, stride float64, n int) (int, float32) {
	at := (float64(p) - origin) / stride
	i := max(0, min(n-2, int(math.Floor(at))))
	return i, float32(max(0, min(1, at-float64(i))))
}

func (s *scores) bilinear(m *edged.Mask, r Region) {
	mixed := make([]float32, s.c)
	right, below := s.c, s.w*s.c
	if s.w == 1 {
		right = 0
	}
	if s.h == 1 {
		below = 0
	}
	for y := r.Y0; y < r.Y1; y++ {
		i, ay := between(y, s.grid.Origin[0], s.grid.Stride[0], max(2, s.h))
		for x := r.X0; x < r.X1; x++ {
			j, ax := between(x, s.grid.Origin[1], s.grid.Stride[1], max(2, s.w))
			at := (i*s.w + j) * s.c
			for c := range mixed {
				k := at + c
				top := s.data[k] + (s.data[k+right]-s.data[k])*ax
				bottom := s.data[k+below] + (s.data[k+below+right]-s.data[k+below])*ax
				mixed[c] = top + (bottom-top)*ay
			}
			m.Pix[y*m.Stride+x] = best(mixed, s.threshold)
		}
	}
}
