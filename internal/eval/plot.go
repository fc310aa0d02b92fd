package eval

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Plot draws mIoU against the multiplications of a frame, logarithmic, one colour
// a net: the equivalent net's output strides as a line, the other ways as points.
// The file's ending chooses the format, .png or .svg.
func (r *Report) Plot(path string) error {
	if ext := strings.ToLower(filepath.Ext(path)); ext != ".png" && ext != ".svg" {
		return fmt.Errorf("eval: plot %s: the name must end in .png or .svg", path)
	}
	p := newPlot()
	p.Title.Text = fmt.Sprintf("What each way gives and costs: %d pictures of %s", r.Images, r.Source)
	drawn := 0
	for i := range r.Models {
		n, err := r.Models[i].plot(p, i)
		if err != nil {
			return fmt.Errorf("eval: plot %s: %w", path, err)
		}
		drawn += n
	}
	if drawn == 0 {
		return errors.New("eval: plot: no way has a score")
	}
	p.X.Min, p.X.Max = p.X.Min/4, p.X.Max*4 // room for the names
	p.Y.Min, p.Y.Max = max(0, p.Y.Min-5), min(100, p.Y.Max+5)
	if err := p.Save(24*vg.Centimeter, 16*vg.Centimeter, path); err != nil {
		return fmt.Errorf("eval: plot %s: %w", path, err)
	}
	return nil
}

func newPlot() *plot.Plot {
	p := plot.New()
	for _, style := range []*text.Style{
		&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle,
	} {
		style.Font.Variant = "Sans"
	}
	p.Title.Padding = vg.Points(8)
	p.X.Label.Text = "GMACs per frame"
	p.Y.Label.Text = "mean IoU, %"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Y.Tick.Marker = plot.TickerFunc(tens)
	p.Add(plotter.NewGrid())
	p.Legend.Padding = vg.Points(4)
	return p
}

// tens marks every ten percent.
func tens(from, to float64) (ticks []plot.Tick) {
	for v := 10 * math.Ceil(from/10); v <= to; v += 10 {
		ticks = append(ticks, plot.Tick{Value: v, Label: fmt.Sprintf("%.0f", v)})
	}
	return ticks
}

// Four hues that stay apart for colour-blind eyes and in grey.
var hues = [...]color.RGBA{{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {120, 60, 140, 255}}

// points are the ways that can be drawn, their names, and the line of the
// equivalent net's output strides.
func (m *ModelReport) points() (all, line plotter.XYs, names []string) {
	for _, w := range m.Ways {
		if w.MIoU == nil || w.MACs <= 0 {
			continue
		}
		at := plotter.XY{X: float64(w.MACs) / 1e9, Y: 100 * *w.MIoU}
		all = append(all, at)
		name := w.Title()
		if w.Way == "equivalent" {
			line = append(line, at)
			name = fmt.Sprintf("stride %d", w.OutputStride)
			if len(line) == 1 {
				name = "" // it is the baseline, which has a name there already
			}
		}
		names = append(names, name)
	}
	return all, line, names
}

// plot draws one net and says how many points it had.
func (m *ModelReport) plot(p *plot.Plot, index int) (int, error) {
	hue := hues[index%len(hues)]
	all, line, names := m.points()
	if len(all) == 0 {
		return 0, nil
	}
	points, err := plotter.NewScatter(all)
	if err != nil {
		return 0, err
	}
	points.GlyphStyle = draw.GlyphStyle{Color: hue, Radius: vg.Points(3), Shape: draw.CircleGlyph{}}
	p.Add(points)
	labels, err := plotter.NewLabels(plotter.XYLabels{XYs: all, Labels: names})
	if err != nil {
		return 0, err
	}
	for i := range labels.TextStyle {
		style := &labels.TextStyle[i]
		style.Color, style.Font.Size, style.Font.Variant = hue, vg.Points(9), "Sans"
		if strings.HasPrefix(names[i], "baseline") { // to the left, where no line runs
			style.XAlign = text.XRight
			labels.Labels[i] += "     "
		}
	}
	labels.Offset = vg.Point{X: vg.Points(5), Y: vg.Points(-10)}
	p.Add(labels)
	return len(all), m.plotLine(p, line, hue)
}

func (m *ModelReport) plotLine(p *plot.Plot, line plotter.XYs, hue color.Color) error {
	if len(line) == 0 {
		return nil
	}
	l, err := plotter.NewLine(line)
	if err != nil {
		return err
	}
	l.Color, l.Width = hue, vg.Points(1.5)
	p.Add(l)
	p.Legend.Add(m.Model, l)
	return nil
}
