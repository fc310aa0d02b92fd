package belt

import "math"

// The belt is cut into lanes (rows of parts) and cells (one part each). A part,
// its bevel and its shadow stay inside their cell, so that a pixel needs to look
// at one part only.
const (
	laneHeight = 240
	cellWidth  = 300
)

type shape uint8

const (
	plate  shape = iota // rounded rectangle with round holes, ground lengthwise
	link                // rounded rectangle with a slot
	washer              // ring, turned: the marks run around
	flange              // disc with a bore and bolt holes, turned
	shapes = iota
)

// maxHoles and maxDefects bound the fixed arrays of a part.
const (
	maxHoles   = 7
	maxDefects = 6
)

type hole struct {
	x, y, r float64
	half    float64 // half length of a slot along x, 0: round
}

// part is one metal part. Lengths are pixels, local coordinates have their
// origin at its centre and x along its length.
type part struct {
	cx, cy       float64 // centre on the belt
	cos, sin     float64 // of its rotation
	shape        shape
	hx, hy, r    float64 // half sides and corner radius; r alone for round shapes
	bevel        float64 // width of the chamfer
	holes        [maxHoles]hole
	nHoles       int
	grey         float64    // brightness of the bare surface
	tint         [3]float64 // blue, green, red
	gloss        float64    // share of the lamp it throws back
	texX, texY   float64    // where its marks start in the brush texture
	brushCos     float64    // direction of the marks
	brushSin     float64
	lobe         float64 // angle at which a turned face lights up
	defects      [maxDefects]defect
	nDefects     int
	dirtX, dirtY float64
}

// makePart draws the part of one cell.
func makePart(p *part, seed uint64, lane, cell int64, laneY, defectRate float64) {
	r := newRNG(seed, uint64(lane)+101, uint64(cell))
	*p = part{shape: shape(r.n(shapes))}
	angle := r.in(-0.12, 0.12)
	p.cos, p.sin = math.Cos(angle), math.Sin(angle)
	p.bevel = r.in(3, 5.5)
	p.grey = r.in(118, 150)
	warm := r.in(-0.03, 0.03)
	p.tint = [3]float64{1 - warm + 0.012, 1, 1 + warm}
	p.gloss = r.in(0.55, 1)
	p.texX, p.texY = r.in(0, texSize), r.in(0, texSize)
	p.dirtX, p.dirtY = r.in(0, texSize), r.in(0, texSize)
	brush := r.in(-0.06, 0.06)
	if r.float() < 0.25 { // ground across
		brush += math.Pi / 2
	}
	p.brushCos, p.brushSin = math.Cos(brush), math.Sin(brush)
	p.lobe = r.in(-0.5, 0.3)
	p.outline(&r)
	half := p.hx + 16
	slack := cellWidth/2 - half - 14
	p.cx = (float64(cell)+0.5)*cellWidth + r.in(-slack, slack)
	p.cy = laneY + r.in(-3, 3)
	p.addDefects(&r, defectRate)
}

func (p *part) outline(r *rng) {
	switch p.shape {
	case plate:
		p.hx, p.hy, p.r = r.in(88, 116), r.in(58, 80), r.in(8, 26)
		hr := r.in(8, 14)
		ix, iy := p.hx-hr-r.in(10, 16), p.hy-hr-r.in(10, 16)
		p.addHole(-ix, -iy, hr, 0)
		p.addHole(ix, iy, hr, 0)
		if r.float() < 0.6 {
			p.addHole(ix, -iy, hr, 0)
			p.addHole(-ix, iy, hr, 0)
		}
	case link:
		p.hx, p.hy = r.in(92, 116), r.in(46, 66)
		p.r = p.hy * r.in(0.5, 1)
		p.addHole(r.in(-25, 25), 0, r.in(9, 15), r.in(14, 34))
	case washer:
		p.r = r.in(74, 95)
		p.hx, p.hy = p.r, p.r
		p.addHole(0, 0, p.r*r.in(0.3, 0.5), 0)
	case flange:
		p.r = r.in(80, 96)
		p.hx, p.hy = p.r, p.r
		p.addHole(0, 0, r.in(14, 24), 0)
		n, at := 3+r.n(4), r.in(0, 6)
		for i := range n {
			s, c := math.Sincos(at + 2*math.Pi*float64(i)/float64(n))
			p.addHole(0.72*p.r*c, 0.72*p.r*s, 8, 0)
		}
	}
}

func (p *part) addHole(x, y, r, half float64) {
	p.holes[p.nHoles] = hole{x, y, r, half}
	p.nHoles++
}

func (p *part) turned() bool { return p.shape == washer || p.shape == flange }

// local turns belt coordinates into the part's own.
func (p *part) local(u, v float64) (x, y float64) {
	u, v = u-p.cx, v-p.cy
	return u*p.cos + v*p.sin, v*p.cos - u*p.sin
}

// distance is the signed distance to the part's edge, negative inside metal.
func (p *part) distance(x, y float64) float64 {
	var d float64
	if p.turned() {
		d = math.Sqrt(x*x+y*y) - p.r
	} else {
		qx, qy := math.Abs(x)-p.hx+p.r, math.Abs(y)-p.hy+p.r
		ox, oy := max(qx, 0), max(qy, 0)
		d = math.Sqrt(ox*ox+oy*oy) + min(max(qx, qy), 0) - p.r
	}
	for i := range p.nHoles {
		h := &p.holes[i]
		dx, dy := math.Abs(x-h.x)-h.half, y-h.y
		dx = max(dx, 0)
		if h.half == 0 {
			dx = x - h.x
		}
		d = max(d, h.r-math.Sqrt(dx*dx+dy*dy))
	}
	return d
}

// normal is the unit vector along which the distance grows fastest.
func (p *part) normal(x, y float64) (nx, ny float64) {
	const h = 0.5
	nx = p.distance(x+h, y) - p.distance(x-h, y)
	ny = p.distance(x, y+h) - p.distance(x, y-h)
	n := math.Sqrt(nx*nx + ny*ny)
	if n == 0 {
		return 0, 0
	}
	return nx / n, ny / n
}
