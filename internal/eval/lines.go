package eval

import (
	"errors"
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// Series is one line of a drawing: means in percent with their spread.
type Series struct {
	Name   string
	Dashed bool
	Hue    int // series of one colour
	At     []SeriesPoint
}

// SeriesPoint is a mean and its standard deviation, of shares of 1.
type SeriesPoint struct{ X, Mean, SD float64 }

// Lines draws mean IoU in series with error bars into a .png or .svg, over x, whose
// places are marked; logarithmic spreads them by their ratios.
func Lines(path, title, x string, logarithmic bool, marks []float64, list []Series) error {
	p := newPlot()
	p.Title.Text, p.X.Label.Text = title, x
	var ticks plot.ConstantTicks
	for _, m := range marks {
		ticks = append(ticks, plot.Tick{Value: m, Label: fmt.Sprint(m)})
	}
	p.X.Tick.Marker = ticks
	if !logarithmic {
		p.X.Scale = plot.LinearScale{}
	}
	drawn := 0
	for _, s := range list {
		if len(s.At) == 0 {
			continue
		}
		drawn++
		if err := s.draw(p); err != nil {
			return fmt.Errorf("eval: plot %s: %w", path, err)
		}
	}
	if drawn == 0 {
		return errors.New("eval: plot: no series has a point")
	}
	p.Y.Min, p.Y.Max = 0, 100
	p.Legend.Top = true
	p.Legend.Left = true
	if err := p.Save(20*vg.Centimeter, 13*vg.Centimeter, path); err != nil {
		return fmt.Errorf("eval: plot %s: %w", path, err)
	}
	return nil
}

// spreads are points with error bars of one standard deviation.
type spreads []SeriesPoint

func (s spreads) Len() int                         { return len(s) }
func (s spreads) XY(i int) (x, y float64)          { return s[i].X, 100 * s[i].Mean }
func (s spreads) YError(i int) (low, high float64) { return 100 * s[i].SD, 100 * s[i].SD }

func (s *Series) draw(p *plot.Plot) error {
	l, err := plotter.NewLine(spreads(s.At))
	if err != nil {
		return err
	}
	bars, err := plotter.NewYErrorBars(spreads(s.At))
	if err != nil {
		return err
	}
	hue := hues[s.Hue%len(hues)]
	l.Color, l.Width, bars.Color = hue, vg.Points(1.5), hue
	if s.Dashed {
		l.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
	}
	p.Add(l, bars)
	p.Legend.Add(s.Name, l)
	return nil
}
