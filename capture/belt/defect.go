package belt

import "math"

// defect is one flaw on a part, in the part's own coordinates.
type defect struct {
	class    uint8
	x, y     float64 // centre
	cos, sin float64 // direction of a scratch
	half     float64 // half length of a scratch; radius of a pit or stain
	width    float64 // half width of a scratch at its widest
	bend     float64 // sideways pixels per squared pixel along
	wave     float64 // phase of its unevenness, and place in the textures
	depth    float64 // strength, about 0.7..1.3
	tint     [3]float64
}

// mark is what a defect does to one pixel of metal: brightness is multiplied by
// mul per channel, then add is added; shine scales the lamp's reflection.
type mark struct {
	mul   [3]float64
	add   float64
	shine float64
}

var noMark = mark{mul: [3]float64{1, 1, 1}, shine: 1}

func (p *part) addDefects(r *rng, rate float64) {
	if r.float() >= rate {
		return
	}
	for range 1 + r.n(2) {
		class := Scratch + uint8(r.n(3))
		p.addDefect(r, class)
		for class == Pit && r.float() < 0.55 { // corrosion comes in groups
			p.addDefect(r, class)
		}
	}
}

// addDefect places one defect where there is metal; it gives up where the part
// is full.
func (p *part) addDefect(r *rng, class uint8) {
	if p.nDefects == maxDefects {
		return
	}
	d := defect{class: class, wave: r.in(0, texSize), depth: r.in(0.75, 1.25)}
	clear := 10.0
	for range 12 {
		d.x, d.y = r.in(-p.hx, p.hx)*0.92, r.in(-p.hy, p.hy)*0.92
		if p.distance(d.x, d.y) < -clear {
			d.shape(r)
			p.defects[p.nDefects] = d
			p.nDefects++
			return
		}
	}
}

func (d *defect) shape(r *rng) {
	switch d.class {
	case Scratch:
		angle := r.in(0, math.Pi)
		d.cos, d.sin = math.Cos(angle), math.Sin(angle)
		d.half = r.in(28, 85)
		d.width = r.in(2.6, 5)
		d.bend = r.in(-0.003, 0.003)
	case Pit:
		d.half = r.in(4.5, 11)
	case Stain:
		d.half = r.in(20, 42)
		warm := r.in(0.3, 1)
		d.tint = [3]float64{0.76 - 0.12*warm, 0.80 - 0.04*warm, 0.82 + 0.04*warm} // rust, tea
		if r.float() < 0.35 {
			d.tint = [3]float64{0.80, 0.74, 0.68 - 0.05*warm} // oil, blued
		}
	}
}

// depthAt is how far (x, y) lies inside the defect, in pixels or a like measure:
// positive inside. The truth mask is exactly where it is positive.
func (d *defect) depthAt(t *textures, x, y float64) (inside, across, along float64) {
	x, y = x-d.x, y-d.y
	switch d.class {
	case Scratch:
		return d.scratchAt(t, x, y)
	case Pit:
		return d.pitAt(t, x, y)
	}
	return d.stainAt(t, x, y)
}

func (d *defect) scratchAt(t *textures, x, y float64) (inside, across, along float64) {
	a := x*d.cos + y*d.sin
	if math.Abs(a) > d.half {
		return -1, 0, 0
	}
	b := y*d.cos - x*d.sin - d.bend*a*a
	if math.Abs(b) > 2*d.width+4 {
		return -1, 0, 0
	}
	b += 2.2 * t.cloud.at(0.35*a+d.wave, d.wave)
	s := a / d.half
	width := d.width * math.Sqrt(1-s*s) * (0.92 + 0.4*t.cloud.at(1.1*a+d.wave, 3*d.wave))
	return width - math.Abs(b), b / max(width, 0.5), a
}

func (d *defect) pitAt(t *textures, x, y float64) (inside, across, along float64) {
	if x*x+y*y > 3*d.half*d.half {
		return -1, 0, 0
	}
	rho := math.Sqrt(x*x + y*y)
	// A noise sampled on a circle closes on itself: an outline without a seam.
	k := 16 / max(rho, 0.5)
	radius := d.half * (1 + 0.75*t.cloud.at(d.wave+k*x, 2*d.wave+k*y))
	return radius - rho, rho / radius, 0
}

func (d *defect) stainAt(t *textures, x, y float64) (inside, across, along float64) {
	if x*x+y*y > 4*d.half*d.half {
		return -1, 0, 0
	}
	rho := math.Sqrt(x*x+y*y) / d.half
	f := 1 - rho + 0.62*t.cloud.at(1.3*x+d.wave, 1.3*y+2*d.wave)
	return f * d.half * 0.5, rho, 0
}

// paint turns the place inside a defect into what it does to the metal there.
// edge is how much of the pixel it covers, 0..1.
func (d *defect) paint(t *textures, x, y, inside, across, along, edge float64) mark {
	switch d.class {
	case Scratch:
		return d.paintScratch(t, across, along, edge)
	case Pit:
		return d.paintPit(t, x-d.x, y-d.y, across, edge)
	}
	return d.paintStain(t, x, y, inside, edge)
}

// paintScratch is a groove: the wall towards the lamp lies in the dark, the
// other one shines, torn metal at the bottom runs along it, burrs stand at its
// lips.
func (d *defect) paintScratch(t *textures, across, along, edge float64) mark {
	towards := d.cos*lampY - d.sin*lampX // of the groove's normal to the lamp
	side := 1.0
	if towards < 0 {
		side = -1
	}
	strength := d.depth * (0.6 + 0.4*math.Abs(towards)) * edge
	torn := t.brush.at(0.7*along+d.wave, 4.5*across+d.wave)
	chatter := t.cloud.at(3.1*along+d.wave, d.wave) // the tool skipped
	dark := bump(across-0.5*side, 0.8) * (1 + 0.5*chatter)
	bright := bump(across+0.45*side, 0.62) * (1 + 0.9*chatter)
	m := 1 - strength*(0.52*dark+0.13)
	add := strength * (74*max(0, bright) + 22*torn)
	return mark{mul: [3]float64{m, m, m}, add: add, shine: 1 - 0.35*edge}
}

// paintPit is a crater: dark and rough inside, its far wall lit, a raised rim.
func (d *defect) paintPit(t *textures, x, y, rho, edge float64) mark {
	n := max(math.Sqrt(x*x+y*y), 0.01)
	facing := (x*lampX + y*lampY) / n // 1 on the side of the lamp
	rough := t.cloud.at(9*x+d.wave, 9*y+d.wave)
	wall := bump(rho-0.78, 0.34)
	floor := 0.36 + 0.22*rough + 0.10*facing*-rho
	m := floor + 0.24*step(0.55, 1, rho)*(1-0.5*facing)
	m -= 0.22 * wall * max(facing, 0)
	m = lerp(1, max(m, 0.08), edge*min(1, 0.8*d.depth+0.15))
	add := edge * wall * max(-facing, 0) * d.depth * (72 + 50*rough)
	return mark{mul: [3]float64{m * 0.97, m * 0.985, m}, add: max(add, 0), shine: 1 - 0.9*edge}
}

// paintStain is a film that dried: it tints and dulls, unevenly, darkest where
// it ended and where an earlier drop had ended.
func (d *defect) paintStain(t *textures, x, y, inside, edge float64) mark {
	mottle := t.cloud.at(1.9*x+d.wave, 1.9*y)
	film := edge * min(1.15, (0.72+0.3*d.depth)*(0.86+0.3*mottle)) * (0.8 + 0.2*step(14, 2, inside))
	fringe := edge * (0.17*bump(inside-1.2, 2.4) + 0.05*bump(inside-6.5-4*mottle, 1.8))
	var k mark
	for c := range k.mul {
		k.mul[c] = 1 - film*(1-d.tint[c]) - fringe
	}
	k.shine = 1 - 0.62*edge
	return k
}
