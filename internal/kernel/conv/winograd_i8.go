package conv

import (
	"unsafe"

	"edged/internal/kernel/cpu"
)

// winogradCallI8 is what one call of a routine of WinogradI8 gets: some tiles,
// for the last two steps of one block of output channels. The generator knows
// its layout.
type winogradCallI8 struct {
	src, planes, product, w   unsafe.Pointer
	dst, bias, requant, spare unsafe.Pointer
	tileAt, outAt             *int // bytes from src and from dst, one for each tile
	count, vectors            int  // tiles; vectors of input channels
	row, pix, dstRow, dstPix  int  // bytes from one pixel of a tile to the next
	plane, slot               int  // bytes from plane to plane, from tile to tile of a plane
	steps, live               int  // of input channels; output channels that exist
	lo, hi, ninth, zero       int32
	mask                      uint64 // a bit for each channel of the last vector that exists
	back                      uint8  // taken off each result before the clamp and XORed into it behind it, but for plain
}

// winogradKernelI8 is one variant: transform in, products and transform out of
// one and of two vectors of channels.
type winogradKernelI8 struct {
	in, inSigned func(*winogradCallI8)
	mul          stepsI8
	out          stepsI8
	lanes        int // output channels of a vector
	channels     int // input channels of a vector
	order        winogradOrder
	big          *winogradKernelI8 // not nil: takes factors of a half and more
}

// stepsI8 is a step for one and for two vectors of output channels.
type stepsI8 [2]func(*winogradCallI8)

// winogradOrder says how a kernel wants weights and constants.
type winogradOrder uint8

const (
	i16Pairs  winogradOrder = iota // pairs of input channels, output channels and constants as convI16 has them
	highPairs                      // pairs of input channels, output channels by laneOf, constants by Factor.layHigh
	plain                          // single channels, constants as Factor.lay writes four channels'
)

const (
	winogradTilesI8 = 24 // tiles whose products are computed together
	// ninth is 1/9 modulo 2^32: what the integer transforms leave of it.
	ninth = 954437177
	// winogradBound is what the sums of products must stay below: they are known
	// times 64, modulo 2^32.
	winogradBound = 1 << 25
)

// productPlane is the number of int32 from one plane of products of width
// channels to the next.
func productPlane(width int) int { return winogradTilesI8*width + 16 }

// WinogradI8 is ConvI8 for kernels of 3x3 and stride 1 by Winograd's F(4x4, 3x3),
// 36 products for 16 outputs instead of 144, and yet exact. Weights and pixels
// are transformed in int16 by multiples of the usual matrices that are whole
// numbers; the products then give each sum times 9 times a power of two, modulo
// 2^32. Nine has an inverse there, and the power is shifted out, which leaves the
// sum itself if it is less than 2^25.
type WinogradI8 struct {
	kernel  *winogradKernelI8
	shape   ConvShape
	in      func(*winogradCallI8)
	out     *stepsI8
	ic      int // padded to whole vectors
	blocks  []convBlock
	w       []int16 // [block][36][pair][width][2]; plain: [block][36][depth][width]
	bias    []int32 // the input's zero point folded in
	requant []int32 // i16Row for eight channels, as the kernel's order says
	zero    int32   // of the output, where it is not among the constants
	lo, hi  int32
	back    uint8
}

// winogradGI8 is 24 times winogradG, its rows divided by 2, 4, 4, 1, 1 and 8:
// transformOut multiplies by these.
var winogradGI8 = [6][3]int32{{3, 0, 0}, {-1, -1, -1}, {-1, 1, -1}, {1, 2, 4}, {1, -2, 4}, {0, 0, 3}}

// NewWinogradI8 transforms and packs w, shaped [OC][3][3][IC], and bias (nil:
// none). It returns nil where the weights could take a sum past 2^25.
func (r *Routines) NewWinogradI8(s ConvShape, w []int8, bias []int32, p ConvI8Params) *WinogradI8 {
	return newWinogradI8(r.winogradI8, s, w, bias, p)
}

func newWinogradI8(k *winogradKernelI8, s ConvShape, w []int8, bias []int32, p ConvI8Params) *WinogradI8 {
	if s.KH != 3 || s.KW != 3 {
		panic("BUG: kernel: Winograd takes 3x3 kernels alone")
	}
	if k.big != nil && halfOrMore(p.Factors) {
		k = k.big
	}
	g := winogradI8Of(k, s)
	g.in, g.out, g.zero, g.lo, g.hi = k.in, &k.out, p.DstZero, p.Lo, p.Hi
	if p.Signed {
		g.in = k.inSigned
	}
	if k.order != plain {
		g.zero, g.lo, g.hi, g.back = p.signedResult()
	}
	per := winogradPlanes * g.depth()
	g.blocks = s.blocks(k.lanes, per)
	last := g.blocks[len(g.blocks)-1]
	g.w = make([]int16, last.w+last.width*per)
	g.bias = make([]int32, last.at+last.width)
	g.requant = make([]int32, (last.at+last.width)/i16Lanes*i16Row)
	for i := range g.blocks {
		b := &g.blocks[i]
		for o := b.first; o < b.first+b.live; o++ {
			if !g.pack(b, o, w[o*9*s.IC:][:9*s.IC], p) {
				return nil
			}
			if bias != nil {
				g.bias[b.first+g.lane(b, o)] += bias[o]
			}
		}
	}
	return g
}

// winogradI8Of is a convolution's geometry, without weights.
func winogradI8Of(k *winogradKernelI8, s ConvShape) *WinogradI8 {
	return &WinogradI8{kernel: k, shape: s, ic: cpu.RoundUp(s.IC, k.channels)}
}

// step is the number of input channels that are multiplied together.
func (g *WinogradI8) step() int {
	if g.kernel.order == plain {
		return 4
	}
	return 2
}

// depth is the number of input channels, padded to whole steps.
func (g *WinogradI8) depth() int { return cpu.RoundUp(g.shape.IC, g.step()) }

// lane is where output channel o stands in its block.
func (g *WinogradI8) lane(b *convBlock, o int) int {
	switch g.kernel.order {
	case i16Pairs:
		return i16Lane(o-b.first, b.vectors)
	case highPairs:
		return pairedLane(o-b.first, b)
	}
	return o - b.first
}

// weightAt is where a weight stands in its block.
func (g *WinogradI8) weightAt(b *convBlock, plane, c, lane int) int {
	row := plane * g.depth()
	if g.kernel.order == plain {
		return (row+c)*b.width + lane
	}
	return (row+c/2*2)*b.width + 2*lane + c%2
}

// pack lays out output channel o of block b, whose filter is w; false: its sums
// may be too large.
func (g *WinogradI8) pack(b *convBlock, o int, w []int8, p ConvI8Params) bool {
	lane := g.lane(b, o)
	sum, size := int32(0), 0
	for _, v := range w {
		sum += p.weight(v)
		size += max(int(p.weight(v)), -int(p.weight(v)))
	}
	if most := 255; !p.Signed && size*most >= winogradBound || size*128 >= winogradBound {
		return false
	}
	for c := range g.shape.IC {
		var rows [6][3]int32 // G w
		for y, r := range winogradGI8 {
			for x := range 3 {
				at := func(ky int) int32 { return p.weight(w[(3*ky+x)*g.shape.IC+c]) }
				rows[y][x] = r[0]*at(0) + r[1]*at(1) + r[2]*at(2)
			}
		}
		for plane := range winogradPlanes {
			r, t := &rows[plane/6], &winogradGI8[plane%6]
			g.w[b.w+g.weightAt(b, plane, c, lane)] = int16(r[0]*t[0] + r[1]*t[1] + r[2]*t[2])
		}
	}
	g.bias[b.first+lane] = -sum * p.SrcZero
	switch g.kernel.order {
	case i16Pairs:
		p.Factors[o].layI16(g.requant[(b.first+lane)/i16Lanes*i16Row:], lane%i16Lanes, p.DstZero)
	case highPairs:
		p.Factors[o].layHigh(g.requant[b.first/i16Lanes*i16Row:], lane, b.width)
	case plain:
		p.Factors[o].lay(g.requant[o/4*(i16Row/2):], o%4, 4)
	}
	return true
}

// winogradScratchI8 is a worker's memory for one group of tiles.
type winogradScratchI8 struct {
	call    winogradCallI8
	whole   tileQueue
	edge    tileQueue
	edges   [winogradTilesI8]tileI8
	spare   [768]int32
	product []int32 // [36][tiles][width], of one block
	planes  []int16 // [36][tiles][ic]
	window  []uint8 // the pixels of tiles that cross the picture's end
	pixels  []uint8 // what these give
}

// tileQueue is a group of tiles: where their pixels come from and go to, in bytes.
type tileQueue struct {
	at, out [winogradTilesI8]int
	n       int
}

func (q *tileQueue) add(at, out int) (full bool) {
	q.at[q.n], q.out[q.n] = at, out
	q.n++
	return q.n == winogradTilesI8
}

// plane is the number of int16 from one plane to the next: no multiple of what
// caches count modulo.
func (g *WinogradI8) plane() int { return winogradTilesI8*g.ic + 32 }

// winogradSizesI8 are elements of the slices of winogradScratchI8.
type winogradSizesI8 struct{ product, planes, window, pixels int }

// sizes is what g wants of a worker.
func (g *WinogradI8) sizes() winogradSizesI8 {
	return winogradSizesI8{product: winogradPlanes * productPlane(2*g.kernel.lanes), planes: winogradPlanes * g.plane(),
		window: winogradTilesI8*winogradPlanes*g.ic + Slack, pixels: winogradTilesI8 * 16 * g.shape.OC}
}

// grow makes room for n.
func (w *winogradScratchI8) grow(n winogradSizesI8) {
	reserve(&w.product, n.product)
	reserve(&w.planes, n.planes)
	reserve(&w.window, n.window)
	reserve(&w.pixels, n.pixels)
}

// reserve makes s at least n elements long, zeros if it is not.
func reserve[T any](s *[]T, n int) {
	if len(*s) < n {
		*s = make([]T, n)
	}
}

// Run computes rows x cols output pixels; see ConvF32.Run.
func (g *WinogradI8) Run(k *Worker, dst, src Plane[uint8], rows, cols int) {
	if rows <= 0 || cols <= 0 {
		return
	}
	dst.holds("destination", rows, cols, g.shape.OC)
	src.holds("source", rows+2*g.shape.DY, cols+2*g.shape.DX, g.shape.IC)
	w := &k.winoI8
	w.grow(g.sizes())
	w.call = winogradCallI8{planes: unsafe.Pointer(&w.planes[0]), product: unsafe.Pointer(&w.product[0]), spare: unsafe.Pointer(&w.spare),
		vectors: g.ic / g.kernel.channels, plane: 2 * g.plane(), slot: 2 * g.ic, steps: g.depth() / g.step(),
		zero: g.zero, lo: g.lo, hi: g.hi, back: g.back, ninth: ninth, mask: ^uint64(0) >> (64 - g.kernel.channels + g.ic - g.shape.IC)}
	w.whole.n, w.edge.n = 0, 0
	winogradTilesOf(g.shape, rows, cols, func(t tileI8) {
		switch {
		case !t.whole():
			w.edges[w.edge.n] = t
			if n := w.edge.n; w.edge.add(n*winogradPlanes*g.ic, n*16*g.shape.OC) {
				g.computeEdges(w, dst, src)
			}
		case w.whole.add(t.y*src.Row+t.x*src.Pix, t.y*dst.Row+t.x*dst.Pix):
			g.compute(w, &w.whole, g.spread(dst), g.spread(src))
		}
	})
	g.compute(w, &w.whole, g.spread(dst), g.spread(src))
	g.computeEdges(w, dst, src)
}

// tileI8 is one tile: its output's corner and the pixels of it that exist.
type tileI8 struct{ y, x, rows, cols int }

func (t tileI8) whole() bool { return t.rows == 4 && t.cols == 4 }

// winogradTilesOf calls f for every tile of every phase of rows x cols outputs. The
// tiles of all phases that cover the same pixels come one after another, while
// these are in the cache. The last tile of a phase overlaps the one before it,
// which computes a few pixels twice, the same way.
func winogradTilesOf(s ConvShape, rows, cols int, f func(tileI8)) {
	for top := 0; top < rows; top += 4 * s.DY {
		for left := 0; left < cols; left += 4 * s.DX {
			for y := top; y < min(top+s.DY, rows); y++ {
				ty, h := winogradFit(y, rows, s.DY)
				for x := left; x < min(left+s.DX, cols); x++ {
					tx, w := winogradFit(x, cols, s.DX)
					f(tileI8{ty, tx, h, w})
				}
			}
		}
	}
}

// winogradFit moves a tile that starts at to where all four of its outputs exist,
// if there is such a place before it in its phase, and tells how many exist.
func winogradFit(at, size, dilation int) (start, n int) {
	n = min(4, (size-at+dilation-1)/dilation)
	if back := (4 - n) * dilation; at >= back {
		return at - back, 4
	}
	return at, n
}

// spread is p with the strides from one pixel of a tile to the next.
func (g *WinogradI8) spread(p Plane[uint8]) Plane[uint8] {
	return Plane[uint8]{p.P, p.Row * g.shape.DY, p.Pix * g.shape.DX}
}

// compute takes the tiles of q through the three steps and empties it.
func (g *WinogradI8) compute(w *winogradScratchI8, q *tileQueue, dst, src Plane[uint8]) {
	if q.n == 0 {
		return
	}
	c := &w.call
	c.count, c.tileAt, c.outAt = q.n, &q.at[0], &q.out[0]
	c.row, c.pix, c.dstRow, c.dstPix = src.Row, src.Pix, dst.Row, dst.Pix
	c.src = unsafe.Pointer(&src.P[0])
	q.n = 0
	g.in(c)
	for i := range g.blocks {
		b := &g.blocks[i]
		c.w, c.bias = unsafe.Pointer(&g.w[b.w]), unsafe.Pointer(&g.bias[b.first])
		c.requant = unsafe.Pointer(&g.requant[b.first/i16Lanes*i16Row])
		c.live, c.dst = b.live, unsafe.Pointer(&dst.P[b.first])
		g.kernel.mul[b.vectors-1](c)
		g.out[b.vectors-1](c)
	}
}

// computeEdges computes the tiles that cross the picture's end aside.
func (g *WinogradI8) computeEdges(w *winogradScratchI8, dst, src Plane[uint8]) {
	near, far, n := g.spread(src), g.spread(dst), w.edge.n
	for i, t := range w.edges[:n] {
		copyTile(w.window[w.edge.at[i]:], 6*g.ic, g.ic, src.P[t.y*src.Row+t.x*src.Pix:], near.Row, near.Pix, t.rows+2, t.cols+2, g.shape.IC)
	}
	g.compute(w, &w.edge, Plane[uint8]{w.pixels, 4 * g.shape.OC, g.shape.OC}, Plane[uint8]{w.window, 6 * g.ic, g.ic})
	for i, t := range w.edges[:n] {
		copyTile(dst.P[t.y*dst.Row+t.x*dst.Pix:], far.Row, far.Pix, w.pixels[w.edge.out[i]:], 4*g.shape.OC, g.shape.OC, t.rows, t.cols, g.shape.OC)
	}
}

// copyTile copies rows x cols pixels of c bytes.
func copyTile(dst []uint8, dstRow, dstPix int, src []uint8, srcRow, srcPix, rows, cols, c int) {
	for y := range rows {
		for x := range cols {
			copy(dst[y*dstRow+x*dstPix:][:c], src[y*srcRow+x*srcPix:][:c])
		}
	}
}
