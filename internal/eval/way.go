package eval

import (
	"math"
	"time"

	"edged"
	"edged/model"
	"edged/rewrite"
)

// graph is one .tflite that takes a whole frame: the baseline slid over it, the
// naive net, or the equivalent one at some output stride.
type graph struct {
	engine edged.Engine
	out    scores
	times  []time.Duration
	macs   int64
	memory int64
}

// openGraph loads m, whose outputs look at the pixels of grid.
func openGraph(cfg Config, m *model.Model, grid edged.Grid, threshold float64) (*graph, error) {
	tfl, err := m.Write()
	if err != nil {
		return nil, err
	}
	e, err := cfg.Open(tfl, cfg.Options)
	if err != nil {
		return nil, err
	}
	return &graph{
		engine: e, macs: rewrite.Analyse(m).MACs, memory: memoryOf(m),
		out: scores{grid: grid, threshold: float32(threshold)},
	}, nil
}

func gridOf(o rewrite.OutputGrid) edged.Grid {
	return edged.Grid{Stride: [2]float64{float64(o.Stride[0]), float64(o.Stride[1])}, Origin: o.Centre}
}

// run computes the scores of the prepared input.
func (g *graph) run(input []byte) error {
	copy(g.engine.Input(0), input)
	start := time.Now()
	if err := g.engine.Run(); err != nil {
		return err
	}
	g.times = append(g.times, time.Since(start))
	return g.out.decode(g.engine.Outputs()[0], g.engine.Output(0))
}

// span is the frame's pixels between the first and the last output.
func (g *graph) span() Region {
	s := g.engine.Outputs()[0].Shape
	return span(g.out.grid, s[1], s[2])
}

// slider classifies single patches, as the baseline was made to be used.
type slider struct {
	engine edged.Engine
	patch  [2]int
	grid   edged.Grid // where the patches' centres lie, at stride 1
	frame  [2]int
	step   int // pixels between the patches that are looked at
	times  []time.Duration
	macs   int64
	memory int64
	score  []float32
}

// openSlider loads the baseline. It looks at every step-th patch along each axis
// so that a frame costs about cfg.Patches of them.
func (c *comparison) openSlider() error {
	e, err := c.cfg.Open(c.net.TFLite, c.cfg.Options)
	if err != nil {
		return err
	}
	s := &slider{
		engine: e, patch: c.report.Patch, frame: c.size, grid: c.graphs[len(c.graphs)-1].out.grid,
		macs: rewrite.Analyse(c.base).MACs, memory: memoryOf(c.base),
		score: make([]float32, e.Outputs()[0].Elems()),
	}
	for s.step = 1; c.cfg.Patches > 0 && s.patches() > c.cfg.Patches; s.step++ {
	}
	c.slide = s
	return nil
}

// places is how many patches lie in the frame along axis i, at stride 1.
func (s *slider) places(i int) int { return s.frame[i] - s.patch[i] + 1 }

// patches is how many of them are looked at.
func (s *slider) patches() int {
	n := 1
	for i := range 2 {
		n *= (s.places(i) + s.step - 1) / s.step
	}
	return n
}

// run classifies patch after patch of a prepared frame and calls yield with the
// pixel that each one's centre is.
func (s *slider) run(input []byte, threshold float32, yield func(y, x int, class uint8)) error {
	spec := s.engine.Inputs()[0]
	pixel := spec.Bytes() / (s.patch[0] * s.patch[1])
	width, row := s.frame[1]*pixel, s.patch[1]*pixel
	// The pixel whose nearest output the patch is: halfway between two outputs it
	// belongs to the later one.
	oy, ox := int(math.Ceil(s.grid.Origin[0]-0.5)), int(math.Ceil(s.grid.Origin[1]-0.5))
	for y := 0; y < s.places(0); y += s.step {
		for x := 0; x < s.places(1); x += s.step {
			in := s.engine.Input(0)
			for r := range s.patch[0] {
				copy(in[r*row:(r+1)*row], input[(y+r)*width+x*pixel:])
			}
			start := time.Now()
			if err := s.engine.Run(); err != nil {
				return err
			}
			s.times = append(s.times, time.Since(start))
			if err := dequantise(s.score, s.engine.Outputs()[0], s.engine.Output(0)); err != nil {
				return err
			}
			yield(y+oy, x+ox, best(s.score, threshold))
		}
	}
	return nil
}
