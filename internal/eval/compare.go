package eval

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"edged"
	"edged/internal/pipeline"
	"edged/model"
	"edged/rewrite"
)

// Config says how nets are compared.
type Config struct {
	Open      edged.Opener
	Options   edged.Options
	Tolerance int // pixels that a border may be off
	Patches   int // per frame, for the patch-by-patch way; 0: every one
	// Progress is told before the first frame and after every one, nil: nobody
	// wants to know.
	Progress func(model string, done, total int)
}

// Default is the configuration of the command without flags.
func Default() Config { return Config{Tolerance: DefaultTolerance, Patches: 2000} }

// Validate names the first field that makes no sense.
func (c Config) Validate() error {
	switch {
	case c.Open == nil:
		return errors.New("eval: no engine to run the nets on")
	case c.Tolerance < 0 || c.Tolerance > 64:
		return fmt.Errorf("eval: tolerance %d: must be 0..64 pixels", c.Tolerance)
	case c.Patches < 0:
		return fmt.Errorf("eval: patches %d: must be 0 (all) or more", c.Patches)
	}
	return nil
}

// Net is a baseline to evaluate: a patch classifier with a manifest.
type Net struct {
	Name   string
	TFLite []byte
}

// comparison is one net under evaluation.
type comparison struct {
	cfg     Config
	net     Net
	base    *model.Model
	known   *model.Manifest
	strides []int  // the output strides that are possible, the largest first
	size    [2]int // of the frames that the graphs below are made for, y, x

	prepare *pipeline.Preparer
	input   []byte
	slide   *slider
	graphs  []*graph // baseline, naive, then one per stride
	region  Region
	report  ModelReport
	scores  []*Score  // as report.Ways
	twin    *Score    // the equivalent net on the pixels that single patches answered for
	same    [2]uint64 // pixels where both agree, pixels
	scored  [2]int64  // pixels in the region, pixels of the frames
}

// Compare applies net to every sample in every way.
func Compare(ctx context.Context, cfg Config, net Net, samples Samples) (*ModelReport, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c, err := newComparison(cfg, net)
	if err != nil {
		return nil, fmt.Errorf("eval: %s: %w", net.Name, err)
	}
	defer c.close()
	tell := cfg.Progress
	if tell == nil {
		tell = func(string, int, int) {}
	}
	tell(net.Name, 0, samples.Len())
	var s Sample
	for i := range samples.Len() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := samples.At(i, &s); err != nil {
			return nil, err
		}
		if err := c.add(&s); err != nil {
			return nil, fmt.Errorf("eval: %s on %s: %w", net.Name, s.Name, err)
		}
		tell(net.Name, i+1, samples.Len())
	}
	return c.finish(), nil
}

func newComparison(cfg Config, net Net) (*comparison, error) {
	m, err := model.Read(net.TFLite)
	if err != nil {
		return nil, err
	}
	known, err := m.Manifest()
	if err != nil {
		return nil, err
	}
	if known == nil || known.Input.ChannelOrder == "" || len(known.Input.Mean) == 0 || len(known.Labels) == 0 {
		return nil, errors.New("the net does not say its labels and how pictures become its input: write them with edged manifest NET --set FILE")
	}
	if known.BaselineSHA256 != "" {
		return nil, errors.New("this net was rewritten already: give the baseline, eval rewrites it itself")
	}
	c := &comparison{cfg: cfg, net: net, base: m, known: known}
	a := rewrite.Analyse(m)
	if c.strides, err = stridesOf(a); err != nil {
		return nil, err
	}
	if err := checkHead(m, len(known.Labels)); err != nil {
		return nil, err
	}
	in := m.Subgraphs[0].Tensors[m.Subgraphs[0].Inputs[0]].Shape
	c.report = ModelReport{
		Model: net.Name, Labels: known.Labels, Patch: [2]int{int(in[1]), int(in[2])},
		Stride: [2]int{c.strides[0], c.strides[0]},
	}
	return c, nil
}

// stridesOf lists the output strides that a net has on its way to its output.
func stridesOf(a *rewrite.Analysis) ([]int, error) {
	if len(a.Outputs) != 1 || a.Outputs[0] == nil {
		return nil, errors.New("the net must have one output that is a grid of scores")
	}
	total := a.Outputs[0].EST
	if total[0] != total[1] {
		return nil, fmt.Errorf("its stride differs per axis, %v: eval compares square grids only", total)
	}
	seen := map[int]bool{1: true, total[0]: true}
	for _, p := range a.Places {
		if p != nil && p.EST[0] == p.EST[1] && p.EST[0] > 0 && total[0]%p.EST[0] == 0 {
			seen[p.EST[0]] = true
		}
	}
	var out []int
	for q := range seen {
		out = append(out, q)
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out, nil
}

func (c *comparison) close() {
	for _, g := range c.graphs {
		g.engine.Close()
	}
	if c.slide != nil {
		c.slide.engine.Close()
	}
	c.graphs, c.slide = nil, nil
}
