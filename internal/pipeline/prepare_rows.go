package pipeline

import "edged"

// Luma weights of ITU-R BT.601 in 1/2^14, as OpenCV's cvtColor uses them. They
// add up to 2^14, so white stays 255.
const (
	lumaBits  = 14
	lumaRed   = 4899
	lumaGreen = 9617
	lumaBlue  = 1868
)

// source returns row y of the model's input in the model's number of channels,
// still in the frame's byte order, and whether the outer channels must be
// exchanged on the way.
func (p *Preparer) source(f *edged.Frame, y int) (row []byte, swap bool) {
	ch := f.Format.Channels()
	switch {
	case p.cfg.Fit == Resize:
		resizeRow(p.row, f.Pix, p.view.base, p.tapsY[y], p.tapsX, ch)
		row = p.row
	case p.cfg.Fit == Tile && p.view.w < p.w:
		p.view.row(p.row, f.Pix, y, ch)
		row = p.row
	case p.view.stepX == ch:
		start := p.view.base + y*p.view.stepY
		row = f.Pix[start : start+p.w*ch]
	default:
		p.view.row(p.row, f.Pix, y, ch)
		row = p.row
	}
	switch {
	case ch == p.ch:
		return row, ch == 3 && f.Format != p.cfg.Order
	case ch == 1:
		grayTo3(p.match, row)
	default:
		toGray(p.match, row, f.Format)
	}
	return p.match, false
}

func grayTo3(dst, src []byte) {
	for i, v := range src {
		d := dst[3*i : 3*i+3 : 3*i+3]
		d[0], d[1], d[2] = v, v, v
	}
}

func toGray(dst, src []byte, order edged.PixelFormat) {
	first, last := uint32(lumaRed), uint32(lumaBlue)
	if order == edged.BGR {
		first, last = last, first
	}
	for i := range dst {
		s := src[3*i : 3*i+3 : 3*i+3]
		sum := uint32(s[0])*first + uint32(s[1])*lumaGreen + uint32(s[2])*last
		dst[i] = byte((sum + 1<<(lumaBits-1)) >> lumaBits)
	}
}

func (p *Preparer) writeFloats(dst []float32, f *edged.Frame) {
	n := p.w * p.ch
	for y := range p.rows() {
		row, swap := p.source(f, y)
		p.routines.PrepareF32(dst[y*n:][:n], row, &p.norm, swap)
	}
}

func (p *Preparer) writeBytes(dst []byte, f *edged.Frame) {
	n := p.w * p.ch
	for y := range p.rows() {
		row, swap := p.source(f, y)
		out := dst[y*n:][:n]
		if p.ch == 1 {
			for i, v := range row {
				out[i] = p.table[0][v]
			}
			continue
		}
		first, last := 0, 2
		if swap {
			first, last = 2, 0
		}
		for i := 0; i+3 <= n; i += 3 {
			s, d := row[i:i+3:i+3], out[i:i+3:i+3]
			d[0] = p.table[0][s[first]]
			d[1] = p.table[1][s[1]]
			d[2] = p.table[2][s[last]]
		}
	}
}

// rows is how many rows of the input come from the frame.
func (p *Preparer) rows() int {
	if p.cfg.Fit == Tile || p.cfg.Fit == strip {
		return min(p.h, p.view.h)
	}
	return p.h
}
