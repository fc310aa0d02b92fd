package kernel

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"unsafe"
)

// winogradCall is what one call of a Winograd transform gets: one tile, some
// vectors of channels. The generator knows its layout.
type winogradCall struct {
	tile, planes, scratch, mask unsafe.Pointer
	row, pix, plane             int // bytes
	blocks                      int
	bias, consts, res           unsafe.Pointer
	resRow, resPix              int
	lo, hi                      float32
}

type winogradKernel struct {
	variant Variant
	lanes   int
	in, out func(*winogradCall)
}

// WinogradVariable is the environment variable that switches Winograd off: off.
const WinogradVariable = "EDGED_WINOGRAD"

// WinogradOn says whether Winograd may be used.
func WinogradOn() bool { return os.Getenv(WinogradVariable) != "off" }

const (
	winogradPlanes = 36 // products of a 6x6 tile
	winogradTiles  = 28 // tiles whose products are computed together
)

// WinogradF32 is a 3x3 convolution of stride 1 by Winograd's F(4x4, 3x3) (Lavin
// and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015): 36
// products for 16 outputs instead of 144. A dilated convolution is computed
// phase by phase. Its rounding errors are several times those of ConvF32.
type WinogradF32 struct {
	kernel          *winogradKernel
	shape           ConvShape
	ic, oc          int // padded to whole vectors
	mul             [winogradPlanes]*ConvF32
	bias            []float32
	lo, hi          float32
	inTail, outTail [16]uint32 // masks of the last vector of channels
	all             [16]uint32
	consts          [4]float32
}

// winogradG takes three weights to the six of a tile's row or column.
var winogradG = [6][3]float64{{1. / 4}, {-1. / 6, -1. / 6, -1. / 6}, {-1. / 6, 1. / 6, -1. / 6},
	{1. / 24, 1. / 12, 1. / 6}, {1. / 24, -1. / 12, 1. / 6}, {0, 0, 1}}

// NewWinogradF32 transforms and packs w, shaped [OC][3][3][IC], and bias (nil:
// none). The shape's kernel must be 3x3.
func NewWinogradF32(s ConvShape, w, bias []float32, lo, hi float32) *WinogradF32 {
	return newWinogradF32(bestWinograd(), bestConvF32(), s, w, bias, lo, hi)
}

func newWinogradF32(k *winogradKernel, mul *convKernel, s ConvShape, w, bias []float32, lo, hi float32) *WinogradF32 {
	if s.KH != 3 || s.KW != 3 {
		panic("BUG: kernel: Winograd takes 3x3 kernels alone")
	}
	g := &WinogradF32{kernel: k, shape: s, ic: roundUp(s.IC, k.lanes), oc: roundUp(s.OC, k.lanes), lo: lo, hi: hi, consts: [4]float32{4, 5, 2, 8}}
	g.bias = alignedF32(g.oc)
	copy(g.bias, bias)
	for i := range k.lanes {
		g.all[i] = ^uint32(0)
	}
	copy(g.inTail[:], g.all[:(s.IC-1)%k.lanes+1])
	copy(g.outTail[:], g.all[:(s.OC-1)%k.lanes+1])
	plane := ConvShape{KH: 1, KW: 1, DY: 1, DX: 1, IC: s.IC, OC: s.OC, Pix: g.ic}
	u := make([]float32, s.OC*s.IC)
	for p := range g.mul {
		winogradWeights(u, w, s.IC, winogradG[p/6], winogradG[p%6])
		g.mul[p] = newConvF32(mul, plane, u, nil, minusInf, plusInf)
	}
	return g
}

// winogradWeights computes one plane, [OC][IC], of the transformed weights.
func winogradWeights(u, w []float32, ic int, gy, gx [3]float64) {
	for i := range u {
		o, c, sum := i/ic, i%ic, 0.0
		for t := range 9 {
			sum += gy[t/3] * gx[t%3] * float64(w[(o*9+t)*ic+c])
		}
		u[i] = float32(sum)
	}
}

// winogradScratch is a worker's memory for one group of tiles.
type winogradScratch struct {
	call    winogradCall
	planes  []float32 // [36][tiles][ic]
	product []float32 // [36][tiles][oc]
	columns []float32 // the transform's own
	window  []float32 // a tile's input, output and residual where it crosses the picture's end
	pixels  []float32
	extra   []float32
}

// Reserve makes room for the scratch of g, so that Run does not allocate.
func (k *Worker) Reserve(g *WinogradF32) {
	grow := func(s *[]float32, n int) {
		if len(*s) < n {
			*s = alignedF32(n)
		}
	}
	grow(&k.wino.planes, winogradPlanes*winogradTiles*g.ic)
	grow(&k.wino.product, winogradPlanes*winogradTiles*g.oc)
	grow(&k.wino.columns, winogradPlanes*16)
	grow(&k.wino.window, winogradPlanes*g.ic)
	grow(&k.wino.pixels, 16*g.oc)
	grow(&k.wino.extra, 16*g.oc)
}

// winogradTile is one tile: its output's corner and the pixels of it that exist.
type winogradTile struct{ y, x, rows, cols int }

// Run computes rows x cols output pixels; see ConvF32.Run. Tiles start at the
// first row: to get the same bits however rows are shared among threads, call
// it for bands of a fixed height.
func (g *WinogradF32) Run(k *Worker, dst, src, res Plane[float32], rows, cols int) {
	if rows <= 0 || cols <= 0 {
		return
	}
	dst.holds("destination", rows, cols, g.shape.OC)
	src.holds("source", rows+2*g.shape.DY, cols+2*g.shape.DX, g.shape.IC)
	if len(res.P) > 0 {
		res.holds("residual", rows, cols, g.shape.OC)
	}
	k.Reserve(g)
	var group [winogradTiles]winogradTile
	n := 0
	g.tiles(rows, cols, func(t winogradTile) {
		group[n] = t
		if n++; n == len(group) {
			g.compute(k, dst, src, res, group[:n])
			n = 0
		}
	})
	g.compute(k, dst, src, res, group[:n])
}

// tiles calls f for every tile of every phase.
func (g *WinogradF32) tiles(rows, cols int, f func(winogradTile)) {
	dy, dx := g.shape.DY, g.shape.DX
	for phase := range dy * dx {
		py, px := phase/dx, phase%dx
		for y := py; y < rows; y += 4 * dy {
			for x := px; x < cols; x += 4 * dx {
				f(winogradTile{y, x, min(4, (rows-y+dy-1)/dy), min(4, (cols-x+dx-1)/dx)})
			}
		}
	}
}

// compute takes a group of tiles through the three steps.
func (g *WinogradF32) compute(k *Worker, dst, src, res Plane[float32], group []winogradTile) {
	w := &k.wino
	for i, t := range group {
		g.transformIn(w, src, t, w.planes[i*g.ic:])
	}
	for p, mul := range g.mul {
		v := Plane[float32]{w.planes[p*winogradTiles*g.ic:], 0, g.ic}
		m := Plane[float32]{w.product[p*winogradTiles*g.oc:], 0, g.oc}
		mul.Run(k, m, v, Plane[float32]{}, 1, len(group))
	}
	for i, t := range group {
		g.transformOut(w, dst, res, t, w.product[i*g.oc:])
	}
}

func (g *WinogradF32) transformIn(w *winogradScratch, src Plane[float32], t winogradTile, planes []float32) {
	row, pix := src.Row*g.shape.DY, src.Pix*g.shape.DX
	tile := src.P[t.y*src.Row+t.x*src.Pix:]
	if t.rows < 4 || t.cols < 4 {
		copyPixels(w.window, 6*g.ic, g.ic, tile, row, pix, t.rows+2, t.cols+2, g.shape.IC)
		tile, row, pix = w.window, 6*g.ic, g.ic
	}
	w.call = winogradCall{scratch: unsafe.Pointer(&w.columns[0]), consts: unsafe.Pointer(&g.consts),
		row: row * 4, pix: pix * 4, plane: winogradTiles * g.ic * 4}
	full := g.shape.IC / g.kernel.lanes
	if full > 0 {
		w.call.tile, w.call.planes = unsafe.Pointer(&tile[0]), unsafe.Pointer(&planes[0])
		w.call.mask, w.call.blocks = unsafe.Pointer(&g.all), full
		g.kernel.in(&w.call)
	}
	if at := full * g.kernel.lanes; at < g.shape.IC {
		w.call.tile, w.call.planes = unsafe.Pointer(&tile[at]), unsafe.Pointer(&planes[at])
		w.call.mask, w.call.blocks = unsafe.Pointer(&g.inTail), 1
		g.kernel.in(&w.call)
	}
}

func (g *WinogradF32) transformOut(w *winogradScratch, dst, res Plane[float32], t winogradTile, product []float32) {
	row, pix := dst.Row*g.shape.DY, dst.Pix*g.shape.DX
	resRow, resPix := res.Row*g.shape.DY, res.Pix*g.shape.DX
	tile := dst.P[t.y*dst.Row+t.x*dst.Pix:]
	var extra []float32
	if len(res.P) > 0 {
		extra = res.P[t.y*res.Row+t.x*res.Pix:]
	}
	if t.rows < 4 || t.cols < 4 {
		end, endRow, endPix := tile, row, pix
		defer func() { copyPixels(end, endRow, endPix, w.pixels, 4*g.oc, g.oc, t.rows, t.cols, g.shape.OC) }()
		if extra != nil {
			copyPixels(w.extra, 4*g.oc, g.oc, extra, resRow, resPix, t.rows, t.cols, g.shape.OC)
			extra, resRow, resPix = w.extra, 4*g.oc, g.oc
		}
		tile, row, pix = w.pixels, 4*g.oc, g.oc
	}
	w.call = winogradCall{scratch: unsafe.Pointer(&w.columns[0]), consts: unsafe.Pointer(&g.consts),
		row: row * 4, pix: pix * 4, plane: winogradTiles * g.oc * 4, resRow: resRow * 4, resPix: resPix * 4, lo: g.lo, hi: g.hi}
	full := g.shape.OC / g.kernel.lanes
	if full > 0 {
		g.finish(w, tile, extra, product, 0, full, &g.all)
	}
	if at := full * g.kernel.lanes; at < g.shape.OC {
		g.finish(w, tile, extra, product, at, 1, &g.outTail)
	}
}

// finish transforms some vectors of channels, from channel at on.
func (g *WinogradF32) finish(w *winogradScratch, tile, extra, product []float32, at, blocks int, mask *[16]uint32) {
	c := &w.call
	c.tile, c.planes, c.bias = unsafe.Pointer(&tile[at]), unsafe.Pointer(&product[at]), unsafe.Pointer(&g.bias[at])
	c.mask, c.blocks, c.res = unsafe.Pointer(mask), blocks, nil
	if extra != nil {
		c.res = unsafe.Pointer(&extra[at])
	}
	g.kernel.out(c)
}

// copyPixels copies rows x cols pixels of c elements.
func copyPixels(dst []float32, dstRow, dstPix int, src []float32, srcRow, srcPix, rows, cols, c int) {
	for y := range rows {
		for x := range cols {
			copy(dst[y*dstRow+x*dstPix:][:c], src[y*srcRow+x*srcPix:][:c])
		}
	}
}

func bestWinograd() *winogradKernel {
	return best(winogradKernels(), func(k *winogradKernel) Variant { return k.variant })
}

// WinogradError is the largest difference between Winograd's result and the
// direct one on a random picture, relative to the largest value of the latter.
func WinogradError(s ConvShape, w []float32) float64 {
	const size = 8 // four tiles
	s.DY, s.DX = 1, 1
	s.Pix, s.Row = s.IC, (size+2)*s.IC
	r := rand.New(rand.NewPCG(1, 1))
	src := make([]float32, (size+2)*s.Row)
	for i := range src {
		src[i] = float32(r.NormFloat64())
	}
	from, none, k := Plane[float32]{src, s.Row, s.Pix}, Plane[float32]{}, new(Worker)
	fast, slow := make([]float32, size*size*s.OC), make([]float32, size*size*s.OC)
	NewWinogradF32(s, w, nil, minusInf, plusInf).Run(k, Plane[float32]{fast, size * s.OC, s.OC}, from, none, size, size)
	NewConvF32(s, w, nil, minusInf, plusInf).Run(k, Plane[float32]{slow, size * s.OC, s.OC}, from, none, size, size)
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

// kernelOf finds the convolution routines of a Winograd variant.
func kernelOf(v Variant) *convKernel {
	ks := convF32Kernels()
	return ks[slices.IndexFunc(ks, func(k *convKernel) bool { return k.variant == v })]
}
