package zones

import (
	"math"
	"math/big"
	"slices"

	"edged"
)

// Span is a stretch of a mask's row: columns From to To-1.
type Span struct{ From, To int32 }

// Shape is the positions of a mask that lie in a zone, row by row.
type Shape struct {
	rows      []int32 // where each row's spans begin in spans; one more than rows
	spans     []Span
	Positions int
}

// Row is the spans of a row, from left to right, with a gap between two.
func (s *Shape) Row(y int) []Span { return s.spans[s.rows[y]:s.rows[y+1]] }

// On lays the zone on a mask of h rows and w columns placed by g.
func (z *Zone) On(g *edged.Grid, h, w int) *Shape {
	s := &Shape{rows: make([]int32, 1, h+1)}
	var cuts []int32
	for r := range h {
		cuts = z.cuts(cuts[:0], g, r, w)
		first := len(s.spans)
		for i := 0; i+1 < len(cuts); i += 2 {
			s.add(first, cuts[i], cuts[i+1])
		}
		s.rows = append(s.rows, int32(len(s.spans)))
	}
	return s
}

// add appends columns from..to-1 to the row whose spans begin at first.
func (s *Shape) add(first int, from, to int32) {
	if from == to {
		return
	}
	s.Positions += int(to - from)
	if n := len(s.spans); n > first && s.spans[n-1].To == from {
		s.spans[n-1].To = to
		return
	}
	s.spans = append(s.spans, Span{from, to})
}

// cuts are the columns at which row r goes into the polygon and out of it again,
// sorted: an edge cuts at the first column whose centre is not left of it.
func (z *Zone) cuts(dst []int32, g *edged.Grid, r, w int) []int32 {
	y := g.Origin[0] + float64(r)*g.Stride[0]
	for i, a := range z.Polygon {
		b := z.Polygon[(i+1)%len(z.Polygon)]
		if (a[1] <= y) == (b[1] <= y) {
			continue
		}
		dst = append(dst, firstRight(a, b, y, g, w))
	}
	slices.Sort(dst)
	return dst
}

// firstRight is the first column of w whose centre is not left of the edge from a
// to b, which crosses the height y. A quotient guesses it, exact signs settle it.
func firstRight(a, b [2]float64, y float64, g *edged.Grid, w int) int32 {
	center := func(c int) float64 { return g.Origin[1] + float64(c)*g.Stride[1] }
	at := a[0] + (y-a[1])*(b[0]-a[0])/(b[1]-a[1])
	c := int(math.Ceil(min(max((at-g.Origin[1])/g.Stride[1], 0), float64(w))))
	for c > 0 && !isLeft(a, b, center(c-1), y) {
		c--
	}
	for c < w && isLeft(a, b, center(c), y) {
		c++
	}
	return int32(c)
}

// holds tells whether a point lies in the polygon: on an edge it does where the
// inside is to its right, or below it, so that of two neighbours one has it.
func (z *Zone) holds(x, y float64) bool {
	in := false
	for i, a := range z.Polygon {
		b := z.Polygon[(i+1)%len(z.Polygon)]
		if (a[1] <= y) != (b[1] <= y) && isLeft(a, b, x, y) {
			in = !in
		}
	}
	return in
}

// isLeft tells whether the point (x, y) lies left of the edge from a to b, which
// crosses the height y. It is exact for any numbers.
func isLeft(a, b [2]float64, x, y float64) bool {
	if a[1] > b[1] {
		a, b = b, a
	}
	// Left of it (a is above b): the turn from a to b to the point is this way.
	l, r := (x-a[0])*(b[1]-a[1]), (y-a[1])*(b[0]-a[0])
	if d, rounding := l-r, (math.Abs(l)+math.Abs(r))*8*0x1p-53+0x1p-1000; d < -rounding || d > rounding {
		return d < 0
	}
	n := func(v float64) *big.Rat { return new(big.Rat).SetFloat64(v) }
	sub := func(v, w float64) *big.Rat { return new(big.Rat).Sub(n(v), n(w)) }
	left, right := new(big.Rat).Mul(sub(x, a[0]), sub(b[1], a[1])), new(big.Rat).Mul(sub(y, a[1]), sub(b[0], a[0]))
	return left.Cmp(right) < 0
}
