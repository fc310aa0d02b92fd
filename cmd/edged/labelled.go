package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"edged"
	"edged/internal/infile"
	"edged/internal/pipeline"
	"edged/model"
	"edged/tune"
)

// labelledFrames reads frames and masks, cut to the centre that the net sees.
func labelledFrames(ctx context.Context, images, masks, path string, m *model.Model) ([]tune.Frame, error) {
	cfg, err := preparationOf(path, m)
	if err != nil {
		return nil, err
	}
	names, err := allPictures(images)
	if err != nil {
		return nil, err
	}
	in := m.Subgraphs[0].Tensors[m.Subgraphs[0].Inputs[0]]
	if len(in.Shape) != 4 {
		return nil, fmt.Errorf("%s: its input %v is no picture", path, in.Shape)
	}
	h, w := int(in.Shape[1]), int(in.Shape[2])
	var list []tune.Frame
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, err := labelledFrame(name, masks, cfg, h, w)
		if err != nil {
			return nil, err
		}
		list = append(list, *f)
	}
	return list, nil
}

func labelledFrame(name, masks string, cfg pipeline.PrepareConfig, h, w int) (*tune.Frame, error) {
	frame, err := readFrame(name)
	if err != nil {
		return nil, err
	}
	file, mask, err := readMask(name, masks)
	if err != nil {
		return nil, err
	}
	if b := mask.Bounds(); b.Dx() != frame.W || b.Dy() != frame.H {
		return nil, fmt.Errorf("--masks: %s is %dx%d, its frame %s %dx%d (width x height): a mask has its frame's size", file, b.Dx(), b.Dy(), name, frame.W, frame.H)
	}
	if frame.H < h || frame.W < w {
		return nil, fmt.Errorf("%s is %dx%d, the net takes %dx%d (height x width): make the net for the frames, with edged rewrite --input %dx%d", name, frame.H, frame.W, h, w, frame.H, frame.W)
	}
	ids, err := idsOf(mask, (frame.W-w)/2, (frame.H-h)/2, w, h)
	if err != nil {
		return nil, fmt.Errorf("--masks: %s: %w", file, err)
	}
	pix, err := pixelsFor(cfg, frame, h, w)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &tune.Frame{Name: filepath.Base(name), Pix: pix, Mask: ids}, nil
}

// allPictures are a folder's pictures; masks that lie beside them are none.
func allPictures(dir string) ([]string, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("--images: %w", err)
	}
	var names []string
	for _, f := range list {
		base := strings.ToLower(f.Name())
		if ext := filepath.Ext(base); (ext == ".png" || ext == ".jpg" || ext == ".jpeg") && !strings.HasSuffix(base, "_mask.png") {
			names = append(names, filepath.Join(dir, f.Name()))
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("--images %s: no PNG or JPEG picture in the folder", dir)
	}
	return names, nil
}

// readMask finds a frame's mask and decodes it.
func readMask(name, masks string) (string, image.Image, error) {
	stem := strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
	for _, tail := range []string{".png", "_mask.png"} {
		file := filepath.Join(masks, stem+tail)
		if file == name {
			continue
		}
		img, _, err := infile.Image(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if errors.As(err, new(*fs.PathError)) {
			return file, nil, fmt.Errorf("--masks: %w", err)
		}
		if err != nil {
			return file, nil, fmt.Errorf("--masks: %s: %w", file, err)
		}
		return file, img, nil
	}
	return "", nil, fmt.Errorf("--masks %s: no mask for %s: want %s.png or %s_mask.png", masks, filepath.Base(name), stem, stem)
}

// idsOf are the class ids of a part of a mask.
func idsOf(mask image.Image, x0, y0, w, h int) ([]byte, error) {
	var id func(x, y int) uint8
	switch img := mask.(type) {
	case *image.Gray:
		id = func(x, y int) uint8 { return img.GrayAt(x, y).Y }
	case *image.Paletted:
		id = img.ColorIndexAt
	default:
		return nil, fmt.Errorf("its pixels are colours (%T): a mask is an 8-bit greyscale PNG of class ids", mask)
	}
	b := mask.Bounds()
	out := make([]byte, 0, w*h)
	for y := range h {
		for x := range w {
			out = append(out, id(b.Min.X+x0+x, b.Min.Y+y0+y))
		}
	}
	return out, nil
}

// pixelsFor is the centre of a frame in the net's channel order, by the same code
// that serves the net.
func pixelsFor(cfg pipeline.PrepareConfig, f *edged.Frame, h, w int) ([]byte, error) {
	c := cfg.Order.Channels()
	spec := edged.Spec{Name: "pixels", Shape: []int{1, h, w, c}, Type: edged.Uint8}
	p, err := pipeline.NewPreparer(pipeline.PrepareConfig{Order: cfg.Order, Mean: []float64{0}, Scale: []float64{1}}, spec)
	if err != nil {
		return nil, err
	}
	pix := make([]byte, h*w*c)
	return pix, p.Prepare(pix, f)
}
