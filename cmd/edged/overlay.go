package main

import (
	"image"
	"math"

	"edged"
	"edged/internal/atomicfile"
)

// overlayColours are those of classes 1 and up: Okabe and Ito's, which people
// tell apart with any kind of colour vision.
var overlayColours = [][3]uint8{
	{0x56, 0xb4, 0xe9}, {0xe6, 0x9f, 0x00}, {0xcc, 0x79, 0xa7}, {0x00, 0x9e, 0x73}, {0xf0, 0xe4, 0x42}, {0xd5, 0x5e, 0x00}, {0x00, 0x72, 0xb2},
}

// writeOverlay writes the picture with its mask on it, placed by the mask's grid.
func (v *vision) writeOverlay(path string) (writtenFile, error) {
	if err := v.lookup(); err != nil {
		return writtenFile{}, err
	}
	m := v.stage.Mask.Make(v.engine.Output(v.stage.Output))
	m.Grid = v.stage.Prepare.Place(v.stage.Grid, m.H, m.W)
	b, err := encoderOf(path)(overlay(v.frame, m))
	if err != nil {
		return writtenFile{}, err
	}
	return writtenFile{path, v.engine.Outputs()[v.stage.Output].Name, "overlay", []int{v.frame.H, v.frame.W}}, atomicfile.Write(path, b)
}

// overlay is f, each pixel under a class above 0 half in that class's colour.
// Where the mask does not reach, and under class 0, the picture stays.
func overlay(f *edged.Frame, m *edged.Mask) image.Image {
	rgb := *f
	if f.Format == edged.Gray { // colours need three channels
		rgb = edged.Frame{Pix: make([]byte, 3*f.W*f.H), Stride: 3 * f.W, W: f.W, H: f.H, Format: edged.RGB}
		for i := range f.W * f.H {
			p := f.Pix[i/f.W*f.Stride+i%f.W]
			copy(rgb.Pix[3*i:], []byte{p, p, p})
		}
	}
	img := pictureOf(&rgb).(*image.RGBA)
	for y := range f.H {
		row, ok := nearest(y, m.Grid.Origin[0], m.Grid.Stride[0], m.H)
		if !ok {
			continue
		}
		for x := range f.W {
			col, ok := nearest(x, m.Grid.Origin[1], m.Grid.Stride[1], m.W)
			if id := int(m.Pix[row*m.Stride+col]); ok && id > 0 {
				tint(img.Pix[y*img.Stride+4*x:], overlayColours[(id-1)%len(overlayColours)])
			}
		}
	}
	return img
}

func tint(p []uint8, c [3]uint8) {
	for i := range c {
		p[i] = uint8((int(p[i]) + int(c[i])) / 2)
	}
}

// nearest is the position of n whose centre is closest to pixel at, if one has it.
func nearest(at int, origin, stride float64, n int) (int, bool) {
	i := int(math.Floor((float64(at)-origin)/stride + 0.5))
	return min(max(i, 0), n-1), i >= 0 && i < n
}
