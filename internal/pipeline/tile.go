package pipeline

import (
	"errors"
	"fmt"

	"edged"
	"edged/internal/tiles"
)

// Tiles are how frames of one size are laid out under a model with fit = Tile.
type Tiles struct {
	spans [2][]tiles.Span // on the turned picture: y, x
	from  [2]int          // the whole picture's positions that the map begins with
	size  [2]int          // of the map, positions
	seen  Rect            // in frame pixels, rounded outward
}

// planTiles lays tiles over a frame's roi, turned.
func (p *Preparer) planTiles(f *edged.Frame, roi Rect) error {
	whole := Rect{W: f.W, H: f.H}
	p.place = placement{roi: whole, rotate: p.cfg.Rotate, y: axis{scale: 1}, x: axis{scale: 1}}
	p.full = viewOf(f, whole, p.cfg.Rotate)
	part := turnedRect(roi, f.W, f.H, p.cfg.Rotate)
	lo, n := [2]int{part.Y, part.X}, [2]int{part.H, part.W}
	var low, high [2]int
	for i, a := range p.cfg.Net {
		length := [2]int{p.full.h, p.full.w}[i]
		if length < a.Input {
			return fmt.Errorf("pipeline: %dx%d of the frame for tiles of %dx%d: %w; use a smaller model", p.full.w, p.full.h, p.w, p.h, ErrTooSmall)
		}
		used := a.Used(length)
		var to int
		p.cut.from[i], to, low[i], high[i] = a.Within(used, min(lo[i], used), min(lo[i]+n[i], used))
		if p.cut.size[i] = to - p.cut.from[i]; p.cut.size[i] < 1 {
			return fmt.Errorf("pipeline: roi %v holds no position of the model, which sees %d pixels: %w", roi, a.Field, ErrTooSmall)
		}
		var err error
		if p.cut.spans[i], err = a.Cut(used, p.cut.from[i], to); err != nil {
			return fmt.Errorf("pipeline: %w: %w", err, tooSmall(err))
		}
	}
	p.cut.seen = turnedRect(Rect{X: low[1], Y: low[0], W: high[1] - low[1], H: high[0] - low[0]}, p.full.w, p.full.h, (360-p.cfg.Rotate)%360)
	p.place.y.offset, p.place.x.offset = float64(p.cut.from[0]*p.cfg.Net[0].Stride), float64(p.cut.from[1]*p.cfg.Net[1].Stride)
	ch := f.Format.Channels()
	p.row, p.match = make([]byte, p.w*ch), make([]byte, p.w*p.ch)
	p.view = p.full
	return nil
}

func tooSmall(err error) error {
	if errors.Is(err, tiles.ErrNothingLeft) {
		return ErrTooSmall
	}
	return nil
}

// turnedRect is where a rectangle of a picture of w by h lies once the picture is
// turned clockwise.
func turnedRect(r Rect, w, h, rotate int) Rect {
	switch rotate {
	case 90:
		return Rect{X: h - r.Y - r.H, Y: r.X, W: r.H, H: r.W}
	case 180:
		return Rect{X: w - r.X - r.W, Y: h - r.Y - r.H, W: r.W, H: r.H}
	case 270:
		return Rect{X: r.Y, Y: w - r.X - r.W, W: r.H, H: r.W}
	}
	return r
}

// prepareTile writes the input of the tile that begins at a pixel of the turned
// picture. Beyond the picture's end, which no position sees, is whatever was there.
func (p *Preparer) prepareTile(dst []byte, f *edged.Frame, y, x int) {
	p.view = p.full.crop(x, y, min(p.w, p.full.w-x), min(p.h, p.full.h-y))
	p.write(dst, f)
}
