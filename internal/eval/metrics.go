package eval

import (
	"math"

	"edged"
)

// Score gathers, over many images, how a predicted mask agrees with the true one.
type Score struct {
	classes   int
	confusion []uint64 // truth*classes + predicted
	borders   []border
	tolerance int
}

// border counts, for one class, the border pixels of the prediction (found) and
// of the truth (true), and how many of each have one of the other kind nearby.
type border struct{ found, foundOK, true, trueOK uint64 }

// DefaultTolerance is how many pixels a predicted border may lie off the true one
// and still count, Euclidean.
const DefaultTolerance = 2

// NewScore is an empty score for class ids 0..classes-1.
func NewScore(classes, tolerance int) *Score {
	return &Score{
		classes: classes, tolerance: tolerance,
		confusion: make([]uint64, classes*classes), borders: make([]border, classes),
	}
}

// Region is the rectangle of pixels that counts: X0 <= x < X1, Y0 <= y < Y1.
type Region struct{ X0, Y0, X1, Y1 int }

// Empty reports whether no pixel counts.
func (r Region) Empty() bool { return r.X0 >= r.X1 || r.Y0 >= r.Y1 }

// Pixels is how many count.
func (r Region) Pixels() int {
	if r.Empty() {
		return 0
	}
	return (r.X1 - r.X0) * (r.Y1 - r.Y0)
}

// Add compares two masks of one size, pixel by pixel, inside r.
func (s *Score) Add(truth, got *edged.Mask, r Region) {
	for y := r.Y0; y < r.Y1; y++ {
		for x := r.X0; x < r.X1; x++ {
			s.AddPixel(truth.Pix[y*truth.Stride+x], got.Pix[y*got.Stride+x])
		}
	}
	want := borderMap(truth, r)
	have := borderMap(got, r)
	for c := range s.classes {
		b := &s.borders[c]
		n, ok := matched(have, want, uint8(c), r, s.tolerance)
		b.found, b.foundOK = b.found+n, b.foundOK+ok
		n, ok = matched(want, have, uint8(c), r, s.tolerance)
		b.true, b.trueOK = b.true+n, b.trueOK+ok
	}
}

// AddPixel counts one pixel, without looking at borders. An id that is no class
// is a mistake of whoever calls: masks are checked when they are read.
func (s *Score) AddPixel(truth, got uint8) {
	s.confusion[int(truth)*s.classes+int(got)]++
}

// Confusion is how often a pixel of class truth was called got.
func (s *Score) Confusion(truth, got int) uint64 { return s.confusion[truth*s.classes+got] }

// PixelAccuracy is the share of pixels with the right class, NaN without pixels.
func (s *Score) PixelAccuracy() float64 {
	var right, all uint64
	for i, n := range s.confusion {
		all += n
		if i/s.classes == i%s.classes {
			right += n
		}
	}
	return ratio(right, all)
}

// IoU is |truth and got| / |truth or got| of class c, NaN where neither occurs.
func (s *Score) IoU(c int) float64 {
	var truth, got uint64
	for i := range s.classes {
		truth += s.Confusion(c, i)
		got += s.Confusion(i, c)
	}
	both := s.Confusion(c, c)
	return ratio(both, truth+got-both)
}

// MeanIoU is the mean over the classes that occur in truth or prediction.
func (s *Score) MeanIoU() float64 { return s.mean(s.IoU) }

// BoundaryF is the F-score of class c's border: precision is the share of the
// predicted border within the tolerance of the true one, recall the reverse. NaN
// where the class has no border in either.
func (s *Score) BoundaryF(c int) float64 {
	b := s.borders[c]
	if b.found+b.true == 0 {
		return math.NaN()
	}
	if b.foundOK == 0 || b.trueOK == 0 {
		return 0
	}
	p, r := ratio(b.foundOK, b.found), ratio(b.trueOK, b.true)
	return 2 * p * r / (p + r)
}

// MeanBoundaryF is the mean over the classes that have a border.
func (s *Score) MeanBoundaryF() float64 { return s.mean(s.BoundaryF) }

func (s *Score) mean(of func(int) float64) float64 {
	sum, n := 0.0, 0
	for c := range s.classes {
		if v := of(c); !math.IsNaN(v) {
			sum, n = sum+v, n+1
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}

func ratio(a, b uint64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return float64(a) / float64(b)
}

// noBorder marks a pixel of a border map that lies on no border.
const noBorder = 255

// borderMap keeps the class of every pixel that touches, by a side, a pixel of
// another class inside r; the others become noBorder.
func borderMap(m *edged.Mask, r Region) []uint8 {
	w := r.X1 - r.X0
	out := make([]uint8, w*(r.Y1-r.Y0))
	for y := r.Y0; y < r.Y1; y++ {
		for x := r.X0; x < r.X1; x++ {
			i := y*m.Stride + x
			c := m.Pix[i]
			on := x > r.X0 && m.Pix[i-1] != c || x+1 < r.X1 && m.Pix[i+1] != c ||
				y > r.Y0 && m.Pix[i-m.Stride] != c || y+1 < r.Y1 && m.Pix[i+m.Stride] != c
			if !on {
				c = noBorder
			}
			out[(y-r.Y0)*w+x-r.X0] = c
		}
	}
	return out
}

// matched counts the pixels of class c in a, and those of them that have one of
// class c in b within the tolerance.
func matched(a, b []uint8, c uint8, r Region, tolerance int) (n, ok uint64) {
	w, h := r.X1-r.X0, r.Y1-r.Y0
	for i, v := range a {
		if v != c {
			continue
		}
		n++
		if near(b, c, i%w, i/w, w, h, tolerance) {
			ok++
		}
	}
	return n, ok
}

func near(b []uint8, c uint8, x, y, w, h, tolerance int) bool {
	if b[y*w+x] == c {
		return true
	}
	for v := max(0, y-tolerance); v <= min(h-1, y+tolerance); v++ {
		for u := max(0, x-tolerance); u <= min(w-1, x+tolerance); u++ {
			if (v-y)*(v-y)+(u-x)*(u-x) <= tolerance*tolerance && b[v*w+u] == c {
				return true
			}
		}
	}
	return false
}

// Pixels is how many were counted.
func (s *Score) Pixels() (n uint64) {
	for _, v := range s.confusion {
		n += v
	}
	return n
}

// Share is the part of all pixels whose true class is c, NaN without pixels.
func (s *Score) Share(c int) float64 {
	var n uint64
	for i := range s.classes {
		n += s.Confusion(c, i)
	}
	return ratio(n, s.Pixels())
}
