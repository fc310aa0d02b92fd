// Package quality measures a picture itself: whether it is exposed, in focus, has
// contrast and changes. A model answers on a black picture too; these tell that its
// answer is worth nothing.
//
// Exposure is the share of pixels at either end of the range, contrast the standard
// deviation of brightness, and blur the variance of the Laplacian: J. L. Pech-Pacheco
// and others, "Diatom autofocusing in brightfield microscopy: a comparative study",
// ICPR 2000; S. Pertuz and others, "Analysis of focus measure operators for
// shape-from-focus", Pattern Recognition 46 (2013), where it is LAP4. Its kernel is
// the one of four neighbours and brightness is OpenCV's grey, so that
// cv2.Laplacian(grey, cv2.CV_64F).var() gives the same numbers. It grows with the
// noise of the sensor as with detail: limits hold for one camera and one scene.
package quality

import (
	"hash/crc32"

	"edged"
)

const (
	// darkest and brightest are the brightness up to which a pixel is black, and from
	// which it is white: video's black is 16, and sensors add some noise.
	darkest   = 20
	brightest = 250

	// rowsWhole is how many rows are measured whole; of a higher picture bands of
	// bandRows are, spread over it, about as many rows in all.
	rowsWhole = 72
	bandRows  = 6
)

// Rect is the part of a frame that is measured.
type Rect struct{ X, Y, W, H int }

// Meter measures one camera's pictures. One goroutine at a time uses it. It allocates
// when pictures grow wider, and at no other time.
type Meter struct {
	Repeats bool // count pictures in a row that are the same; it takes reading them whole

	rows  [3][]uint8 // brightness of three rows in turn
	taken [3]int     // which row of the frame each holds
	sum   uint32     // over the picture before
	alike int
}

// sums is what one pass over a picture adds up.
type sums struct {
	n, dark, bright, sum, squares uint64
	inner                         uint64 // pixels with four neighbours
	lap, lapSquares               int64
}

// Measure looks at the part r of f. f.Pix holds whole rows.
func (m *Meter) Measure(f *edged.Frame, r Rect) edged.Quality {
	m.fit(r.W)
	var s sums
	for y := 0; y < r.H; y++ {
		y = skip(y, r.H)
		if y >= r.H {
			break
		}
		s.brightness(m.row(f, r, y))
		if y > 0 && y < r.H-1 {
			s.laplacian(m.row(f, r, y-1), m.row(f, r, y), m.row(f, r, y+1))
		}
	}
	q := s.quality()
	if m.Repeats {
		q.Alike = m.repeats(f, r)
	}
	return q
}

// skip is the next row from y on that lies in a band.
func skip(y, h int) int {
	if h <= rowsWhole || y%bandRows != 0 {
		return y
	}
	bands := rowsWhole / bandRows
	step := float64(h-bandRows) / float64(bands-1)
	for i := range bands {
		if at := int(float64(i)*step) / bandRows * bandRows; at >= y {
			return at
		}
	}
	return h
}

func (m *Meter) fit(w int) {
	for i := range m.rows {
		if cap(m.rows[i]) < w {
			m.rows[i] = make([]uint8, w)
		}
		m.rows[i], m.taken[i] = m.rows[i][:w], -1
	}
}

// row is the brightness of row y of r.
func (m *Meter) row(f *edged.Frame, r Rect, y int) []uint8 {
	i := y % 3
	if m.taken[i] != y {
		m.taken[i] = y
		at := (r.Y+y)*f.Stride + r.X*f.Format.Channels()
		grey(m.rows[i], f.Pix[at:at+r.W*f.Format.Channels()], f.Format)
	}
	return m.rows[i]
}

// grey is OpenCV's: 0.299 R + 0.587 G + 0.114 B.
func grey(dst, src []uint8, format edged.PixelFormat) {
	if format == edged.Gray {
		copy(dst, src)
		return
	}
	first, last := uint32(29), uint32(77) // of 256, for B and R
	if format == edged.RGB {
		first, last = last, first
	}
	for i := range dst {
		p := src[3*i : 3*i+3 : 3*i+3]
		dst[i] = uint8((first*uint32(p[0]) + 150*uint32(p[1]) + last*uint32(p[2]) + 128) >> 8)
	}
}

// brightness adds one row to exposure and contrast.
func (s *sums) brightness(row []uint8) {
	var sum, dark, bright uint32
	var squares uint64
	for _, v := range row {
		x := uint32(v)
		sum += x
		squares += uint64(x * x)
		dark += (x - darkest - 1) >> 31
		bright += (brightest - 1 - x) >> 31
	}
	s.n += uint64(len(row))
	s.sum += uint64(sum)
	s.squares += squares
	s.dark += uint64(dark)
	s.bright += uint64(bright)
}

// laplacian adds the inner pixels of the row in the middle.
func (s *sums) laplacian(above, row, below []uint8) {
	n := len(row) - 2
	if n < 1 {
		return
	}
	up, down, left, right, mid := above[1:n+1], below[1:n+1], row[:n], row[2:n+2], row[1:n+1]
	var sum, squares int64
	for i := range mid {
		l := int32(up[i]) + int32(down[i]) + int32(left[i]) + int32(right[i]) - 4*int32(mid[i])
		sum += int64(l)
		squares += int64(l * l)
	}
	s.inner += uint64(n)
	s.lap += sum
	s.lapSquares += squares
}

func (s *sums) quality() (q edged.Quality) {
	if s.n > 0 {
		n := float64(s.n)
		q.Dark, q.Bright = float64(s.dark)/n, float64(s.bright)/n
		q.Contrast = root(variance(float64(s.sum), float64(s.squares), n))
	}
	if s.inner > 0 {
		q.Blur = variance(float64(s.lap), float64(s.lapSquares), float64(s.inner))
	}
	return q
}

// repeats counts the pictures in a row that were the same, this one included.
func (m *Meter) repeats(f *edged.Frame, r Rect) int {
	ch := f.Format.Channels()
	sum := uint32(r.W)
	for y := range r.H {
		at := (r.Y+y)*f.Stride + r.X*ch
		sum = crc32.Update(sum, castagnoli, f.Pix[at:at+r.W*ch])
	}
	if m.alike == 0 || sum != m.sum {
		m.sum, m.alike = sum, 0
	}
	m.alike++
	return m.alike
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)
