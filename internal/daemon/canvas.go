package daemon

import (
	"math"

	"edged"
	"edged/internal/pipeline"
)

// canvasRows is how many of a line camera's latest rows are shown.
const canvasRows = 480

// canvas is the latest part of a line camera's picture, with the mask on it: what a
// frame is to the page and to evidence. Each strip moves it up.
type canvas struct {
	frame edged.Frame
	mask  edged.Mask
	top   int64 // number of the picture's row at its top

	maskTop int64 // of the picture's row that the mask's first lies on
}

// add puts a result's strip on the canvas, and lends the result with the canvas in
// place of the strip.
func (v *canvas) add(r *pipeline.Result) *pipeline.Result {
	f := r.Frame
	if f.Pix != nil {
		v.rows(f)
	}
	if v.frame.Pix == nil {
		return r // nothing of the picture was shown yet: its rows come before their mask's
	}
	v.classes(r)
	whole := *r
	frame, mask := v.frame, v.mask
	frame.Seq, frame.Time, frame.PartID = f.Seq, f.Time, f.PartID
	whole.Frame, whole.Mask, whole.Scores = &frame, &mask, nil
	return &whole
}

// rows puts the picture's rows at the bottom.
func (v *canvas) rows(f *edged.Frame) {
	row := f.W * f.Format.Channels()
	if v.frame.W != f.W || v.frame.Format != f.Format {
		*v = canvas{frame: edged.Frame{Pix: make([]byte, canvasRows*row), Stride: row, W: f.W, H: canvasRows, Format: f.Format}, top: f.Row - canvasRows}
	}
	up := int(min(f.Row+int64(f.H)-v.top-canvasRows, canvasRows))
	if up > 0 {
		n := copy(v.frame.Pix, v.frame.Pix[up*row:])
		clear(v.frame.Pix[n:])
		v.top = f.Row + int64(f.H) - canvasRows
	}
	for y := range f.H {
		if at := int(f.Row + int64(y) - v.top); at >= 0 && at < canvasRows {
			copy(v.frame.Pix[at*row:][:row], f.Pix[y*f.Stride:])
		}
	}
}

// classes puts the mask's rows where they lie on the picture.
func (v *canvas) classes(r *pipeline.Result) {
	m, stride := r.Mask, int64(r.Mask.Grid.Stride[0])
	row := int64(math.Round(m.Grid.Origin[0]))
	first := row + (v.top-row)/stride*stride // the mask's first row on the canvas
	if first < v.top {
		first += stride
	}
	if v.mask.W != m.W || (first-v.maskTop)%stride != 0 {
		h := canvasRows / int(stride)
		v.mask, v.maskTop = edged.Mask{W: m.W, Stride: m.W, H: h, Pix: make([]uint8, h*m.W)}, first
	}
	if up := min((first-v.maskTop)/stride, int64(v.mask.H)); up > 0 {
		n := copy(v.mask.Pix, v.mask.Pix[int(up)*m.W:])
		clear(v.mask.Pix[n:])
	}
	v.maskTop = first
	v.mask.Grid = m.Grid
	v.mask.Grid.Origin[0] = float64(first - v.top)
	for y := range m.H {
		if at := int((row + int64(y)*stride - first) / stride); row+int64(y)*stride >= first && at < v.mask.H {
			copy(v.mask.Pix[at*m.W:][:m.W], m.Pix[y*m.Stride:][:m.W])
		}
	}
}
