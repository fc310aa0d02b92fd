package pipeline

import (
	"errors"
	"fmt"
	"math"

	"edged"
	"edged/internal/fact"
	"edged/internal/fault"
	"edged/internal/kernel/picture"
	"edged/internal/tiles"
)

// Fit tells how a picture that is larger than the model's input gets into it.
type Fit uint8

// The ways to fit. Nothing is ever resized without being asked for.
const (
	Crop   Fit = iota // the centre, at the camera's own pixels
	Resize            // the whole picture, bilinear
	Tile              // the whole picture, tile by tile, at the camera's own pixels
	strip             // a line camera's rows, all there are
)

// Strips is cfg for a line camera.
func (c PrepareConfig) Strips() PrepareConfig {
	c.Fit = strip
	return c
}

func (f Fit) String() string {
	names := [...]string{"crop", "resize", "tile", "crop"}
	if int(f) < len(names) {
		return names[f]
	}
	return fmt.Sprintf("Fit(%d)", uint8(f))
}

// FitOf is the way to fit of a name; false: there is none.
func FitOf(name string) (Fit, bool) {
	for f := Crop; f <= Tile; f++ {
		if f.String() == name {
			return f, true
		}
	}
	return Crop, false
}

// Errors of Prepare that say what is wrong with a frame. A frame that meets
// one is refused and counted.
var (
	ErrTooSmall = errors.New("frame is smaller than the model's input")
	ErrROI      = errors.New("roi reaches outside the frame")
	ErrFrame    = errors.New("frame is damaged")
)

// PrepareConfig says how a frame becomes a model's input.
type PrepareConfig struct {
	ROI    Rect // of the frame; the zero Rect is all of it
	Rotate int  // degrees clockwise, applied to the ROI: 0, 90, 180 or 270
	Fit    Fit
	Net    tiles.Net         // with Tile: the model along y and x
	Order  edged.PixelFormat // the channel order the model was trained with
	// Mean and Scale give x = (pixel-mean)*scale, pixels from 0 to 255: one
	// number, or one per channel in the model's order.
	Mean, Scale []float64
}

// Validate tells the first fault, with its key (a fault.Field).
func (c *PrepareConfig) Validate() error {
	var roi error
	if c.ROI != (Rect{}) {
		roi = fact.ROI(c.ROI.X, c.ROI.Y, c.ROI.W, c.ROI.H)
	}
	ch := c.Order.Channels()
	for _, err := range []error{fact.Rotate(c.Rotate), roi, fact.Mean(c.Mean, ch), fact.Scale(c.Scale, ch)} {
		if err != nil {
			return fault.In("pipeline", err)
		}
	}
	return fault.In("pipeline", fact.Range(c.Mean, c.Scale))
}

// Preparer turns frames into the input of one model. It allocates when the
// size or format of the frames changes and at no other time.
type Preparer struct {
	cfg      PrepareConfig
	spec     edged.Spec
	h, w     int // of the model's input
	ch       int // of the model's input
	norm     picture.Norm
	routines *picture.Routines
	table    [3][256]byte // what a quantised input takes for each pixel value

	seen  shape // of the last frame, for which the rest holds
	place placement
	view  view
	tapsY []tap
	tapsX []tap
	row   []byte // one row of the picture, in the frame's channels
	match []byte // the same in the model's number of channels

	full view // with Tile: the whole picture, turned
	cut  Tiles
}

// shape is what the plan of a Preparer depends on.
type shape struct {
	w, h, stride int
	format       edged.PixelFormat
	scale        int // camera's pixels a side in one of these
}

func shapeOf(f *edged.Frame) shape { return shape{f.W, f.H, f.Stride, f.Format, f.Scale()} }

// NewPreparer checks that cfg fits a model's input: one NHWC picture of 1 or 3
// channels, float32, int8 or uint8.
func NewPreparer(cfg PrepareConfig, input edged.Spec) (*Preparer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := input.Shape
	if len(s) != 4 || s[0] != 1 || s[1] < 1 || s[2] < 1 || (s[3] != 1 && s[3] != 3) {
		return nil, fmt.Errorf("pipeline: input %v: a camera model takes one picture of shape [1, height, width, 1 or 3]", input)
	}
	if cfg.Order.Channels() != s[3] {
		return nil, fmt.Errorf("pipeline: channel order %s contradicts input %v with %d channels", cfg.Order, input, s[3])
	}
	if cfg.Fit == Tile {
		if err := cfg.Net.Validate(); err != nil {
			return nil, fmt.Errorf("pipeline: fit = \"tile\": %w", err)
		}
	}
	p := &Preparer{cfg: cfg, routines: picture.Default(), spec: input, h: s[1], w: s[2], ch: s[3]}
	switch input.Type {
	case edged.Float32:
		p.norm = picture.NewNorm(float32s(cfg.Mean, p.ch), float32s(cfg.Scale, p.ch))
	case edged.Int8, edged.Uint8:
		if input.Quant.Scale < 0 {
			return nil, fmt.Errorf("pipeline: input %v has a quantisation scale of %g", input, input.Quant.Scale)
		}
		if input.Quant.Scale == 0 { // the numbers themselves are the input
			p.spec.Quant = edged.Quant{Scale: 1}
		}
		p.fillTable()
		if input.Quant.Scale == 0 && p.steps() < leastSteps {
			return nil, fmt.Errorf("pipeline: input %v takes bytes as they are, and mean %v, scale %v leave %d values of them: use mean 0 and scale 1, or what the net was trained with on bytes",
				input, cfg.Mean, cfg.Scale, p.steps())
		}
	default:
		return nil, fmt.Errorf("pipeline: input %v: float32, int8 and uint8 pictures are supported", input)
	}
	return p, nil
}

// leastSteps is how many values of a byte a preparation must keep apart: fewer
// come of a scale that was meant for floats, like 1/255.
const leastSteps = 16

// steps counts the values that the first channel's pixels become.
func (p *Preparer) steps() int {
	seen := map[byte]bool{}
	for _, v := range p.table[0] {
		seen[v] = true
	}
	return len(seen)
}

// float32s repeats a single number for every channel.
func float32s(list []float64, ch int) []float32 {
	out := make([]float32, ch)
	for i := range out {
		out[i] = float32(list[i%len(list)])
	}
	return out
}

// fillTable computes round((pixel-mean)*scale/quant.Scale) + quant.ZeroPoint,
// halves away from zero as TFLite's quantise rounds, clamped to the type.
func (p *Preparer) fillTable() {
	low, high := 0.0, 255.0
	if p.spec.Type == edged.Int8 {
		low, high = -128, 127
	}
	mean, scale, q := p.cfg.Mean, p.cfg.Scale, p.spec.Quant
	for c := range p.ch {
		for pixel := range p.table[c] {
			x := (float64(pixel) - mean[c%len(mean)]) * scale[c%len(scale)]
			v := math.Round(x/float64(q.Scale)) + float64(q.ZeroPoint)
			p.table[c][pixel] = byte(int(min(max(v, low), high)))
		}
	}
}

// Prepare writes the model's input for f into dst, the memory of the engine's
// input. An error wraps ErrTooSmall, ErrROI or ErrFrame.
func (p *Preparer) Prepare(dst []byte, f *edged.Frame) error {
	if len(dst) != p.spec.Bytes() {
		panic(fmt.Sprintf("BUG: pipeline: input %v has %d bytes", p.spec, len(dst)))
	}
	if err := p.meet(f); err != nil {
		return err
	}
	p.write(dst, f)
	return nil
}

// meet looks at a frame before it is read.
func (p *Preparer) meet(f *edged.Frame) error {
	now := shapeOf(f)
	if now != p.seen {
		if err := p.plan(f, now); err != nil {
			return err
		}
	}
	if len(f.Pix) < (f.H-1)*f.Stride+f.W*f.Format.Channels() {
		return fmt.Errorf("pipeline: %d bytes for %dx%d %s: %w", len(f.Pix), f.W, f.H, f.Format, ErrFrame)
	}
	return nil
}

// write fills the model's input from the view.
func (p *Preparer) write(dst []byte, f *edged.Frame) {
	if p.spec.Type == edged.Float32 {
		p.writeFloats(edged.View[float32](dst), f)
	} else {
		p.writeBytes(dst, f)
	}
}

// Fits tells whether frames of f's size and format can be prepared, without looking
// at its pixels. Seen and Place speak of such frames afterwards.
func (p *Preparer) Fits(f *edged.Frame) error { return p.plan(f, shapeOf(f)) }

// Place maps the grid of a mask of h by w positions, given in input pixels,
// onto the frames of the size last prepared. See placement.frameGrid.
func (p *Preparer) Place(g edged.Grid, h, w int) edged.Grid { return p.place.frameGrid(g, h, w) }

// Config is what the Preparer was made with.
func (p *Preparer) Config() PrepareConfig { return p.cfg }

// plan lays out how frames of a new shape are read.
func (p *Preparer) plan(f *edged.Frame, now shape) error {
	p.seen = shape{}
	if f.W < 1 || f.H < 1 || f.Stride < f.W*f.Format.Channels() {
		return fmt.Errorf("pipeline: %dx%d %s with rows of %d bytes: %w", f.W, f.H, f.Format, f.Stride, ErrFrame)
	}
	fullW, fullH := f.Full()
	roi := p.cfg.ROI
	if roi == (Rect{}) {
		roi = Rect{W: fullW, H: fullH}
	}
	if roi.X+roi.W > fullW || roi.Y+roi.H > fullH {
		return fmt.Errorf("pipeline: roi %v on a frame of %dx%d: %w", roi, fullW, fullH, ErrROI)
	}
	part, err := p.reduced(roi, now.scale)
	if err != nil {
		return err
	}
	p.place = placement{roi: roi, rotate: p.cfg.Rotate, y: axis{scale: 1}, x: axis{scale: 1}}
	if p.cfg.Fit == strip {
		if err := p.planStrip(f); err != nil {
			return err
		}
		p.seen = now
		return nil
	}
	if p.cfg.Fit == Tile {
		if err := p.planTiles(f, roi); err != nil {
			return err
		}
		p.seen = now
		return nil
	}
	turned := viewOf(f, part, p.cfg.Rotate)
	ch := f.Format.Channels()
	if p.cfg.Fit == Resize {
		p.tapsY, p.tapsX = make([]tap, p.h), make([]tap, p.w)
		makeTaps(p.tapsY, turned.h, turned.stepY)
		makeTaps(p.tapsX, turned.w, turned.stepX)
		p.place.y, p.place.x = resizeAxis(p.h, turned.h*now.scale), resizeAxis(p.w, turned.w*now.scale)
	} else {
		if turned.w < p.w || turned.h < p.h {
			return fmt.Errorf("pipeline: %dx%d of the frame for a model of %dx%d: %w; use a smaller model, a larger roi, or fit = \"resize\"",
				turned.w, turned.h, p.w, p.h, ErrTooSmall)
		}
		left, top := (turned.w-p.w)/2, (turned.h-p.h)/2
		turned = turned.crop(left, top, p.w, p.h)
		p.place.y.offset, p.place.x.offset = float64(top), float64(left)
	}
	p.view = turned
	p.row, p.match = make([]byte, p.w*ch), make([]byte, p.w*p.ch)
	p.seen = now
	return nil
}

// reduced is roi in the pixels of a frame that was decoded scale times smaller: what
// Enough allows and nothing else. A frame that was asked for with another model or
// roi in mind may still be on its way when they change.
func (p *Preparer) reduced(roi Rect, scale int) (Rect, error) {
	if scale == 1 {
		return roi, nil
	}
	if p.cfg.Fit != Resize || (roi.X|roi.Y|roi.W|roi.H)%scale != 0 {
		return roi, fmt.Errorf("pipeline: it was decoded at a %dth of its size, which is too coarse by now: %w", scale, ErrFrame)
	}
	return Rect{roi.X / scale, roi.Y / scale, roi.W / scale, roi.H / scale}, nil
}

// Enough is the part of the frame that reaches the model, the zero Rect being all of
// it, and what size it has there before it is turned: no frame needs more. ok is
// false where every pixel is needed.
func (p *Preparer) Enough() (part Rect, w, h int, ok bool) {
	w, h = p.w, p.h
	if p.cfg.Rotate == 90 || p.cfg.Rotate == 270 {
		w, h = h, w
	}
	return p.cfg.ROI, w, h, p.cfg.Fit == Resize
}

// Seen is the part of the last frame, in frame pixels, that reached the model.
func (p *Preparer) Seen() Rect {
	switch p.cfg.Fit {
	case Resize:
		return p.place.roi
	case Tile:
		return p.cut.seen
	case strip:
		return Rect{X: int(p.place.x.offset), W: p.w, H: p.view.h}
	}
	first := p.Place(edged.Grid{Stride: [2]float64{1, 1}}, p.h, p.w).Origin
	r := Rect{X: int(first[1]), Y: int(first[0]), W: p.w, H: p.h}
	if p.cfg.Rotate == 90 || p.cfg.Rotate == 270 {
		r.W, r.H = r.H, r.W
	}
	return r
}
