package kernel

import (
	"math"
	"math/rand/v2"
	"os"
)

// winogradKernel is one variant of the three steps of a Winograd convolution.
type winogradKernel struct {
	variant Variant
	lanes   int
	rows    func(*winogradRows)
	cols    func(*winogradCols)
	out     func(*winogradOut)
	mul     [][]func(*winogradMul) // [vectors-1][tiles]; nil: by ConvF32
	tiles   int                    // that are taken through the steps together
}

// WinogradVariable is the environment variable that switches Winograd off: off.
const WinogradVariable = "EDGED_WINOGRAD"

// WinogradOn says whether Winograd may be used.
func WinogradOn() bool { return os.Getenv(WinogradVariable) != "off" }

const (
	winogradPlanes = 36 // products of a 6x6 tile
	// winogradReach is the largest dilation: the phases of a block of columns
	// are taken through the steps together.
	winogradReach = 64
)

// WinogradF32 is a 3x3 convolution of stride 1 by Winograd's F(4x4, 3x3) (Lavin
// and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015): 36
// products for 16 outputs instead of 144. A dilated convolution is computed
// phase by phase. Its rounding errors are several times those of ConvF32.
type WinogradF32 struct {
	kernel *winogradKernel
	shape  ConvShape
	tiles  int // of a group: a multiple of the column dilation
	parts  []winogradPart
	conv   []*ConvF32 // the products, where the variant has no routines of its own
	bias   []float32  // for all tiles of a run
	lo, hi float32
	all    [16]uint32
	consts [4]float32
}

// winogradPart is a range of output channels that one routine computes.
type winogradPart struct {
	first, vectors, blocks int
	w                      []float32 // [36][block][ic][vectors]
}

// winogradG takes three weights to the six of a tile's row or column.
var winogradG = [6][3]float64{{1. / 4}, {-1. / 6, -1. / 6, -1. / 6}, {-1. / 6, 1. / 6, -1. / 6},
	{1. / 24, 1. / 12, 1. / 6}, {1. / 24, -1. / 12, 1. / 6}, {0, 0, 1}}

// Winograd says whether NewWinogradF32 takes a convolution of this geometry.
func (s ConvShape) Winograd() bool {
	return s.KH == 3 && s.KW == 3 && s.DX <= winogradReach
}

// NewWinogradF32 transforms and packs w, shaped [OC][3][3][IC], and bias (nil:
// none). The shape must be one that ConvShape.Winograd allows.
func NewWinogradF32(s ConvShape, w, bias []float32, lo, hi float32) *WinogradF32 {
	return newWinogradF32(bestWinograd(), bestConvF32(), s, w, bias, lo, hi)
}

func newWinogradF32(k *winogradKernel, mul *convKernel, s ConvShape, w, bias []float32, lo, hi float32) *WinogradF32 {
	if !s.Winograd() {
		panic("BUG: kernel: no convolution for Winograd")
	}
	g := &WinogradF32{kernel: k, shape: s, tiles: max(k.tiles/s.DX, 1) * s.DX, lo: lo, hi: hi, consts: [4]float32{4, 5, 2, 8}}
	g.bias = alignedF32(s.DX*s.OC + k.lanes)
	for i := range s.DX {
		copy(g.bias[i*s.OC:], bias)
	}
	for i := range k.lanes {
		g.all[i] = ^uint32(0)
	}
	planes := winogradWeights(w, s.OC*s.IC, s.IC)
	if k.mul == nil {
		plane := ConvShape{KH: 1, KW: 1, DY: 1, DX: 1, IC: s.IC, OC: s.OC, Pix: s.IC}
		for _, u := range planes {
			g.conv = append(g.conv, newConvF32(mul, plane, u, nil, minusInf, plusInf))
		}
		return g
	}
	g.parts = winogradParts(s.OC, k.lanes, len(k.mul))
	for i := range g.parts {
		g.parts[i].pack(&planes, s, k.lanes)
	}
	return g
}

// winogradParts cuts oc channels into parts. The part that holds the last
// channels comes first: what it writes past them belongs to the next tile's
// first channels, which are computed after it.
func winogradParts(oc, lanes, most int) []winogradPart {
	n := (oc + lanes - 1) / lanes
	last := 2 - n%2
	if last == 1 && n > 1 && most > 2 {
		last = 3
	}
	parts := []winogradPart{{first: (n - last) * lanes, vectors: last, blocks: 1}}
	if n > last {
		parts = append(parts, winogradPart{vectors: 2, blocks: (n - last) / 2})
	}
	return parts
}

// pack lays out the part's weights.
func (p *winogradPart) pack(planes *[winogradPlanes][]float32, s ConvShape, lanes int) {
	width := p.vectors * lanes
	p.w = alignedF32(winogradPlanes * p.blocks * s.IC * width)
	at := 0
	for _, u := range planes {
		for b := range p.blocks {
			first := p.first + b*width
			for o := first; o < min(first+width, s.OC); o++ {
				for i, v := range u[o*s.IC:][:s.IC] {
					p.w[at+i*width+o-first] = v
				}
			}
			at += s.IC * width
		}
	}
}

// winogradWeights transforms n filters of 3x3, [OC][3][3][IC], to G w G^T: 36
// planes of [OC][IC].
func winogradWeights(w []float32, n, ic int) (planes [winogradPlanes][]float32) {
	for p := range planes {
		planes[p] = make([]float32, n)
	}
	for i := range n {
		at := i/ic*9*ic + i%ic
		var rows [6][3]float64 // G w
		for y, g := range winogradG {
			for x := range 3 {
				rows[y][x] = g[0]*float64(w[at+x*ic]) + g[1]*float64(w[at+(3+x)*ic]) + g[2]*float64(w[at+(6+x)*ic])
			}
		}
		for p := range planes {
			r, g := &rows[p/6], &winogradG[p%6]
			planes[p][i] = float32(r[0]*g[0] + r[1]*g[1] + r[2]*g[2])
		}
	}
	return planes
}

func bestWinograd() *winogradKernel {
	return best(winogradKernels(), func(k *winogradKernel) Variant { return k.variant })
}

// Error is the largest difference between g's result and the direct one on a
// random picture, relative to the largest value of the latter. w is what g was
// made from.
func (g *WinogradF32) Error(w []float32) float64 {
	s := g.shape
	rows, cols := 4*s.DY, 4*s.DX // a tile of every phase
	s.Pix, s.Row = s.IC, (cols+2*s.DX)*s.IC
	r := rand.New(rand.NewPCG(1, 1))
	src := make([]float32, (rows+2*s.DY)*s.Row)
	for i := range src {
		src[i] = float32(r.NormFloat64())
	}
	from, none, k := Plane[float32]{src, s.Row, s.Pix}, Plane[float32]{}, new(Worker)
	fast, slow := make([]float32, rows*cols*s.OC), make([]float32, rows*cols*s.OC)
	g.Run(k, Plane[float32]{fast, cols * s.OC, s.OC}, from, none, rows, cols)
	NewConvF32(s, w, g.bias[:s.OC], g.lo, g.hi).Run(k, Plane[float32]{slow, cols * s.OC, s.OC}, from, none, rows, cols)
	worst, most := 0.0, 0.0
	for i, v := range slow {
		most = max(most, math.Abs(float64(v)))
		worst = max(worst, math.Abs(float64(v)-float64(fast[i])))
	}
	if most == 0 {
		return 0
	}
	return worst / most
}
