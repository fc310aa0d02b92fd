package rewrite

import (
	"math"
	"math/rand/v2"

	"edged"
)

// canvas is a frame being painted: one number from 0 to 1 for every pixel and
// channel, the darkest and the brightest that the preparation can produce.
type canvas struct {
	size pair
	ch   int
	at   []float64 // [y, x, c]
	r    *rand.Rand
}

func (p *canvas) each(f func(y, x, c int) float64) {
	i := 0
	for y := range p.size[0] {
		for x := range p.size[1] {
			for c := range p.ch {
				p.at[i] = min(max(f(y, x, c), 0), 1)
				i++
			}
		}
	}
}

func (p *canvas) colour() []float64 {
	c := make([]float64, p.ch)
	for i := range c {
		c[i] = p.r.Float64()
	}
	return c
}

func (p *canvas) noise() { p.each(func(_, _, _ int) float64 { return p.r.Float64() }) }

// fill paints a rectangle.
func (p *canvas) fill(y0, x0, y1, x1 int, colour []float64) {
	for y := max(y0, 0); y < min(y1, p.size[0]); y++ {
		for x := max(x0, 0); x < min(x1, p.size[1]); x++ {
			copy(p.at[(y*p.size[1]+x)*p.ch:], colour)
		}
	}
}

// edges are rectangles of one colour over noise.
func (p *canvas) edges() {
	p.noise()
	for range 12 {
		y, x := p.r.IntN(p.size[0]), p.r.IntN(p.size[1])
		p.fill(y, x, y+1+p.r.IntN(1+p.size[0]/2), x+1+p.r.IntN(1+p.size[1]/2), p.colour())
	}
}

// gradients are ramps in a direction of its own for every channel.
func (p *canvas) gradients() {
	a, b := p.colour(), p.colour()
	n := float64(p.size[0] + p.size[1])
	p.each(func(y, x, c int) float64 {
		return math.Abs(math.Mod((4*a[c]-2)*float64(y)/n+(4*b[c]-2)*float64(x)/n+a[c]+2, 2) - 1)
	})
}

// stripes change their direction and width from tile to tile, down to one pixel.
func (p *canvas) stripes() {
	const tile = 48
	for y0 := 0; y0 < p.size[0]; y0 += tile {
		for x0 := 0; x0 < p.size[1]; x0 += tile {
			width, dy, dx := 1+p.r.IntN(9), p.r.IntN(3), p.r.IntN(3)
			two := [2][]float64{p.colour(), p.colour()}
			for y := y0; y < min(y0+tile, p.size[0]); y++ {
				for x := x0; x < min(x0+tile, p.size[1]); x++ {
					p.fill(y, x, y+1, x+1, two[(dy*y+dx*x)/width%2])
				}
			}
		}
	}
}

// blobs are soft spots, dark and bright, on an even ground.
func (p *canvas) blobs() {
	p.fill(0, 0, p.size[0], p.size[1], p.colour())
	for range 8 + p.size.area()/600 {
		cy, cx, radius, colour := p.r.IntN(p.size[0]), p.r.IntN(p.size[1]), 1+p.r.IntN(14), p.colour()
		for y := max(cy-2*radius, 0); y < min(cy+2*radius, p.size[0]); y++ {
			for x := max(cx-2*radius, 0); x < min(cx+2*radius, p.size[1]); x++ {
				w := math.Exp(-float64((y-cy)*(y-cy)+(x-cx)*(x-cx)) / float64(radius*radius))
				at := p.at[(y*p.size[1]+x)*p.ch:]
				for c := range colour {
					at[c] += w * (colour[c] - at[c])
				}
			}
		}
	}
}

// constants are large tiles of one colour each: the darkest, the brightest, the
// middle, and any.
func (p *canvas) constants() {
	const tile = 64
	k := 0
	for y := 0; y < p.size[0]; y += tile {
		for x := 0; x < p.size[1]; x += tile {
			colour := p.colour()
			if k%4 < 3 {
				for c := range colour {
					colour[c] = float64(k%4) / 2
				}
			}
			p.fill(y, x, y+tile, x+tile, colour)
			k++
		}
	}
}

// texture is faint noise on gradients: what most of a real picture is.
func (p *canvas) texture() {
	p.gradients()
	for i := range p.at {
		p.at[i] = min(max(p.at[i]+0.12*(p.r.Float64()-0.5), 0), 1)
	}
}

// paint fills a tensor with a scene, in the range that the manifest's
// preparation can produce; whole numbers from -4 to 4 where asked for.
func (v *verification) paint(b []byte, s edged.Spec, r *rand.Rand, whole bool, scene func(*canvas)) {
	p := &canvas{size: v.frame, ch: v.net.input.ch, at: make([]float64, v.frame.area()*v.net.input.ch), r: r}
	scene(p)
	d := stepsOf(newLayout(&value{n: v.frame, ch: p.ch}, v.frameDims))
	set := v.setter(b, s, whole)
	i := 0
	for y := range p.size[0] {
		for x := range p.size[1] {
			for c := range p.ch {
				set(y*d.y+x*d.x+c*d.c, c, p.at[i])
				i++
			}
		}
	}
}

// setter writes a number from 0 to 1 as element i, of channel c, of a tensor.
func (v *verification) setter(b []byte, s edged.Spec, whole bool) func(i, c int, x float64) {
	lo, hi := v.inputRange()
	quantised := func(c int, x, least, most float64) int {
		if s.Quant.Scale == 0 || lo == nil {
			return int(math.Round(least + x*(most-least)))
		}
		q := math.Round((lo[c]+x*(hi[c]-lo[c]))/float64(s.Quant.Scale)) + float64(s.Quant.ZeroPoint)
		return int(min(max(q, least), most))
	}
	switch s.Type {
	case edged.Float32:
		f := edged.View[float32](b)
		return func(i, c int, x float64) {
			switch {
			case whole:
				f[i] = float32(math.Round(8*x - 4))
			case lo == nil:
				f[i] = float32(2*x - 1)
			default:
				f[i] = float32(lo[c] + x*(hi[c]-lo[c]))
			}
		}
	case edged.Int8:
		return func(i, c int, x float64) { b[i] = byte(int8(quantised(c, x, -128, 127))) }
	case edged.Uint8:
		return func(i, c int, x float64) { b[i] = byte(quantised(c, x, 0, 255)) }
	}
	return func(i, _ int, x float64) {
		for k := range s.Type.Size() {
			b[i*s.Type.Size()+k] = byte(255 * x)
		}
	}
}

// inputRange is, per channel, what a black and a white pixel become; nil where
// the manifest does not say.
func (v *verification) inputRange() (lo, hi []float64) {
	in, ch := v.prepare, v.net.input.ch
	if in.ChannelOrder == "" {
		return nil, nil
	}
	at := func(list []float64, c int, otherwise float64) float64 {
		if len(list) == 0 {
			return otherwise
		}
		return list[min(c, len(list)-1)]
	}
	for c := range ch {
		mean, scale := at(in.Mean, c, 0), at(in.Scale, c, 1)
		lo, hi = append(lo, (0-mean)*scale), append(hi, (255-mean)*scale)
	}
	return lo, hi
}

// inputLimit is the largest magnitude that a probe's element can have.
func (v *verification) inputLimit() float64 {
	most := 4.0
	lo, hi := v.inputRange()
	for c := range lo {
		most = max(most, math.Abs(lo[c]), math.Abs(hi[c]))
	}
	return most
}
