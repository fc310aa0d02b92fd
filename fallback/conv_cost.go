package fallback

import "edged/internal/kernel/conv"

// clearGain is how much shorter Winograd must be expected to take than direct
// convolution: it rounds more, and the prediction is rough.
const clearGain = 0.75

// winograd says whether F(4x4, 3x3) is possible and pays. The choice depends on
// the layer and on the machine's rates alone, so it is the same for any number
// of threads.
func (c *opContext) winograd(s *convShape) bool {
	if !c.p.winograd || s.groups > 1 || s.oc == 1 || s.y.stride != 1 || s.x.stride != 1 || !s.strips().Winograd() {
		return false
	}
	if c.p.rates == nil {
		r := c.p.routines.Conv.MeasuredRates()
		c.p.rates = &r
	}
	direct, fast := s.directMS(c.p.rates), s.winogradMS(c.p.rates)
	if fast < clearGain*direct {
		c.choice = []Candidate{{"winograd f32", fast}, {"direct f32", direct}}
		return true
	}
	c.choice = []Candidate{{"direct f32", direct}, {"winograd f32", fast}}
	return false
}

// vector is the number of output channels that are computed together, of a
// machine in the middle.
const vector = 8

// directMS is how long a direct convolution is expected to take.
func (s *convShape) directMS(r *conv.Rates) float64 {
	weights := float64(s.y.k * s.x.k * s.c * roundUp(s.oc, vector))
	return 1e-6 * (float64(s.n*s.y.out*s.x.out)*weights/r.Direct + 4*weights/r.Memory)
}

// winogradMS is how long Winograd is expected to take: 36 products for a tile
// of 4x4 outputs, with the transforms of its values, and 36 weights to read for
// each pair of channels.
func (s *convShape) winogradMS(r *conv.Rates) float64 {
	const planes = 36
	tiles := float64(s.n * tilesOf(s.y.out, s.y.dilate) * tilesOf(s.x.out, s.x.dilate))
	weights := float64(planes * s.c * roundUp(s.oc, vector))
	values := float64(planes * (roundUp(s.c, vector) + roundUp(s.oc, vector)))
	return 1e-6 * (tiles*(weights/r.Products+values/r.Transform) + 4*weights/r.Memory)
}

// tilesOf is the number of tiles of four that cover n outputs, phase by phase.
func tilesOf(n, dilate int) int {
	tiles := 0
	for phase := range min(n, dilate) {
		tiles += ((n-phase+dilate-1)/dilate + 3) / 4
	}
	return tiles
}
