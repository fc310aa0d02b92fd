package eval

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Panels of the drawing: one a perturbation.
const (
	panelColumns = 4
	panelWidth   = 8 * vg.Centimeter
	panelHeight  = 6.5 * vg.Centimeter
)

// Plot draws mIoU against each perturbation's step, a panel each, one colour a net,
// the baseline at its own stride dashed. The file's ending chooses .png or .svg.
func (r *Robustness) Plot(path string) (err error) {
	if len(r.Curves) == 0 || len(r.Steps) == 0 {
		return errors.New("eval: plot: nothing was measured")
	}
	all := Perturbations()
	rows := (len(all) + panelColumns - 1) / panelColumns
	panels := make([][]*plot.Plot, rows)
	for y := range panels {
		panels[y] = make([]*plot.Plot, panelColumns)
	}
	for i, p := range all {
		if panels[i/panelColumns][i%panelColumns], err = r.panel(p, i == 0); err != nil {
			return fmt.Errorf("eval: plot %s: %w", path, err)
		}
	}
	w, h := panelColumns*panelWidth, vg.Length(rows)*panelHeight
	var canvas vg.CanvasWriterTo
	if strings.ToLower(filepath.Ext(path)) == ".svg" {
		canvas = vgsvg.New(w, h)
	} else {
		canvas = vgimg.PngCanvas{Canvas: vgimg.New(w, h)}
	}
	tiles := draw.Tiles{Rows: rows, Cols: panelColumns, PadX: vg.Millimeter * 4, PadY: vg.Millimeter * 4, PadTop: vg.Millimeter * 2, PadBottom: vg.Millimeter * 2, PadLeft: vg.Millimeter * 2, PadRight: vg.Millimeter * 4}
	at := plot.Align(panels, tiles, draw.New(canvas))
	for y := range panels {
		for x, p := range panels[y] {
			if p != nil {
				p.Draw(at[y][x])
			}
		}
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("eval: plot: %w", err)
	}
	if _, err := canvas.WriteTo(f); err != nil {
		f.Close()
		return fmt.Errorf("eval: plot %s: %w", path, err)
	}
	return f.Close()
}

// panel draws one perturbation.
func (r *Robustness) panel(which Perturbation, legend bool) (*plot.Plot, error) {
	p := newPlot()
	p.X.Scale, p.X.Tick.Marker = plot.LinearScale{}, plot.DefaultTicks{}
	p.X.Label.Text, p.Y.Label.Text = which.Name+": "+which.Unit, "mean IoU, %"
	for k := range r.Curves {
		c := &r.Curves[k]
		var line plotter.XYs
		for i, s := range r.Steps {
			if s.Perturbation == which.Name && c.MIoU[i] != nil {
				line = append(line, plotter.XY{X: s.Step, Y: 100 * *c.MIoU[i]})
			}
		}
		if len(line) == 0 {
			continue
		}
		l, err := plotter.NewLine(line)
		if err != nil {
			return nil, err
		}
		l.Color, l.Width = hues[k/2%len(hues)], vg.Points(1.5)
		if c.Way == "baseline" {
			l.Dashes = []vg.Length{vg.Points(3), vg.Points(2)}
		}
		p.Add(l)
		if legend {
			p.Legend.Add(c.Model+", "+c.Way, l)
		}
	}
	p.Y.Min, p.Y.Max = 0, 100
	return p, nil
}
