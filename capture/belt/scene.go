package belt

import (
	"math"

	"edged"
)

// A camera's optics spread a point over its neighbours, and the belt moves on
// while the shutter is open: reach is how many columns to each side of a column
// that takes in.
const (
	reach    = 2
	rawDepth = 2*reach + 1
)

// Scene renders one belt. It is not safe for concurrent use; after NewScene a
// frame allocates nothing.
//
// What lies on the belt is rendered once, column by column as it comes into
// view, into a ring (base); a frame then only applies what changes with time:
// lamp, highlight and grain, in integers.
type Scene struct {
	cfg    Config
	tex    textures
	lanes  []lane
	ringW  int
	base   []uint32 // H x ringW, blue | green<<8 | red<<16 | shine<<24; belt column u at u mod ringW
	class  []uint8  // H x ringW
	have   [2]int64 // belt columns [from, to) that the ring holds
	raw    [rawDepth][]texel
	blur   [rawDepth]float32
	grain  []int8
	lampXs []uint32 // light falling off to the sides, 1<<15 is full
	lampYs []uint32
	light  []uint32 // lampXs of this frame
	band   [bandLen]uint32
	tone   [toneLen]uint8
}

type lane struct {
	from, to int // rows
	centre   float64
	index    int64
	cell     int64
	valid    bool
	part     part
}

// NewScene prepares the belt of c, which must be valid.
func NewScene(c Config) (*Scene, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	r := newRNG(c.Seed, 1)
	s := &Scene{cfg: c, ringW: c.W + 2*reach}
	s.tex = textures{cloud: newCloud(&r), brush: newBrush(&r)}
	s.grain = newGrain(&r, c.Grain, c.W)
	s.base = make([]uint32, s.ringW*c.H)
	s.class = make([]uint8, s.ringW*c.H)
	for i := range s.raw {
		s.raw[i] = make([]texel, c.H)
	}
	s.setBlur()
	s.setLanes()
	s.setLamp()
	return s, nil
}

// setBlur is the lens, 1 2 1, over the distance moved while the shutter is
// open: a quarter of the frame time.
func (s *Scene) setBlur() {
	w := [rawDepth]float64{0, 0.18, 0.64, 0.18, 0}
	moved := min(2, float64(s.cfg.Speed)*0.25)
	if s.cfg.Line {
		moved = 0.25 // of a row
	}
	var out [rawDepth]float64
	for i, v := range w {
		for _, shift := range []float64{-0.5, 0, 0.5} {
			at := float64(i) + shift*moved
			lo := math.Floor(at)
			for j, share := range []float64{1 - (at - lo), at - lo} {
				k := max(0, min(rawDepth-1, int(lo)+j))
				out[k] += v * share / 3
			}
		}
	}
	for i := range out {
		s.blur[i] = float32(out[i])
	}
}

func (s *Scene) setLanes() {
	n := (s.cfg.H + laneHeight - 1) / laneHeight
	top := (s.cfg.H - n*laneHeight) / 2
	for i := range n {
		y := top + i*laneHeight
		s.lanes = append(s.lanes, lane{
			from: max(0, y), to: min(s.cfg.H, y+laneHeight),
			centre: float64(y) + laneHeight/2, index: int64(i),
		})
	}
}

// Offset is the belt column at the left of frame k, counted from 0.
func (s *Scene) Offset(k uint64) int64 { return int64(k) * int64(s.cfg.Speed) }

// Render draws frame k (from 0) into dst and its classes into truth; either may
// be nil. The memory of dst.Pix and truth.Pix is reused where it is large
// enough. Only Pix, Stride, W, H, Format and truth's Grid are set.
func (s *Scene) Render(k uint64, dst *edged.Frame, truth *edged.Mask) {
	off := s.Offset(k)
	s.fill(off, off+int64(s.cfg.W))
	if dst != nil {
		s.compose(k, dst)
	}
	if truth != nil {
		s.Truth(k, truth)
	}
}

// Truth writes the classes of frame k. They are exact: the class of a pixel is
// that of the point at its centre, at the middle of the exposure.
func (s *Scene) Truth(k uint64, m *edged.Mask) {
	off := s.Offset(k)
	s.fill(off, off+int64(s.cfg.W))
	w, h := s.cfg.W, s.cfg.H
	if cap(m.Pix) < w*h {
		m.Pix = make([]uint8, w*h)
	}
	*m = edged.Mask{Pix: m.Pix[:w*h], Stride: w, W: w, H: h, Grid: edged.Grid{Stride: [2]float64{1, 1}}}
	start := int(off % int64(s.ringW))
	for y := range h {
		row := s.class[y*s.ringW : (y+1)*s.ringW]
		n := copy(m.Pix[y*w:(y+1)*w], row[start:])
		copy(m.Pix[y*w+n:(y+1)*w], row)
	}
}

// fill makes the ring hold the belt columns [from, to).
func (s *Scene) fill(from, to int64) {
	if from < s.have[0] || from > s.have[1] || s.have[0] == s.have[1] {
		s.have = [2]int64{from, from}
		for u := from - reach; u < from+reach; u++ {
			s.rawColumn(u)
		}
	}
	for u := s.have[1]; u < to; u++ {
		s.rawColumn(u + reach)
		s.bake(u)
	}
	s.have[1] = max(s.have[1], to)
	s.have[0] = max(s.have[0], s.have[1]-int64(s.cfg.W))
}

// slot is where column u lives in something that holds the last n columns.
func slot(u int64, n int) int { return int(((u % int64(n)) + int64(n)) % int64(n)) }

// rawColumn renders belt column u as a perfect lens would show it.
func (s *Scene) rawColumn(u int64) {
	column := s.raw[slot(u, rawDepth)]
	at := slot(u, s.ringW)
	for i := range s.lanes {
		l := &s.lanes[i]
		p := s.partAt(l, u)
		for y := l.from; y < l.to; y++ {
			t, class := shade(&s.tex, p, float64(u), float64(y))
			column[y] = t
			s.class[y*s.ringW+at] = class
		}
	}
}

// partAt is the part of lane l at column u. Lanes are shifted against each
// other, so that the parts do not march in step.
func (s *Scene) partAt(l *lane, u int64) *part {
	shifted := u + l.index*cellWidth*2/5
	cell := shifted / cellWidth
	if shifted < 0 {
		cell--
	}
	if !l.valid || cell != l.cell {
		makePart(&l.part, s.cfg.Seed, l.index, cell, l.centre, s.cfg.Defects)
		l.part.cx -= float64(l.index * cellWidth * 2 / 5)
		l.cell, l.valid = cell, true
	}
	return &l.part
}

// bake blurs raw column u with its neighbours and packs it into the ring.
func (s *Scene) bake(u int64) {
	at := slot(u, s.ringW)
	var cols [rawDepth][]texel
	for i := range cols {
		cols[i] = s.raw[slot(u+int64(i)-reach, rawDepth)]
	}
	h := s.cfg.H
	above := s.across(&cols, 0)
	here := above
	for y := range h {
		below := s.across(&cols, min(y+1, h-1))
		var v uint32
		for c := range here {
			x := 0.18*above[c] + 0.64*here[c] + 0.18*below[c] + 0.5
			v |= uint32(max(0, min(255, x))) << (8 * c)
		}
		s.base[y*s.ringW+at] = v
		above, here = here, below
	}
}

func (s *Scene) across(cols *[rawDepth][]texel, y int) (sum texel) {
	for i, col := range cols {
		w, t := s.blur[i], &col[y]
		for c := range sum {
			sum[c] += w * t[c]
		}
	}
	return sum
}
