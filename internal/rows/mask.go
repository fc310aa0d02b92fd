package rows

import (
	"fmt"
	"math"

	"edged/model"
)

// mask is an input of a strip's graph at a picture's ends: a bool for each row of a
// map, which tells where rows are to be filled in.
type mask struct {
	of     *value // whose rows go with it
	before int    // its first is that many rows before of's first new one
	length *value // whose number of rows counts
	holds  func(row, length int) bool
	input  int // of the graph
	rows   int
}

// inside holds for the rows that a map has.
func inside(row, length int) bool { return row >= 0 && row < length }

// mask adds one of rows rows.
func (e *emitter) mask(m mask, rows int) model.Ref {
	x, at := e.input(fmt.Sprintf("mask%d", len(e.out.masks)), model.TypeBool, 1, rows, 1, 1)
	m.input, m.rows = at, rows
	e.out.masks = append(e.out.masks, m)
	return x
}

// choose takes the rows of a where the mask holds, and those of b elsewhere.
func (e *emitter) choose(mask, a, b model.Ref, q *model.Quantization) model.Ref {
	return e.quantised(e.b.Op(model.OpSelectV2, &model.SelectV2Options{}, mask, a, b), q)
}

// mask tells a plan which rows are the picture's.
func (s *Stream) mask(p *plan) {
	for _, m := range p.strip.masks {
		first, length := m.of.rows(s.ran)-m.of.delay-m.before, math.MaxInt
		if s.ended {
			length = s.lengths[m.length]
		}
		b := p.engine.Input(m.input)
		for u := range b {
			b[u] = 0
			if m.holds(first+u, length) {
				b[u] = 1
			}
		}
	}
}
