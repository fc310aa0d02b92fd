package main

import (
	"fmt"

	"edged/internal/tiles"
	"edged/model"
)

// tilesInfo is what fit = "tile" makes of a model.
type tilesInfo struct {
	Size [2]int  `json:"size"` // pixels of a tile, y, x
	Step [2]int  `json:"step"` // pixels from an inner tile to the next
	Work float64 `json:"work"` // pixels that are computed for each of a large frame's
	Why  string  `json:"why,omitempty"`
}

// tilesOf tells how a dense model lies on frames larger than itself; nil: it is
// none that edged rewrote.
func tilesOf(m *model.Model) *tilesInfo {
	f, err := m.Manifest()
	if err != nil || f == nil || f.Form == "" || len(m.Subgraphs[0].Inputs) != 1 {
		return nil
	}
	g := m.Subgraphs[0]
	var out []int
	for _, t := range g.Outputs {
		if f.Output.Tensor == "" || g.Tensors[t].Name == f.Output.Tensor {
			out = out[:0]
			for _, d := range g.Tensors[t].Shape {
				out = append(out, int(d))
			}
		}
	}
	n, err := tiles.NetOf(m, out)
	if err != nil {
		return &tilesInfo{Why: err.Error()}
	}
	i := &tilesInfo{Work: 1}
	for axis, a := range n {
		i.Size[axis], i.Step[axis] = a.Input, a.Step()
		if i.Step[axis] == 0 {
			return &tilesInfo{Why: tiles.ErrNothingLeft.Error()}
		}
		i.Work *= float64(a.Input) / float64(i.Step[axis])
	}
	return i
}

// text is a line for people.
func (i *tilesInfo) text() string {
	switch {
	case i == nil:
		return ""
	case i.Why != "":
		return fmt.Sprintf("\nno tiles (fit = \"tile\"): %s\n", i.Why)
	}
	return fmt.Sprintf("\ntiles (fit = \"tile\"): %dx%d pixels, every %dx%d: %.2f times the pixels of a large frame are computed; a larger --input overlaps less\n",
		i.Size[0], i.Size[1], i.Step[0], i.Step[1], i.Work)
}
