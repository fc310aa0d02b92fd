package capture

import (
	"image"
	"io"
	"slices"

	"edged"
	"edged/capture/internal/jpegfile"
)

// exifBytes is how far into a file its orientation is looked for.
const exifBytes = 128 << 10

// orientation is how a picture's file says that it is to be shown, 0: it does not.
func orientation(file io.Reader) int {
	head := make([]byte, exifBytes)
	n, _ := io.ReadFull(file, head)
	h, _ := jpegfile.Read(head[:n]) // what comes behind is for the decoder to judge
	return h.Orientation
}

// oriented turns and mirrors f as EXIF's orientation says; spare is memory for it,
// and what it returns is the memory that f had.
func oriented(f *edged.Frame, orientation int, spare []byte) []byte {
	if orientation < 2 || orientation > 8 {
		return spare
	}
	w, h, ch := f.W, f.H, f.Format.Channels()
	outW, outH := w, h
	if orientation > 4 {
		outW, outH = h, w
	}
	out := slices.Grow(spare[:0], w*h*ch)[:w*h*ch]
	for y := range outH {
		for x := range outW {
			sx, sy := origin(orientation, x, y, w, h)
			copy(out[(y*outW+x)*ch:][:ch], f.Pix[sy*f.Stride+sx*ch:])
		}
	}
	was := f.Pix
	f.Pix, f.W, f.H, f.Stride = out, outW, outH, outW*ch
	return was
}

// origin is where the pixel (x, y) of the picture as shown lies in its file.
func origin(orientation, x, y, w, h int) (sx, sy int) {
	switch orientation {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return y, h - 1 - x
	case 7:
		return w - 1 - y, h - 1 - x
	case 8:
		return w - 1 - y, x
	}
	return x, y
}

// deepRow brings a row of 16-bit grey, of which so many bits carry the picture, to
// eight bits.
func deepRow(row []byte, m *image.Gray16, x0, y, bits int) {
	if bits == 0 {
		bits = 16
	}
	most := uint32(1)<<bits - 1
	src := m.Pix[m.PixOffset(x0, y):]
	for x := range row {
		v := uint32(src[2*x])<<8 | uint32(src[2*x+1])
		row[x] = uint8((min(v, most)*255 + most/2) / most)
	}
}

// dim tells once of a grey source that stays within an eighth of its range: its
// pixels may be deeper than it is known to be.
type dim struct {
	frames int
	lit    bool // one has passed it, or it was told
}

// dimFrames is how many frames must stay within an eighth of the range.
const dimFrames = 25

// look tells whether the time to tell has come with f.
func (d *dim) look(f *edged.Frame, bits int) bool {
	if d.lit || bits != 0 || f.Format != edged.Gray {
		return false
	}
	for y := 0; y < f.H; y += max(1, f.H/inspectRows) {
		if slices.ContainsFunc(f.Pix[y*f.Stride:][:f.W], func(v byte) bool { return v >= 32 }) {
			d.lit = true
			return false
		}
	}
	d.frames++
	d.lit = d.frames >= dimFrames
	return d.lit
}

// tellDim warns of it.
func (c *Config) tellDim() {
	c.Log.Warn("no pixel passes an eighth of the range: if the camera's grey is deeper than 8 bits, say how deep, for example bits = 12", "camera", c.Name)
}
