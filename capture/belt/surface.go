package belt

import "math"

// Towards the lamp, in the picture (y grows downwards), a unit vector: it hangs
// above the upper left corner.
const (
	lampX = -0.6
	lampY = -0.8
)

// textures are the noises that every surface is made of.
type textures struct {
	cloud, brush texture
}

// texel is one place of the belt as the lamp at full power shows it: blue,
// green, red, and how much of the moving highlight it throws back; 0..255.
type texel [4]float32

// shade renders the belt at (u, v) with the part of that cell.
func shade(t *textures, p *part, u, v float64) (texel, uint8) {
	x, y := p.local(u, v)
	d := p.distance(x, y)
	if d > 0.5 {
		return shadeBelt(t, p, u, v, x, y, d), Background
	}
	metal, class := shadeMetal(t, p, x, y, d)
	if d <= -0.5 {
		return metal, class
	}
	// The pixel straddles the edge: mix by the share of each.
	ground := shadeBelt(t, p, u, v, x, y, d)
	cover := float32(0.5 - d)
	for c := range metal {
		metal[c] = ground[c] + (metal[c]-ground[c])*cover
	}
	if d > 0 {
		class = Background
	}
	return metal, class
}

// shadeBelt is worn rubber with a woven face, in the shadow of the part.
func shadeBelt(t *textures, p *part, u, v, x, y, d float64) texel {
	weave := math.Sin((u+v)*1.25) * math.Sin((u-v)*1.25)
	wear := t.brush.at(0.18*u, 0.7*v)
	dirt := t.cloud.at(0.8*u, 0.8*v)
	fine := t.cloud.at(7.3*u, 6.1*v+90)
	g := 47 + 2.4*weave + 5*wear + 7*dirt + 5*fine
	if dust := t.cloud.at(3.7*u+200, 4.1*v); dust > 0.72 {
		g += 90 * (dust - 0.72)
	}
	if d < 40 {
		g *= 1 - shadow(p, x, y, d)
	}
	return texel{float32(g * 1.0), float32(g * 1.03), float32(g * 0.94), float32(11 + 5*dirt)}
}

// shadow is the share of light that the part takes from the belt at local
// (x, y): a soft cast shadow away from the lamp and a dark line of contact.
func shadow(p *part, x, y, d float64) float64 {
	const reach = 8 // the part's height as the lamp's angle throws it
	lx := lampX*p.cos + lampY*p.sin
	ly := lampY*p.cos - lampX*p.sin
	cast := p.distance(x+reach*lx, y+reach*ly)
	return min(0.86, 0.62*(1-step(-7, 7, cast))+0.45*(1-step(0, 5, d)))
}

// shadeMetal is ground or turned steel with bevel, dirt and defects.
func shadeMetal(t *textures, p *part, x, y, d float64) (texel, uint8) {
	mark, class := flaws(t, p, x, y)
	streak, sheen := grind(t, p, x, y)
	dirt := t.cloud.at(0.7*x+p.dirtX, 0.7*y+p.dirtY)
	fine := t.cloud.at(6.7*x+p.dirtX, 7.1*y+p.dirtY)
	if scuff := t.brush.at(0.45*(x*0.6+y*0.8)+p.dirtX, 0.9*(y*0.6-x*0.8)+p.dirtY); scuff > 0.5 {
		streak += 0.9 * (scuff - 0.5) // a hairline from handling, no defect
	}
	g := p.grey * (1 + 0.115*streak + 0.045*dirt + 0.02*fine) * (0.84 + 0.34*sheen)
	shine := p.gloss * (120 + 70*streak + 20*dirt) * (0.45 + 0.75*sheen)
	if edge := 1 + d/p.bevel; edge > 0 {
		g, shine = bevel(p, x, y, edge, g, shine)
	}
	var out texel
	for c := range 3 {
		out[c] = float32(max(0, g*p.tint[c]*mark.mul[c]+mark.add))
	}
	out[3] = float32(max(0, min(255, shine*mark.shine)))
	return out, class
}

// grind is the mark of the machining and how it catches the fixed lamp.
func grind(t *textures, p *part, x, y float64) (streak, sheen float64) {
	if !p.turned() {
		a := x*p.brushCos + y*p.brushSin
		b := y*p.brushCos - x*p.brushSin
		streak = t.brush.at(0.9*a+p.texX, 0.95*b+p.texY)
		sheen = 0.5 + 0.5*math.Sin(0.011*b+p.lobe*6) // rolled sheet is never quite flat
		return streak, sheen
	}
	rho := math.Sqrt(x*x + y*y)
	// Around a turned face the marks wrap: the texture is walked along the angle.
	theta := math.Atan2(y, x)
	streak = t.brush.at(theta*(texSize/(2*math.Pi))+p.texX, 0.95*rho+p.texY)
	c := math.Cos(theta - math.Atan2(lampY, lampX) - p.lobe)
	c *= c
	// Marks across the light throw it back: two opposite wedges.
	return streak, 0.25 + 0.95*c*c*c*step(0, 22, rho)
}

// bevel tilts the metal outwards over the last pixels before its edge.
func bevel(p *part, x, y, edge, g, shine float64) (float64, float64) {
	nx, ny := p.normal(x, y)
	ux, uy := nx*p.cos-ny*p.sin, nx*p.sin+ny*p.cos
	facing := ux*lampX + uy*lampY
	tilt := min(1, 1.6*edge)
	g *= 1 + tilt*(0.52*facing-0.10)
	if facing > 0 {
		g += 46 * facing * facing * bump(edge-0.45, 0.5)
	}
	return g * (1 - 0.35*bump(edge-1, 0.28)), shine * (1 - 0.7*tilt)
}

// flaws is what the part's defects do at (x, y). Where two meet, the one with
// the lower id of pit, scratch, stain in this order is on top.
func flaws(t *textures, p *part, x, y float64) (mark, uint8) {
	m, class := noMark, Metal
	for i := range p.nDefects {
		d := &p.defects[i]
		inside, across, along := d.depthAt(t, x, y)
		if inside <= -0.5 {
			continue
		}
		k := d.paint(t, x, y, inside, across, along, min(1, inside+0.5))
		for c := range m.mul {
			m.mul[c] *= k.mul[c]
		}
		m.add += k.add
		m.shine *= k.shine
		if inside > 0 && rank(d.class) > rank(class) {
			class = d.class
		}
	}
	return m, class
}

// rank orders the classes where defects meet: a pit cuts through a scratch, a
// scratch through a stain.
func rank(class uint8) int {
	return [Classes]int{Metal: 1, Stain: 2, Scratch: 3, Pit: 4}[class]
}
