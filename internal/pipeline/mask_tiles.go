package pipeline

import (
	"edged"
	"edged/internal/tiles"
)

// stitched is a mask that is laid together of tiles.
type stitched struct {
	h, w   int
	mask   edged.Mask
	upward []uint8 // as the model sees it, where it must be turned
	tile   []uint8
	scores []float32
	turned []float32 // the scores as the model sees them
}

// begin makes room for a map of h by w positions.
func (m *Masker) begin(h, w int) {
	s := &m.whole
	if s.h == h && s.w == w {
		return
	}
	*s = stitched{h: h, w: w, tile: make([]uint8, m.h*m.w), upward: make([]uint8, h*w)}
	if m.cfg.Scores {
		s.turned = make([]float32, h*w)
	}
	s.scores = s.turned
	s.mask = edged.Mask{Pix: s.upward, Stride: w, W: w, H: h}
	if m.cfg.Rotate == 0 {
		return
	}
	if m.cfg.Rotate != 180 {
		h, w = w, h
	}
	s.mask = edged.Mask{Pix: make([]uint8, h*w), Stride: w, W: w, H: h}
	if m.cfg.Scores {
		s.scores = make([]float32, h*w)
	}
}

// add takes from a tile's output the positions that are the whole map's, which
// begins at position from.
func (m *Masker) add(output []byte, y, x tiles.Span, from [2]int) {
	s := &m.whole
	m.classes(s.tile, output)
	n := x.To - x.From
	for r := range y.To - y.From {
		src := (y.First+r)*m.w + x.First
		dst := (y.From+r-from[0])*s.w + x.From - from[1]
		copy(s.upward[dst:][:n], s.tile[src:])
		if s.turned == nil {
			continue
		}
		for i := range n {
			s.turned[dst+i] = m.score(output, src+i, int(s.tile[src+i]))
		}
	}
}

// end is the whole mask, lent until the next frame.
func (m *Masker) end() *edged.Mask {
	s := &m.whole
	if m.cfg.Rotate != 0 {
		turnBack(s.mask.Pix, s.upward, s.h, s.w, m.cfg.Rotate)
		if s.turned != nil {
			turnBack(s.scores, s.turned, s.h, s.w, m.cfg.Rotate)
		}
	}
	return &s.mask
}

// runTiles is run for a frame that is larger than the model: tile by tile. run runs
// the engine; shown sees the input of one tile, another one in each frame, and the
// output of that tile is what stays for who looks at it.
func (s *Stage) runTiles(f *edged.Frame, run func() error, shown func(input []byte)) (Refusal, error) {
	p, cut := s.Prepare, &s.Prepare.cut
	s.Mask.begin(cut.size[0], cut.size[1])
	s.turn++
	watched := s.turn % (len(cut.spans[0]) * len(cut.spans[1]))
	for i, y := range cut.spans[0] {
		for k, x := range cut.spans[1] {
			p.prepareTile(s.input, f, y.At, x.At)
			looked := i*len(cut.spans[1])+k == watched
			if looked && shown != nil {
				shown(s.input)
			}
			if err := run(); err != nil {
				return RefusedEngine, err
			}
			if err := s.checkNumbers(); err != nil {
				return RefusedNumber, err
			}
			out := s.Engine.Output(s.Output)
			s.Mask.add(out, y, x, cut.from)
			if looked && shown != nil {
				s.looked = append(s.looked[:0], out...)
			}
		}
	}
	return 0, nil
}
