package eval

import "edged"

// The ways' places in the report, and the graphs that answer for them.
const (
	wayNearest = iota
	wayBilinear
	wayNaive
	wayPatches
	wayDense // the first of several
)

const (
	graphBase = iota
	graphNaive
	graphDense // the first of several
)

// add scores every way on one sample. The graphs take turns frame by frame, so
// that a busy moment of the machine falls on all of them.
func (c *comparison) add(s *Sample) error {
	if size := [2]int{s.Frame.H, s.Frame.W}; size != c.size {
		if err := c.build(size); err != nil {
			return err
		}
	}
	input := c.input // of our own: an engine may use the memory of its input while it runs
	if err := c.prepare.Prepare(input, &s.Frame); err != nil {
		return err
	}
	for _, g := range c.graphs {
		if err := g.run(input); err != nil {
			return err
		}
	}
	got := edged.Mask{Pix: make([]uint8, s.Frame.W*s.Frame.H), Stride: s.Frame.W, W: s.Frame.W, H: s.Frame.H}
	score := func(way, graph int, how Upsampling) {
		c.graphs[graph].out.mask(&got, c.region, how)
		c.scores[way].Add(&s.Truth, &got, c.region)
	}
	score(wayNearest, graphBase, Nearest)
	score(wayBilinear, graphBase, Bilinear)
	score(wayNaive, graphNaive, Nearest)
	for i := range c.strides {
		score(wayDense+i, graphDense+i, Nearest)
	}
	c.scored[0] += int64(c.region.Pixels())
	c.scored[1] += int64(s.Frame.W * s.Frame.H)
	return c.addPatches(input, s, &got) // got: the dense net at stride 1, scored last
}

// addPatches scores the patches that are looked at, and the equivalent net at the
// same pixels, to compare like with like. Borders are scored where every patch of
// the frame was looked at.
func (c *comparison) addPatches(input []byte, s *Sample, dense *edged.Mask) error {
	r, w := c.region, s.Frame.W
	got := edged.Mask{Pix: make([]uint8, w*s.Frame.H), Stride: w, W: w, H: s.Frame.H}
	err := c.slide.run(input, c.graphs[graphBase].out.threshold, func(y, x int, class uint8) {
		if y < r.Y0 || y >= r.Y1 || x < r.X0 || x >= r.X1 {
			return
		}
		got.Pix[y*w+x] = class
		truth, other := s.Truth.Pix[y*s.Truth.Stride+x], dense.Pix[y*w+x]
		c.twin.AddPixel(truth, other)
		c.same[1]++
		if other == class {
			c.same[0]++
		}
		if c.slide.step > 1 {
			c.scores[wayPatches].AddPixel(truth, class)
		}
	})
	if err == nil && c.slide.step == 1 {
		c.scores[wayPatches].Add(&s.Truth, &got, r)
	}
	return err
}

// finish turns what was counted into the report.
func (c *comparison) finish() *ModelReport {
	r := &c.report
	for i := range r.Ways {
		r.Ways[i].fill(c.scores[i], i != wayPatches || c.slide.step == 1)
	}
	for way, graph := range map[int]int{wayNearest: graphBase, wayBilinear: graphBase, wayNaive: graphNaive} {
		r.Ways[way].cost(c.graphs[graph])
	}
	for i := range c.strides {
		r.Ways[wayDense+i].cost(c.graphs[graphDense+i])
	}
	w, n := &r.Ways[wayPatches], c.slide.places(0)*c.slide.places(1)
	w.LatencyMS, w.Extrapolated = median(c.slide.times)*float64(n), true
	w.MACs, w.MemoryBytes = c.slide.macs*int64(n), c.slide.memory
	w.EqualToDense, w.DenseMIoU = number(ratio(c.same[0], c.same[1])), number(c.twin.MeanIoU())
	r.PixelShare = float64(c.scored[0]) / float64(c.scored[1])
	for k := range r.Labels {
		r.ClassShare = append(r.ClassShare, c.scores[0].Share(k))
	}
	return r
}

func (w *WayScore) cost(g *graph) {
	w.LatencyMS, w.MACs, w.MemoryBytes = median(g.times), g.macs, g.memory
}
