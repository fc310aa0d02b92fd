package zones

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"edged"
)

// inside is the even-odd rule in rational numbers, apart from the code under test: it
// counts the edges right of the point.
func inside(polygon [][2]float64, x, y float64) bool {
	n := func(v float64) *big.Rat { return new(big.Rat).SetFloat64(v) }
	in := false
	for i, a := range polygon {
		b := polygon[(i+1)%len(polygon)]
		if (a[1] <= y) == (b[1] <= y) {
			continue
		}
		// x of the edge at y: a.x + (y - a.y) * (b.x - a.x) / (b.y - a.y)
		at := new(big.Rat).Sub(n(y), n(a[1]))
		at.Mul(at, new(big.Rat).Sub(n(b[0]), n(a[0])))
		at.Quo(at, new(big.Rat).Sub(n(b[1]), n(a[1])))
		if at.Add(at, n(a[0])).Cmp(n(x)) > 0 {
			in = !in
		}
	}
	return in
}

// corner draws coordinates that like to meet centres and each other.
func corner(t *rapid.T, name string) float64 {
	if rapid.Bool().Draw(t, name+" on the grid") {
		return float64(rapid.IntRange(-6, 40).Draw(t, name)) / 2
	}
	return rapid.Float64Range(-5, 25).Draw(t, name)
}

// A position is in the shape where its centre is in the polygon, exactly.
func TestShapesAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var z Zone
		for i := range rapid.IntRange(3, 8).Draw(t, "corners") {
			z.Polygon = append(z.Polygon, [2]float64{corner(t, fmt.Sprint("x", i)), corner(t, fmt.Sprint("y", i))})
		}
		g := edged.Grid{Stride: [2]float64{1, 1}}
		for i := range 2 {
			g.Stride[i] = rapid.SampledFrom([]float64{1, 0.5, 2, 1. / 3, 1.7}).Draw(t, "stride")
			g.Origin[i] = rapid.SampledFrom([]float64{0, 0.5, -1, 3.25, 0.1}).Draw(t, "origin")
		}
		const h, w = 14, 12
		s := z.On(&g, h, w)
		n := 0
		for r := range h {
			row := [w]bool{}
			for i, p := range s.Row(r) {
				if p.From >= p.To || p.From < 0 || p.To > w || i > 0 && p.From <= s.Row(r)[i-1].To {
					t.Fatalf("row %d: spans %v", r, s.Row(r))
				}
				for c := p.From; c < p.To; c++ {
					row[c] = true
				}
			}
			for c := range w {
				x, y := g.Origin[1]+float64(c)*g.Stride[1], g.Origin[0]+float64(r)*g.Stride[0]
				if want := inside(z.Polygon, x, y); row[c] != want || z.holds(x, y) != want {
					t.Fatalf("row %d, column %d, at %v, %v: %v and %v, want %v", r, c, x, y, row[c], z.holds(x, y), want)
				}
				if row[c] {
					n++
				}
			}
		}
		if n != s.Positions {
			t.Fatalf("%d positions, said %d", n, s.Positions)
		}
	})
}

// Neighbours that share an edge share no position, and leave none out.
func TestNeighboursShareNothing(t *testing.T) {
	left := Zone{"left", [][2]float64{{-1, -1}, {7, -1}, {3, 11}, {-1, 11}}}
	right := Zone{"right", [][2]float64{{7, -1}, {12, -1}, {12, 11}, {3, 11}}}
	g := edged.Grid{Stride: [2]float64{1, 1}}
	l, r := left.On(&g, 10, 10), right.On(&g, 10, 10)
	if l.Positions+r.Positions != 100 {
		t.Errorf("%d and %d of 100 positions", l.Positions, r.Positions)
	}
	s, err := New([]Zone{left, right})
	if err != nil {
		t.Fatal(err)
	}
	if s.At(0, 0) != "left" || s.At(9, 9) != "right" || s.At(-5, 0) != "" || s.Index("right") != 1 || s.Index("x") != -1 {
		t.Error("zones are not where they are")
	}
}

func TestNewNamesFaults(t *testing.T) {
	square := [][2]float64{{0, 0}, {1, 0}, {1, 1}}
	long := make([][2]float64, MaxCorners+1)
	for want, list := range map[string][]Zone{
		`zone name "A"`:     {{"A", square}},
		`zone name ""`:      {{"", square}},
		"is there twice":    {{"a", square}, {"a", square}},
		"2 corners":         {{"a", square[:2]}},
		"257 corners":       {{"a", long}},
		"at most 1048576":   {{"a", [][2]float64{{0, 0}, {1, 0}, {math.NaN(), 1}}}},
		"corner [1e+09 0]":  {{"a", [][2]float64{{0, 0}, {1e9, 0}, {1, 1}}}},
		"at most 64 are ta": make([]Zone, MaxZones+1),
	} {
		if _, err := New(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40v: %v, want %q", list, err, want)
		}
	}
	if s, err := New(nil); err != nil || len(s.List()) != 0 {
		t.Error(err)
	}
}

// Whatever is asked for costs what its bounds allow, and never a panic.
func FuzzZones(f *testing.F) {
	f.Add(`[{"name": "a", "polygon": [[0, 0], [10, 0], [10, 1e-300]]}]`, 1.0, 0.0)
	f.Add(`[{"name": "a", "polygon": [[0, 0], [0, 0], [0, 0]]}]`, 1e-9, 1e9)
	f.Fuzz(func(t *testing.T, text string, stride, origin float64) {
		var list []Zone
		if json.Unmarshal([]byte(text), &list) != nil || !(stride > 0) || math.IsInf(stride, 0) || math.IsNaN(origin) || math.IsInf(origin, 0) {
			return
		}
		s, err := New(list)
		if err != nil {
			return
		}
		g := edged.Grid{Stride: [2]float64{stride, stride}, Origin: [2]float64{origin, origin}}
		for i := range s.List() {
			if n := s.List()[i].On(&g, 16, 16).Positions; n < 0 || n > 256 {
				t.Errorf("%d positions of 256", n)
			}
		}
	})
}
