package conv

import (
	"math"
	"math/rand/v2"
)

// winogradFilter takes three weights to the six of a tile's row or column: G w.
func winogradFilter(a, b, c float64) (r0, r1, r2, r3, r4, r5 float64) {
	const quarter, sixth, twelfth, twentyFourth = 1. / 4, 1. / 6, 1. / 12, 1. / 24
	outer, inner := (a+c)*-sixth, b*sixth
	near, far := a*twentyFourth+c*sixth, b*twelfth
	return a * quarter, outer - inner, outer + inner, near + far, near - far, c
}

// winogradLot is the transformed weights of a few input channels and a block of
// output channels, [channel][width] for each plane. It stays in the cache; the
// planes of a layer would evict each other there.
type winogradLot [winogradPlanes][128]float32

// put transforms one filter, its weights ic apart, to G w G^T.
func (d *winogradLot) put(f []float32, ic, at int) {
	var cols [3][6]float64 // G w, by columns
	for x := range cols {
		c := &cols[x]
		c[0], c[1], c[2], c[3], c[4], c[5] = winogradFilter(float64(f[x*ic]), float64(f[(3+x)*ic]), float64(f[(6+x)*ic]))
	}
	for y := range 6 {
		r0, r1, r2, r3, r4, r5 := winogradFilter(cols[0][y], cols[1][y], cols[2][y])
		row := d[6*y:][:6]
		row[0][at], row[1][at], row[2][at] = float32(r0), float32(r1), float32(r2)
		row[3][at], row[4][at], row[5][at] = float32(r3), float32(r4), float32(r5)
	}
}

// packWinograd transforms the filters of output channels [first, first+width)
// of w, shaped [OC][3][3][IC], into blocks [IC][width], one for each plane.
func packWinograd(w []float32, s ConvShape, first, width int, block func(plane int) []float32) {
	var lot winogradLot
	few := len(lot[0]) / width
	for from := 0; from < s.IC; from += few {
		n := min(few, s.IC-from)
		for o := first; o < min(first+width, s.OC); o++ {
			for i := range n {
				lot.put(w[o*9*s.IC+from+i:], s.IC, i*width+o-first)
			}
		}
		for p := range lot {
			copy(block(p)[from*width:], lot[p][:n*width])
		}
	}
}

// pack lays out the part's weights.
func (p *winogradPart) pack(w []float32, s ConvShape, lanes int) {
	width := p.vectors * lanes
	size := s.IC * width
	p.w = alignedF32(winogradPlanes * p.blocks * size)
	for b := range p.blocks {
		packWinograd(w, s, p.first+b*width, width, func(plane int) []float32 { return p.w[(plane*p.blocks+b)*size:] })
	}
}

// winogradConvs makes the products' routines of a variant that has none of its own.
func winogradConvs(mul *convKernel, w []float32, s ConvShape) []*ConvF32 {
	plane := ConvShape{KH: 1, KW: 1, DY: 1, DX: 1, IC: s.IC, OC: s.OC, Pix: s.IC}
	convs := make([]*ConvF32, winogradPlanes)
	for p := range convs {
		convs[p] = newConvF32(mul, plane, nil, nil, minusInf, plusInf)
	}
	for _, b := range convs[0].blocks {
		packWinograd(w, s, b.first, b.width, func(plane int) []float32 { return convs[plane].w[b.w:] })
	}
	return convs
}

// Error is the largest difference between g's result and the direct one on a
// random picture, relative to the largest value of the latter: on four tiles of
// some output channels, since all are computed alike. w is what g was made from,
// k memory to compute in.
func (g *WinogradF32) Error(k *Worker, w []float32) float64 {
	const size = 8 // two tiles
	s := g.shape
	w, bias := g.sample(w, &s)
	s.DY, s.DX, s.Pix, s.Row = 1, 1, s.IC, (size+2)*s.IC
	r := rand.New(rand.NewPCG(1, 1))
	src := make([]float32, (size+2)*s.Row)
	for i := range src {
		src[i] = float32(r.NormFloat64())
	}
	from, none := Plane[float32]{src, s.Row, s.Pix}, Plane[float32]{}
	fast, slow := make([]float32, size*size*s.OC), make([]float32, size*size*s.OC)
	newWinogradF32(g.kernel, g.direct, s, w, bias, g.lo, g.hi).Run(k, Plane[float32]{fast, size * s.OC, s.OC}, from, none, size, size)
	newConvF32(g.direct, s, w, bias, g.lo, g.hi).Run(k, Plane[float32]{slow, size * s.OC, s.OC}, from, none, size, size)
	return distance(fast, slow)
}

// sample takes some output channels of w, spread over all of them.
func (g *WinogradF32) sample(w []float32, s *ConvShape) (some, bias []float32) {
	const most = 16
	per, all := 9*s.IC, s.OC
	s.OC = min(all, most)
	for i := range s.OC {
		o := i * all / s.OC
		some, bias = append(some, w[o*per:(o+1)*per]...), append(bias, g.bias[o])
	}
	return some, bias
}

// distance is the largest difference between got and want, relative to the
// largest value of want.
func distance(got, want []float32) float64 {
	worst, most := 0.0, 0.0
	for i, v := range want {
		most = max(most, math.Abs(float64(v)))
		worst = max(worst, math.Abs(float64(v)-float64(got[i])))
	}
	if most == 0 {
		return 0
	}
	return worst / most
}
