package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"unsafe"

	"edged"
	"edged/internal/config"
	"edged/internal/infile"
	"edged/internal/pipeline"
	"edged/model"
	"edged/quantize"
)

// pictureBytes is how much memory a folder's pictures are kept in; what is beyond
// is read again each time.
const pictureBytes = 256 << 20

// learner shows a folder's pictures to a net that learns from them.
type learner struct {
	names  []string
	sizes  [][2]int
	frames []*edged.Frame // nil: to be read again
	cfg    pipeline.PrepareConfig
}

// learningPictures reads a folder's pictures once, so that one that cannot be read
// is told at the start.
func learningPictures(ctx context.Context, dir, path string, m *model.Model) (*learner, error) {
	l := &learner{}
	var err error
	if l.cfg, err = preparationOf(path, m); err != nil {
		return nil, err
	}
	if l.names, err = pictureNames(dir); err != nil {
		return nil, err
	}
	kept := 0
	for _, name := range l.names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, err := readFrame(name)
		if err != nil {
			return nil, err
		}
		l.sizes = append(l.sizes, [2]int{f.H, f.W})
		if kept += len(f.Pix); kept > pictureBytes {
			f = nil
		}
		l.frames = append(l.frames, f)
	}
	return l, nil
}

func readFrame(name string) (*edged.Frame, error) {
	img, _, err := infile.Image(name)
	if errors.As(err, new(*fs.PathError)) {
		return nil, fmt.Errorf("--images: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("--images: %s: %w", name, err)
	}
	return frameOf(img), nil
}

// preparationOf is how a picture becomes a net's input, by its manifest.
func preparationOf(path string, m *model.Model) (c pipeline.PrepareConfig, err error) {
	f, err := m.Manifest()
	if err != nil {
		return c, err
	}
	if f == nil || f.Input.ChannelOrder == "" || len(f.Input.Mean) == 0 || len(f.Input.Scale) == 0 {
		return c, fmt.Errorf("%s: how a picture becomes the net's input is not known: put input.channel_order, input.mean and input.scale into its manifest with edged manifest %s --set FILE", path, path)
	}
	c = pipeline.PrepareConfig{Mean: f.Input.Mean, Scale: f.Input.Scale}
	c.Order, err = config.PixelFormat(f.Input.ChannelOrder)
	return c, err
}

func (l *learner) Len() int { return len(l.names) }

func (l *learner) Size(i int) (h, w int) { return l.sizes[i][0], l.sizes[i][1] }

// Span is what (pixel-mean)*scale can be, over all channels.
func (l *learner) Span() (r quantize.Range) {
	r = quantize.Range{Lo: math.Inf(1), Hi: math.Inf(-1)}
	for c := range l.cfg.Order.Channels() {
		for _, pixel := range []float64{0, 255} {
			v := (pixel - l.cfg.Mean[c%len(l.cfg.Mean)]) * l.cfg.Scale[c%len(l.cfg.Scale)]
			r.Lo, r.Hi = min(r.Lo, v), max(r.Hi, v)
		}
	}
	return r
}

// Fill prepares picture i: its centre, or all of it where it is too small.
func (l *learner) Fill(i int, spec edged.Spec, dst []float32) error {
	f := l.frames[i]
	if f == nil {
		var err error
		if f, err = readFrame(l.names[i]); err != nil {
			return err
		}
	}
	cfg := l.cfg
	if len(spec.Shape) == 4 && (f.H < spec.Shape[1] || f.W < spec.Shape[2]) {
		cfg.Fit = pipeline.Resize
	}
	p, err := pipeline.NewPreparer(cfg, spec)
	if err != nil {
		return err
	}
	if err := p.Prepare(bytesOf(dst), f); err != nil {
		return fmt.Errorf("%s: %w", l.names[i], err)
	}
	return nil
}

// bytesOf views floats as their bytes.
func bytesOf(v []float32) []byte {
	if len(v) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), 4*len(v))
}
