package eval

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"edged"
	"edged/internal/pipeline"
	"edged/model"
	"edged/rewrite"
)

// build makes every graph for frames of size h x w; the patch-by-patch way and
// the scores stay what they are when only the size changes.
func (c *comparison) build(size [2]int) error {
	old := c.graphs
	oldSlide := c.slide
	c.close()
	if err := c.checkSize(size); err != nil {
		return err
	}
	c.size = size
	if err := c.openGraphs(); err != nil {
		return err
	}
	c.carryTimes(old, oldSlide)
	return c.setUp()
}

// openGraphs makes the baseline slid over the frame, the naive net, and the
// equivalent one at every stride.
func (c *comparison) openGraphs() error {
	naive, err := Naive(c.base)
	if err != nil {
		return err
	}
	if err := c.openDense(c.base, c.strides[0]); err != nil {
		return err
	}
	if err := c.openDense(naive, 1); err != nil {
		return err
	}
	for _, q := range c.strides {
		if err := c.openDense(c.base, q); err != nil {
			return err
		}
	}
	return c.openSlider()
}

func (c *comparison) checkSize(size [2]int) error {
	if size[0] < c.report.Patch[0] || size[1] < c.report.Patch[1] {
		return fmt.Errorf("the picture is %dx%d pixels, the net looks at %dx%d", size[1], size[0], c.report.Patch[1], c.report.Patch[0])
	}
	return nil
}

// openDense adds the dense net of patch classifier m at output stride q.
func (c *comparison) openDense(m *model.Model, q int) error {
	r, err := c.rewrite(m, q)
	if err != nil {
		return err
	}
	if len(r.Outputs) != 1 {
		return fmt.Errorf("the net has %d outputs: want one, the scores", len(r.Outputs))
	}
	g, err := openGraph(c.cfg, r.Model, gridOf(r.Outputs[0]), c.known.Output.Threshold)
	if err == nil {
		c.graphs = append(c.graphs, g)
	}
	return err
}

// rewrite makes the equivalent net at output stride q, under the patch contract
// where the net can keep it, else under the frame contract.
func (c *comparison) rewrite(m *model.Model, q int) (*rewrite.Result, error) {
	o := rewrite.Options{Input: c.size, OutputStride: [2]int{q, q}, Contract: rewrite.Contract(c.report.Contract), Facts: c.known}
	sum := sha256.Sum256(c.net.TFLite)
	r, err := rewrite.Rewrite(m, hex.EncodeToString(sum[:]), o)
	var refusal *rewrite.Refusal
	patches := err == nil && r.Form == rewrite.Windows // that is the way patch by patch, which is compared already
	if (patches || errors.As(err, &refusal)) && o.Contract == rewrite.DefaultContract {
		c.report.Contract = string(rewrite.Frame)
		return c.rewrite(m, q)
	}
	if err == nil {
		c.report.Contract = string(r.Contract)
	}
	return r, err
}

// carryTimes keeps what was measured at an earlier size.
func (c *comparison) carryTimes(graphs []*graph, slide *slider) {
	for i, g := range graphs {
		c.graphs[i].times = g.times
	}
	if slide != nil {
		c.slide.times = slide.times
	}
}

// setUp finds the pixels that every way answers for and, the first time, starts
// the scores.
func (c *comparison) setUp() error {
	c.region = Region{0, 0, c.size[1], c.size[0]}
	for _, g := range c.graphs {
		c.region = c.region.intersect(g.span())
	}
	if c.region.Empty() {
		return fmt.Errorf("no pixel of a %dx%d picture has an answer in every way", c.size[1], c.size[0])
	}
	order := map[string]edged.PixelFormat{"RGB": edged.RGB, "BGR": edged.BGR, "GRAY": edged.Gray}[c.known.Input.ChannelOrder]
	c.input = make([]byte, c.graphs[graphBase].engine.Inputs()[0].Bytes())
	var err error
	c.prepare, err = pipeline.NewPreparer(pipeline.PrepareConfig{
		Order: order, Mean: c.known.Input.Mean, Scale: c.known.Input.Scale,
	}, c.graphs[0].engine.Inputs()[0])
	if err != nil {
		return err
	}
	if c.scores == nil {
		c.listWays()
	}
	return nil
}

// listWays names the rows of the table: baseline twice, naive, patch by patch,
// and the equivalent net at every stride.
func (c *comparison) listWays() {
	e := c.strides[0]
	c.report.Ways = []WayScore{
		{Way: "baseline", OutputStride: e, Upsample: Nearest.String()},
		{Way: "baseline", OutputStride: e, Upsample: Bilinear.String()},
		{Way: "naive", OutputStride: 1},
		{Way: "patches", OutputStride: 1},
	}
	for _, q := range c.strides {
		w := WayScore{Way: "equivalent", OutputStride: q}
		if q > 1 {
			w.Upsample = Nearest.String()
		}
		c.report.Ways = append(c.report.Ways, w)
	}
	c.twin = NewScore(len(c.known.Labels), c.cfg.Tolerance)
	for range c.report.Ways {
		c.scores = append(c.scores, NewScore(len(c.known.Labels), c.cfg.Tolerance))
	}
}
