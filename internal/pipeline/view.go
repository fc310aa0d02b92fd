package pipeline

import "edged"

// Rect is a part of a frame, in frame pixels. The zero Rect means all of it.
type Rect struct{ X, Y, W, H int }

// view reads a rectangle of a frame, turned, as if it were a picture of its
// own: pixel (x, y) starts at byte base + x*stepX + y*stepY of the frame.
type view struct {
	base, stepX, stepY int // bytes
	w, h               int // pixels, after turning
}

// viewOf turns the rectangle r of f clockwise by rotate degrees, a multiple of
// 90.
func viewOf(f *edged.Frame, r Rect, rotate int) view {
	ch, row := f.Format.Channels(), f.Stride
	first := r.Y*row + r.X*ch
	right, bottom := (r.W-1)*ch, (r.H-1)*row
	switch rotate {
	case 0:
		return view{first, ch, row, r.W, r.H}
	case 90: // the left column becomes the top row, read upwards
		return view{first + bottom, -row, ch, r.H, r.W}
	case 180:
		return view{first + bottom + right, -ch, -row, r.W, r.H}
	case 270: // the right column becomes the top row, read downwards
		return view{first + right, row, -ch, r.H, r.W}
	}
	panic("BUG: rotation is not a multiple of 90 degrees")
}

// crop is the part of v that starts at (x, y).
func (v view) crop(x, y, w, h int) view {
	return view{v.base + x*v.stepX + y*v.stepY, v.stepX, v.stepY, w, h}
}

// row copies w pixels of row y into dst, ch bytes each.
func (v view) row(dst, pix []byte, y, ch int) {
	at := v.base + y*v.stepY
	if ch == 1 {
		for x := range v.w {
			dst[x] = pix[at]
			at += v.stepX
		}
		return
	}
	for x := 0; x < 3*v.w; x += 3 {
		p, d := pix[at:at+3:at+3], dst[x:x+3:x+3]
		d[0], d[1], d[2] = p[0], p[1], p[2]
		at += v.stepX
	}
}

// axis maps positions of a model's input onto one axis of a view by
// v = scale*p + offset, where whole numbers are pixel centres.
type axis struct{ scale, offset float64 }

// placement tells where a model's input lies on the frame.
type placement struct {
	roi    Rect
	rotate int
	y, x   axis // of the input on the turned picture
}

// frameGrid maps the grid g of a mask of h by w positions, given in input
// pixels, onto the frame. The mask is taken to be turned back into the frame's
// orientation, so strides stay positive.
func (p *placement) frameGrid(g edged.Grid, h, w int) edged.Grid {
	var stride, origin, last [2]float64 // on the turned picture: y, x
	for i, a := range [2]axis{p.y, p.x} {
		n := [2]int{h, w}[i]
		stride[i] = a.scale * g.Stride[i]
		origin[i] = a.scale*g.Origin[i] + a.offset
		last[i] = origin[i] + float64(n-1)*stride[i]
	}
	bottom, right := float64(p.roi.H-1), float64(p.roi.W-1)
	switch p.rotate {
	case 90: // frame x = turned y, frame y = bottom - turned x
		stride[0], stride[1] = stride[1], stride[0]
		origin[0], origin[1] = bottom-last[1], origin[0]
	case 180:
		origin[0], origin[1] = bottom-last[0], right-last[1]
	case 270: // frame x = right - turned y, frame y = turned x
		stride[0], stride[1] = stride[1], stride[0]
		origin[0], origin[1] = origin[1], right-last[0]
	}
	return edged.Grid{
		Stride: stride,
		Origin: [2]float64{origin[0] + float64(p.roi.Y), origin[1] + float64(p.roi.X)},
	}
}
