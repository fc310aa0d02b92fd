// Package data cuts labelled squares out of belts, to train nets on and to judge
// them by. What it cuts depends on the seeds alone.
package data

import (
	"fmt"
	"math/rand/v2"

	"edged"
	"edged/capture/belt"
)

// Far is the distance, in pixels, that a patch's centre keeps from the border of
// its class to count as clear: the (2*Far+1)-sided square around it is of one
// class.
const Far = 2

// Crop is one square of a frame with an odd side.
type Crop struct {
	Side  int
	Pix   []byte  // RGB, Side*Side*3
	Truth []uint8 // class ids, Side*Side
	Class uint8   // of the centre pixel
	Clear bool    // the centre is Far from any border
}

// Plan says which belts to look at and what to cut from each frame.
type Plan struct {
	Seed   uint64 // the first belt
	Belts  int    // belts, with seeds Seed, Seed+1, ...
	Frames int    // frames of each, far apart on the belt
	Clear  int    // crops per class and frame whose centre is clear ...
	Near   int    // ... and whose centre is not
	Side   int    // pixels, odd
}

// The seeds that nets were trained on and those they are judged by never meet.
const (
	TrainSeed = 1_000
	TestSeed  = 9_000_000
)

// Each calls yield for every crop of the plan, in an order that does not depend
// on anything else. The crop's memory is reused.
func (p Plan) Each(yield func(*Crop) error) error {
	if p.Side%2 == 0 || p.Side < 2*Far+1 {
		return fmt.Errorf("data: side %d: must be odd and at least %d", p.Side, 2*Far+1)
	}
	crop := &Crop{Side: p.Side, Pix: make([]byte, 3*p.Side*p.Side), Truth: make([]uint8, p.Side*p.Side)}
	for i := range p.Belts {
		if err := p.eachOfBelt(p.Seed+uint64(i), crop, yield); err != nil {
			return err
		}
	}
	return nil
}

func (p Plan) eachOfBelt(seed uint64, crop *Crop, yield func(*Crop) error) error {
	c := belt.Default()
	c.Seed = seed
	c.W, c.H = max(c.W, p.Side), max(c.H, p.Side)
	scene, err := belt.NewScene(c)
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(seed, 1))
	var f edged.Frame
	var m edged.Mask
	for range p.Frames {
		scene.Render(r.Uint64N(1_000_000), &f, &m)
		for _, at := range p.pick(r, &m) {
			crop.cut(&f, &m, at)
			if err := yield(crop); err != nil {
				return err
			}
		}
	}
	return nil
}

type place struct{ x, y int }

// pick draws places of every class, clear ones and others, uniformly among all
// that there are and whose crop lies inside the frame.
func (p Plan) pick(r *rand.Rand, m *edged.Mask) []place {
	var bins [belt.Classes][2]reservoir
	for c := range bins {
		bins[c][0].want, bins[c][1].want = p.Near, p.Clear
	}
	for y := p.Side / 2; y < m.H-p.Side/2; y++ {
		for x := p.Side / 2; x < m.W-p.Side/2; x++ {
			bin := 0
			if Clear(m, x, y) {
				bin = 1
			}
			bins[m.Pix[y*m.Stride+x]][bin].offer(r, place{x, y})
		}
	}
	var out []place
	for c := range bins {
		out = append(append(out, bins[c][0].kept...), bins[c][1].kept...)
	}
	return out
}

// Clear reports whether all pixels within Far of (x, y) have its class.
func Clear(m *edged.Mask, x, y int) bool {
	c := m.Pix[y*m.Stride+x]
	for dy := -Far; dy <= Far; dy++ {
		row := m.Pix[(y+dy)*m.Stride+x-Far:][:2*Far+1]
		for _, v := range row {
			if v != c {
				return false
			}
		}
	}
	return true
}

// reservoir keeps want of what it is offered, each with the same chance.
type reservoir struct {
	want, seen int
	kept       []place
}

func (b *reservoir) offer(r *rand.Rand, p place) {
	b.seen++
	if len(b.kept) < b.want {
		b.kept = append(b.kept, p)
	} else if i := r.IntN(b.seen); i < b.want {
		b.kept[i] = p
	}
}

func (c *Crop) cut(f *edged.Frame, m *edged.Mask, at place) {
	half := c.Side / 2
	for y := range c.Side {
		v := at.y - half + y
		copy(c.Truth[y*c.Side:(y+1)*c.Side], m.Pix[v*m.Stride+at.x-half:])
		src := f.Pix[v*f.Stride+3*(at.x-half):][:3*c.Side]
		dst := c.Pix[3*y*c.Side:]
		for x := 0; x < 3*c.Side; x += 3 { // BGR to RGB
			dst[x], dst[x+1], dst[x+2] = src[x+2], src[x+1], src[x]
		}
	}
	c.Class = m.Pix[at.y*m.Stride+at.x]
	c.Clear = Clear(m, at.x, at.y)
}
