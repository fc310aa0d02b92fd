package eval

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"edged"
	"edged/internal/quality"
	"edged/model"
	"edged/rewrite"
)

// Robustness is how accuracy falls as pictures get worse.
type Robustness struct {
	Images    int           `json:"images"`
	Source    string        `json:"source"`
	Tolerance int           `json:"boundary_tolerance_px"`
	Engine    string        `json:"engine"`
	Steps     []PerturbStep `json:"steps"`
	Curves    []Curve       `json:"curves"`
}

// PerturbStep is one perturbation at one step, and what the pictures then measure:
// what limits [camera.quality] should have is read off here.
type PerturbStep struct {
	Perturbation string        `json:"perturbation"`
	Unit         string        `json:"unit"`
	Step         float64       `json:"step"`
	None         bool          `json:"unchanged,omitempty"`
	Quality      edged.Quality `json:"quality"` // mean over the pictures
}

// Curve is one net in one way, at every step of Robustness.Steps.
type Curve struct {
	Model     string     `json:"model"`
	Way       string     `json:"way"` // baseline (at its own stride, nearest), dense (stride 1)
	MIoU      []*float64 `json:"miou"`
	BoundaryF []*float64 `json:"boundary_f"`
}

// subject is one net in one way, while it is measured.
type subject struct {
	dense  bool
	net    *comparison
	scores []*Score // by step
}

// Perturb measures nets on pictures that get worse. A dense net counts as its
// baseline with the weights that it has: both ways are looked at.
func Perturb(ctx context.Context, cfg Config, nets []Net, samples Samples) (*Robustness, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	r := &Robustness{Images: samples.Len(), Tolerance: cfg.Tolerance}
	all := Perturbations()
	for _, p := range all {
		for _, v := range p.Steps {
			r.Steps = append(r.Steps, PerturbStep{Perturbation: p.Name, Unit: p.Unit, Step: v, None: v == p.None})
		}
	}
	for i, n := range nets {
		if err := r.one(ctx, cfg, n, samples, all, i == 0); err != nil {
			return nil, fmt.Errorf("eval: %s: %w", n.Name, err)
		}
	}
	return r, nil
}

// one measures one net; with measure also the pictures.
func (r *Robustness) one(ctx context.Context, cfg Config, n Net, samples Samples, all []Perturbation, measure bool) error {
	n, err := baselineOf(n)
	if err != nil {
		return err
	}
	c, err := newComparison(cfg, n)
	if err != nil {
		return err
	}
	defer c.close()
	c.strides = []int{c.strides[0], 1}
	if c.strides[0] == 1 {
		c.strides = c.strides[1:]
	}
	var ways []subject
	for w, way := range []string{"baseline", "dense"} {
		s := subject{net: c, dense: w == 1}
		r.Curves = append(r.Curves, Curve{Model: n.Name, Way: way})
		for range r.Steps {
			s.scores = append(s.scores, NewScore(len(c.known.Labels), cfg.Tolerance))
		}
		ways = append(ways, s)
	}
	tell := cfg.Progress
	if tell == nil {
		tell = func(string, int, int) {}
	}
	var s Sample
	for i := range samples.Len() {
		step := 0
		for _, p := range all {
			for _, v := range p.Steps {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := samples.At(i, &s); err != nil {
					return err
				}
				if err := p.apply(&s, v); err != nil {
					return err
				}
				if measure {
					r.Steps[step].look(&s.Frame, samples.Len())
				}
				for k := range ways {
					if err := ways[k].add(&s, step); err != nil {
						return fmt.Errorf("%s on %s: %w", p.Name, s.Name, err)
					}
				}
				step++
			}
		}
		tell(n.Name, i+1, samples.Len())
	}
	for k := range ways {
		at := &r.Curves[len(r.Curves)-2+k]
		for _, score := range ways[k].scores {
			at.MIoU, at.BoundaryF = append(at.MIoU, number(score.MeanIoU())), append(at.BoundaryF, number(score.MeanBoundaryF()))
		}
	}
	return nil
}

// baselineOf takes a dense net back to its baseline.
func baselineOf(n Net) (Net, error) {
	m, err := model.Read(n.TFLite)
	if err != nil {
		return n, err
	}
	if f, err := m.Manifest(); err != nil || f == nil || f.Form == "" {
		return n, err
	}
	if m, err = rewrite.Inverse(m); err != nil {
		return n, err
	}
	n.TFLite, err = m.Write()
	return n, err
}

// look adds what a picture measures to the mean.
func (p *PerturbStep) look(f *edged.Frame, n int) {
	var m quality.Meter
	q := m.Measure(f, quality.Rect{W: f.W, H: f.H})
	k := 1 / float64(n)
	p.Quality.Dark += k * q.Dark
	p.Quality.Bright += k * q.Bright
	p.Quality.Contrast += k * q.Contrast
	p.Quality.Blur += k * q.Blur
}

// add scores one sample at one step.
func (w *subject) add(s *Sample, step int) error {
	c := w.net
	if size := [2]int{s.Frame.H, s.Frame.W}; size != c.size {
		if err := c.build(size); err != nil {
			return err
		}
	}
	if err := c.prepare.Prepare(c.input, &s.Frame); err != nil {
		return err
	}
	g := c.graphs[graphBase]
	if w.dense {
		g = c.graphs[len(c.graphs)-1]
	}
	if err := g.run(c.input); err != nil {
		return err
	}
	got := edged.Mask{Pix: make([]uint8, s.Frame.W*s.Frame.H), Stride: s.Frame.W, W: s.Frame.W, H: s.Frame.H}
	g.out.mask(&got, c.region, Nearest)
	w.scores[step].Add(&s.Truth, &got, c.region)
	return nil
}

// fallen is how much mIoU may fall before a step counts as too much.
const fallen = 0.05

// WriteTable writes the curves for people.
func (r *Robustness) WriteTable(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d pictures of %s, %s; mean IoU in percent, * where it is more than %.0f points below the unchanged picture's\n", r.Images, r.Source, r.Engine, 100*fallen)
	last := ""
	for i, s := range r.Steps {
		if s.Perturbation != last {
			fmt.Fprintf(&b, "\n| %s (%s) |", s.Perturbation, s.Unit)
			for _, c := range r.Curves {
				fmt.Fprintf(&b, " %s, %s |", c.Model, c.Way)
			}
			fmt.Fprintf(&b, " dark | bright | contrast | blur |\n|---|%s---|---|---|---|\n", strings.Repeat("---|", len(r.Curves)))
			last = s.Perturbation
		}
		fmt.Fprintf(&b, "| %g |", s.Step)
		for k := range r.Curves {
			mark := ""
			if r.tooMuch(k, i) {
				mark = " *"
			}
			fmt.Fprintf(&b, " %s%s |", percent(r.Curves[k].MIoU[i]), mark)
		}
		fmt.Fprintf(&b, " %.4f | %.4f | %.1f | %.0f |\n", s.Quality.Dark, s.Quality.Bright, s.Quality.Contrast, s.Quality.Blur)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// tooMuch tells whether curve k has fallen at step i.
func (r *Robustness) tooMuch(k, i int) bool {
	c := r.Curves[k]
	none := slices.IndexFunc(r.Steps, func(s PerturbStep) bool { return s.None && s.Perturbation == r.Steps[i].Perturbation })
	return none >= 0 && c.MIoU[none] != nil && (c.MIoU[i] == nil || *c.MIoU[i] < *c.MIoU[none]-fallen)
}
