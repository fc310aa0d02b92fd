package kernel

import (
	"math"
	"math/rand/v2"
	"os"
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
	tileAt, resAt               *int // bytes from tile and res, one for each tile
	count, index                int
	slot, slotAt                int // bytes from one tile's products to the next
	biasAt                      int
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
	for p, u := range winogradWeights(w, s.OC*s.IC, s.IC) {
		g.mul[p] = newConvF32(mul, plane, u, nil, minusInf, plusInf)
	}
	return g
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

// winogradScratch is a worker's memory for one group of tiles.
type winogradScratch struct {
	call    winogradCall
	tileAt  [winogradTiles]int
	resAt   [winogradTiles]int
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

// tiles calls f for every tile of every phase. The tiles of all phases that
// cover the same pixels come one after another, while these are in the cache.
func (g *WinogradF32) tiles(rows, cols int, f func(winogradTile)) {
	dy, dx := g.shape.DY, g.shape.DX
	for top := 0; top < rows; top += 4 * dy {
		for left := 0; left < cols; left += 4 * dx {
			for y := top; y < min(top+dy, rows); y++ {
				for x := left; x < min(left+dx, cols); x++ {
					f(winogradTile{y, x, min(4, (rows-y+dy-1)/dy), min(4, (cols-x+dx-1)/dx)})
				}
			}
		}
	}
}

// compute takes a group of tiles through the three steps.
func (g *WinogradF32) compute(k *Worker, dst, src, res Plane[float32], group []winogradTile) {
	w := &k.wino
	g.transformIn(w, src, group)
	for p, mul := range g.mul {
		v := Plane[float32]{w.planes[p*winogradTiles*g.ic:], 0, g.ic}
		m := Plane[float32]{w.product[p*winogradTiles*g.oc:], 0, g.oc}
		mul.Run(k, m, v, Plane[float32]{}, 1, len(group))
	}
	g.transformOut(w, dst, res, group)
}

// whole says that all 16 pixels of the tile exist.
func (t winogradTile) whole() bool { return t.rows == 4 && t.cols == 4 }

// run is the length of the run of tiles at the head of group that one call
// takes: whole ones, or a single one that crosses the picture's end.
func run(group []winogradTile) int {
	n := 0
	for n < len(group) && group[n].whole() {
		n++
	}
	return max(n, 1)
}

// transformIn fills the planes. Tiles that cross the picture's end are first
// copied to a window of their own.
func (g *WinogradF32) transformIn(w *winogradScratch, src Plane[float32], group []winogradTile) {
	row, pix := src.Row*g.shape.DY, src.Pix*g.shape.DX
	for i := 0; i < len(group); {
		n, planes := run(group[i:]), w.planes[i*g.ic:]
		if t := group[i]; t.whole() {
			for j, t := range group[i : i+n] {
				w.tileAt[j] = 4 * (t.y*src.Row + t.x*src.Pix)
			}
			g.callIn(w, src.P, planes, row, pix, n)
		} else {
			copyPixels(w.window, 6*g.ic, g.ic, src.P[t.y*src.Row+t.x*src.Pix:], row, pix, t.rows+2, t.cols+2, g.shape.IC)
			w.tileAt[0] = 0
			g.callIn(w, w.window, planes, 6*g.ic, g.ic, 1)
		}
		i += n
	}
}

// callIn transforms n tiles: the full vectors of channels, then the last.
func (g *WinogradF32) callIn(w *winogradScratch, tile, planes []float32, row, pix, n int) {
	full := g.shape.IC / g.kernel.lanes
	at := full * g.kernel.lanes
	for part := range 2 {
		c := &w.call
		*c = winogradCall{scratch: unsafe.Pointer(&w.columns[0]), consts: unsafe.Pointer(&g.consts), row: row * 4, pix: pix * 4,
			plane: winogradTiles * g.ic * 4, tileAt: &w.tileAt[0], count: n, slot: g.ic * 4}
		switch {
		case part == 0 && full > 0:
			c.tile, c.planes, c.mask, c.blocks = unsafe.Pointer(&tile[0]), unsafe.Pointer(&planes[0]), unsafe.Pointer(&g.all), full
		case part == 1 && at < g.shape.IC:
			c.tile, c.planes, c.mask, c.blocks = unsafe.Pointer(&tile[at]), unsafe.Pointer(&planes[at]), unsafe.Pointer(&g.inTail), 1
		default:
			continue
		}
		g.kernel.in(c)
	}
}

// transformOut is transformIn's counterpart for products, output and residual.
func (g *WinogradF32) transformOut(w *winogradScratch, dst, res Plane[float32], group []winogradTile) {
	d := winogradDst{dst.P, res.P, dst.Row * g.shape.DY, dst.Pix * g.shape.DX, res.Row * g.shape.DY, res.Pix * g.shape.DX}
	for i := 0; i < len(group); {
		n, product := run(group[i:]), w.product[i*g.oc:]
		if group[i].whole() {
			for j, t := range group[i : i+n] {
				w.tileAt[j] = 4 * (t.y*dst.Row + t.x*dst.Pix)
				w.resAt[j] = 4 * (t.y*res.Row + t.x*res.Pix)
			}
			g.callOut(w, d, product, n)
		} else {
			g.edgeOut(w, d, dst, res, group[i], product)
		}
		i += n
	}
}

// winogradDst is where output pixels go and residuals come from, in elements
// from one pixel of a tile to the next.
type winogradDst struct {
	tile, res                []float32
	row, pix, resRow, resPix int
}

// edgeOut computes a tile that crosses the picture's end aside and copies the
// pixels that exist.
func (g *WinogradF32) edgeOut(w *winogradScratch, d winogradDst, dst, res Plane[float32], t winogradTile, product []float32) {
	aside := winogradDst{tile: w.pixels, row: 4 * g.oc, pix: g.oc, resRow: 4 * g.oc, resPix: g.oc}
	if len(d.res) > 0 {
		aside.res = w.extra
		copyPixels(w.extra, 4*g.oc, g.oc, d.res[t.y*res.Row+t.x*res.Pix:], d.resRow, d.resPix, t.rows, t.cols, g.shape.OC)
	}
	w.tileAt[0], w.resAt[0] = 0, 0
	g.callOut(w, aside, product, 1)
	copyPixels(d.tile[t.y*dst.Row+t.x*dst.Pix:], d.row, d.pix, w.pixels, 4*g.oc, g.oc, t.rows, t.cols, g.shape.OC)
}

// callOut transforms n tiles: the full vectors of channels, then the last.
func (g *WinogradF32) callOut(w *winogradScratch, d winogradDst, product []float32, n int) {
	full := g.shape.OC / g.kernel.lanes
	last := full * g.kernel.lanes
	for part := range 2 {
		at, blocks, mask := 0, full, &g.all
		if part == 1 {
			at, blocks, mask = last, 1, &g.outTail
		}
		if blocks == 0 || at >= g.shape.OC {
			continue
		}
		c := &w.call
		*c = winogradCall{scratch: unsafe.Pointer(&w.columns[0]), consts: unsafe.Pointer(&g.consts), row: d.row * 4, pix: d.pix * 4,
			plane: winogradTiles * g.oc * 4, resRow: d.resRow * 4, resPix: d.resPix * 4, lo: g.lo, hi: g.hi,
			tileAt: &w.tileAt[0], resAt: &w.resAt[0], count: n, slot: g.oc * 4,
			tile: unsafe.Pointer(&d.tile[at]), planes: unsafe.Pointer(&product[at]), bias: unsafe.Pointer(&g.bias[at]),
			mask: unsafe.Pointer(mask), blocks: blocks}
		if len(d.res) > 0 {
			c.res = unsafe.Pointer(&d.res[at])
		}
		g.kernel.out(c)
	}
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
