//go:build opencv && cgo

package opencv

import (
	"errors"
	"fmt"

	"gocv.io/x/gocv"

	"edged/capture/internal/gige"
	"edged/capture/internal/wire"
	"edged/capture/internal/worker"
)

// commandRate is how many pictures a second are asked for at most by command.
const commandRate = 100

// openGigE opens a GigE Vision camera.
func (c *camera) openGigE(o wire.Open) (wire.Opened, error) {
	cam, err := gige.Parse(o.Source)
	if err != nil {
		return wire.Opened{}, err
	}
	g := &gigeCamera{bits: o.Bits, commands: cam.Commands, timeout: o.Timeout}
	w, h, err := g.open(&cam)
	if err == nil {
		err = c.allow(w, h)
	}
	if err == nil {
		err = g.start()
	}
	if err != nil {
		g.close()
		return wire.Opened{}, err
	}
	c.gige = g
	opened := wire.Opened{Backend: "aravis", FourCC: "GigE", Width: w, Height: h, Polled: g.commands}
	if g.commands {
		opened.FPS = commandRate
	}
	return opened, nil
}

// readGigE reads the next frame and makes of it what is wanted in m.
func (c *camera) readGigE(i int, m *gocv.Mat) (worker.Picture, error) {
	if c.gige.missing > 0 {
		c.gige.missing--
		return worker.Picture{Empty: true}, nil
	}
	p, whole, err := c.gige.next()
	if err != nil {
		return worker.Picture{}, err
	}
	defer c.gige.give()
	if !whole {
		return c.undecoded(i, errors.New("packets of it are lost: set packet-size to what the network takes, or give the camera a network of its own"))
	}
	f, ok := gige.FormatOf(p.format)
	switch {
	case !ok:
		return worker.Picture{}, fmt.Errorf("the camera sends pixels of format %#08x: set PixelFormat to one of %s", p.format, gige.Formats())
	case p.w <= 0 || p.h <= 0 || len(p.data) < p.w*p.h*f.Bytes:
		return c.undecoded(i, fmt.Errorf("%d bytes are no picture of %dx%d %s", len(p.data), p.w, p.h, f.Name))
	}
	if err := c.allow(p.w, p.h); err != nil {
		return worker.Picture{}, err
	}
	if err := c.convert(f, p, m); err != nil {
		return worker.Picture{}, err
	}
	pic, err := c.picture(i, m, nil)
	pic.Number = c.gige.number
	return pic, err
}

// convert makes 8-bit BGR or grey of a frame.
func (c *camera) convert(f gige.Format, p gigePicture, m *gocv.Mat) error {
	types := map[int]gocv.MatType{1: gocv.MatTypeCV8UC1, 2: gocv.MatTypeCV8UC2, 3: gocv.MatTypeCV8UC3}
	kind := types[f.Bytes]
	if f.Bits > 0 {
		kind = gocv.MatTypeCV16UC1
	}
	raw, err := gocv.NewMatFromBytes(p.h, p.w, kind, p.data[:p.w*p.h*f.Bytes])
	if err != nil {
		return fmt.Errorf("opencv: Mat over a frame: %w", err)
	}
	c.shape.close()
	c.shape = shape{raw: raw, swaps: f.RGB, packed: f.YUV, tiles: f.Mosaic != "", bayer: mosaics[f.Mosaic]}
	if f.Bits > 0 {
		bits := f.Bits
		if c.gige.bits > 8 { // the user knows better
			bits = c.gige.bits
		}
		c.shape.deep = scale(bits)
	}
	return c.shape.into(m)
}
