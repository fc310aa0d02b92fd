package eval

import (
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // photographs
	_ "image/png"  // photographs and masks
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"edged"
	"edged/internal/infile"
)

// Sample is one picture with its true classes. Its memory is lent until the next
// sample is asked for.
type Sample struct {
	Name  string
	Frame edged.Frame
	Truth edged.Mask
}

// Samples is a numbered collection of pictures with known masks.
type Samples interface {
	Len() int
	// At reads sample i into s.
	At(i int, s *Sample) error
}

// Folder is a directory of pictures and masks, in one of two layouts:
//
//	DIR/images/NAME.{png,jpg,jpeg} with DIR/masks/NAME.png
//	DIR/NAME.{png,jpg,jpeg}        with DIR/NAME_mask.png
//
// A mask has the size of its picture. Its pixels are class ids: the grey level
// of a greyscale PNG, or the index of a palette PNG.
type Folder struct {
	pairs   []pair
	classes int
}

type pair struct{ image, mask string }

const maskSuffix = "_mask.png"

// OpenFolder finds the pairs of dir. A picture without a mask, a mask without a
// picture and a folder without either are errors that name what is missing.
func OpenFolder(dir string, classes int) (*Folder, error) {
	images, maskOf := dir, func(name string) string { return filepath.Join(dir, name+maskSuffix) }
	if sub := filepath.Join(dir, "images"); isDir(sub) {
		images = sub
		maskOf = func(name string) string { return filepath.Join(dir, "masks", name+".png") }
	}
	entries, err := os.ReadDir(images)
	if err != nil {
		return nil, fmt.Errorf("eval: image folder: %w", err)
	}
	f := &Folder{classes: classes}
	for _, e := range entries {
		name := e.Name()
		ext := strings.ToLower(filepath.Ext(name))
		if e.IsDir() || !slices.Contains([]string{".png", ".jpg", ".jpeg"}, ext) || strings.HasSuffix(name, maskSuffix) {
			continue
		}
		mask := maskOf(strings.TrimSuffix(name, filepath.Ext(name)))
		if _, err := os.Stat(mask); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("eval: picture %s has no mask: want %s", filepath.Join(images, name), mask)
		}
		f.pairs = append(f.pairs, pair{filepath.Join(images, name), mask})
	}
	if len(f.pairs) == 0 {
		return nil, fmt.Errorf("eval: no picture in %s: want NAME.png or .jpg beside NAME%s, or images/ and masks/", images, maskSuffix)
	}
	return f, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// Len is the number of pairs.
func (f *Folder) Len() int { return len(f.pairs) }

// At reads pair i from disk.
func (f *Folder) At(i int, s *Sample) error {
	p := f.pairs[i]
	img, err := readImage(p.image)
	if err != nil {
		return err
	}
	mask, err := readImage(p.mask)
	if err != nil {
		return err
	}
	if img.Bounds().Size() != mask.Bounds().Size() {
		return fmt.Errorf("eval: mask %s is %v, its picture %v: they must have one size",
			p.mask, mask.Bounds().Size(), img.Bounds().Size())
	}
	s.Name = filepath.Base(p.image)
	fillFrame(&s.Frame, img)
	if err := fillMask(&s.Truth, mask, f.classes); err != nil {
		return fmt.Errorf("eval: mask %s: %w", p.mask, err)
	}
	return nil
}

func readImage(path string) (image.Image, error) {
	img, _, err := infile.Image(path)
	if err != nil {
		return nil, fmt.Errorf("eval: picture %s: %w", path, err)
	}
	return img, nil
}

func fillFrame(f *edged.Frame, img image.Image) {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	*f = edged.Frame{Pix: make([]byte, 3*w*h), Stride: 3 * w, W: w, H: h, Format: edged.BGR}
	for y := range h {
		row := f.Pix[y*f.Stride:]
		for x := range w {
			r, g, bl, _ := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
			row[3*x], row[3*x+1], row[3*x+2] = byte(bl>>8), byte(g>>8), byte(r>>8)
		}
	}
}

func fillMask(m *edged.Mask, img image.Image, classes int) error {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	*m = edged.Mask{Pix: make([]uint8, w*h), Stride: w, W: w, H: h, Grid: edged.Grid{Stride: [2]float64{1, 1}}}
	var id func(x, y int) uint8
	switch img := img.(type) {
	case *image.Gray:
		id = func(x, y int) uint8 { return img.GrayAt(x, y).Y }
	case *image.Paletted:
		id = img.ColorIndexAt
	default:
		return fmt.Errorf("its pixels are %T: want class ids in an 8-bit greyscale or palette PNG", img)
	}
	for y := range h {
		for x := range w {
			c := id(b.Min.X+x, b.Min.Y+y)
			if int(c) >= classes {
				return fmt.Errorf("class id %d at (%d, %d): the net knows 0..%d", c, x, y, classes-1)
			}
			m.Pix[y*w+x] = c
		}
	}
	return nil
}
