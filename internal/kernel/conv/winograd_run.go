package conv

import "unsafe"

// Picture is a plane of H x W pixels in a border of zeros, of which Top rows
// and Left columns come before the first pixel. Where there is a Pool, each
// pixel is what the pool finds from there on: it reaches over the plane's rest.
type Picture struct {
	Plane[float32]
	H, W, Top, Left int
	Pool            *PoolF32
}

// holds panics unless the pixels, of c elements, lie inside the plane.
func (p Picture) holds(c int) {
	if p.Pool != nil {
		c += p.Pool.reach
	}
	p.Plane.holds("source", p.H, p.W, c)
}

// winogradScratch is a worker's memory for one group of tiles.
type winogradScratch struct {
	rows    winogradRows
	cols    winogradCols
	mul     winogradMul
	out     winogradOut
	pieces  [winogradReach]winogradPiece
	columns []float32 // [6] rows of the picture, transformed
	planes  []float32 // [36][tiles][ic]
	product []float32 // [36][tiles][oc]
	steps   []float32 // of the output's transform
	zeros   []float32 // a row of the border
	pooled  []float32 // [6] rows of the picture behind its pool
	pixels  []float32 // output and residual of tiles that cross the picture's end
	extra   []float32
}

// winogradPiece is a row of neighbouring tiles: runs of them, each a block of
// 4*DX columns of output with one tile for every phase.
type winogradPiece struct {
	y, x         int // of the first output pixel
	rows         int // output rows that exist: at most 4, DY apart
	runs, phases int
	tile         int  // the first one's number in the group
	whole        bool // all columns exist
}

// span is the number of input columns under n runs of tiles.
func (g *WinogradF32) span(n int) int { return (4*n + 2) * g.shape.DX }

// together is the number of runs that are transformed at once: few enough that
// their rows stay in the second-level cache with the planes, many enough that
// few columns between them are transformed twice.
func (g *WinogradF32) together() int {
	const most = 128 << 10 / 4 / 6 // floats of a row
	return min(max(1, (most/g.shape.IC/g.shape.DX-2)/4), g.tiles/g.shape.DX)
}

// stagger rounds n floats up to an odd number of cache lines, so that planes
// do not meet in the same sets of a cache; a vector more fits behind them.
func stagger(n int) int { return ((n+16+15)/16 | 1) * 16 }

// columnsRow, planeIn and planeOut are the strides of the scratch.
func (g *WinogradF32) columnsRow() int { return stagger(g.span(g.together()) * g.shape.IC) }
func (g *WinogradF32) planeIn() int    { return stagger(g.tiles * g.shape.IC) }
func (g *WinogradF32) planeOut() int   { return stagger(g.tiles * g.shape.OC) }

// winogradAreas is the number of slices of winogradScratch.
const winogradAreas = 8

// areas are the slices of w, sizes what g wants of them.
func (w *winogradScratch) areas() [winogradAreas]*[]float32 {
	return [...]*[]float32{&w.columns, &w.planes, &w.product, &w.steps, &w.zeros, &w.pooled, &w.pixels, &w.extra}
}

func (g *WinogradF32) sizes() [winogradAreas]int {
	columns, pixels := 6*g.columnsRow(), 16*g.shape.DX*g.shape.OC
	return [...]int{columns, winogradPlanes * g.planeIn(), winogradPlanes * g.planeOut(), 4 * 6 * 16,
		g.span(g.together())*g.shape.IC + 16, columns, pixels, pixels}
}

// grow makes room for sizes.
func (w *winogradScratch) grow(sizes [winogradAreas]int) {
	for i, area := range w.areas() {
		reserveF32(area, sizes[i])
	}
}

// Run computes rows x cols output pixels; see ConvF32.Run.
func (g *WinogradF32) Run(k *Worker, dst, src, res Plane[float32], rows, cols int) {
	p := Picture{Plane: src, H: rows + 2*g.shape.DY, W: cols + 2*g.shape.DX}
	g.RunStrips(k, dst, p, res, rows, cols, 0, g.shape.Strips(rows))
}

// Then has a 1x1 convolution read every group of pixels while it is in the
// cache: RunStrips gives its results, and the residual is added to these.
func (g *WinogradF32) Then(then RunnerF32) { g.then = then }

// between is the number of floats that a group passes on.
func (g *WinogradF32) between() int { return 16 * g.tiles * g.shape.OC }

// RunStrips computes strips [lo, hi) of an output of rows x cols pixels. res is
// added before the clamp unless it is empty. The result does not depend on how
// strips are shared.
func (g *WinogradF32) RunStrips(k *Worker, dst Plane[float32], src Picture, res Plane[float32], rows, cols, lo, hi int) {
	if rows <= 0 || cols <= 0 || lo >= hi {
		return
	}
	src.holds(g.shape.IC)
	if g.then != nil {
		reserveF32(&k.asideF32, g.between())
	} else {
		dst.holds("destination", rows, cols, g.shape.OC)
		if len(res.P) > 0 {
			res.holds("residual", rows, cols, g.shape.OC)
		}
	}
	k.wino.grow(g.sizes())
	r := winogradRun{g: g, k: k, w: &k.wino, dst: dst, src: src, res: res, cols: cols}
	for i := lo; i < hi; i++ {
		r.strip(g.shape.strip(i, rows))
	}
	r.flush()
}

// winogradRun is one call of RunStrips with the group that it gathers.
type winogradRun struct {
	g        *WinogradF32
	k        *Worker
	w        *winogradScratch
	dst      Plane[float32]
	src      Picture
	res      Plane[float32]
	cols     int
	n, tiles int // pieces and tiles gathered
}

// strip adds the tiles of the strip that starts at row y to the group.
func (r *winogradRun) strip(y, rows int) {
	dx, fresh := r.g.shape.DX, true
	for x := 0; x < r.cols; x += 4 * dx {
		phases, whole := min(dx, r.cols-x), x+4*dx <= r.cols
		if r.tiles+phases > r.g.tiles {
			r.flush()
			fresh = true
		}
		if fresh || !whole {
			r.w.pieces[r.n] = winogradPiece{y: y, x: x, rows: rows, phases: phases, tile: r.tiles, whole: whole}
			r.n++
		}
		r.w.pieces[r.n-1].runs++
		r.tiles += phases
		fresh = false
	}
}

// flush takes the group through the three steps.
func (r *winogradRun) flush() {
	pieces := r.w.pieces[:r.n]
	for i := range pieces {
		r.transformIn(&pieces[i])
	}
	r.multiply()
	for i := range pieces {
		r.transformOut(&pieces[i])
	}
	r.n, r.tiles = 0, 0
}

// transformIn fills the planes from one piece.
func (r *winogradRun) transformIn(p *winogradPiece) {
	g, dx := r.g, r.g.shape.DX
	most := g.together()
	for i := 0; i < p.runs; i += most {
		n := min(most, p.runs-i)
		r.readRows(p, p.x+4*dx*i, g.span(n))
		pix, ic := 4*dx*g.shape.IC, g.shape.IC
		c := &r.w.cols
		*c = winogradCols{src: unsafe.Pointer(&r.w.columns[0]), dst: unsafe.Pointer(&r.w.planes[(p.tile+i*dx)*ic]), consts: unsafe.Pointer(&g.consts),
			pix: pix, plane: 4 * g.planeIn(), blocks: (p.phases*ic + g.kernel.lanes - 1) / g.kernel.lanes,
			runs: n, srcStep: 4 * pix, dstStep: pix, srcRow: 4 * g.columnsRow()}
		g.kernel.cols(c)
	}
}

// readRows transforms n columns of the bordered picture from x on, of the six
// rows under the piece. What lies outside the picture is zero.
func (r *winogradRun) readRows(p *winogradPiece, x, n int) {
	g, ic := r.g, r.g.shape.IC
	x -= r.src.Left
	lo := min(max(-x, 0), n)
	hi := max(lo, min(n, r.src.W-x))
	for i := range 6 {
		row := r.w.columns[i*g.columnsRow():][:n*ic]
		clear(row[:lo*ic])
		clear(row[hi*ic:])
	}
	if lo == hi {
		return
	}
	if r.src.Pix == ic {
		r.readRow(p.y-r.src.Top, x+lo, lo, (hi-lo)*ic)
		return
	}
	for i := lo; i < hi; i++ {
		r.readRow(p.y-r.src.Top, x+i, i, ic)
	}
}

// readRow transforms n elements from pixel (y, x) on to column at.
func (r *winogradRun) readRow(y, x, at, n int) {
	g, lanes := r.g, r.g.kernel.lanes
	var rows [6]unsafe.Pointer
	for i := range rows {
		rows[i] = unsafe.Pointer(&r.rowOf(i, y+i*g.shape.DY, x, n)[0])
	}
	c := &r.w.rows
	*c = winogradRows{rows: rows, dst: unsafe.Pointer(&r.w.columns[at*g.shape.IC]), mask: unsafe.Pointer(&r.k.mask), consts: unsafe.Pointer(&g.consts),
		stride: 4 * g.columnsRow(), blocks: n / lanes}
	if c.tail = n % lanes; c.tail > 0 {
		r.k.mask.first(c.tail)
	}
	g.kernel.rows(c)
}

// rowOf is the i-th of six rows: n elements from pixel (y, x) on.
func (r *winogradRun) rowOf(i, y, x, n int) []float32 {
	if y < 0 || y >= r.src.H {
		return r.w.zeros
	}
	row := r.src.P[y*r.src.Row+x*r.src.Pix:]
	if r.src.Pool == nil {
		return row
	}
	pooled := r.w.pooled[i*r.g.columnsRow():][:n]
	r.src.Pool.Run(r.k, pooled, row)
	return pooled
}

// multiply computes the products of the group's tiles.
func (r *winogradRun) multiply() {
	g, n := r.g, r.tiles
	for i := range g.parts {
		part := &g.parts[i]
		fns := g.kernel.mul[part.vectors-1]
		m, full, short := cut(n, len(fns)-1)
		r.multiplyPart(part, fns[m], 0, m, full)
		if short > 0 {
			r.multiplyPart(part, fns[m-1], m*full, m-1, short)
		}
	}
	for p, mul := range g.conv {
		v := Plane[float32]{r.w.planes[p*g.planeIn():], 0, g.shape.IC}
		m := Plane[float32]{r.w.product[p*g.planeOut():], 0, g.shape.OC}
		mul.Run(r.k, m, v, Plane[float32]{}, 1, n)
	}
}

// multiplyPart computes the products of groups of m tiles from tile on.
func (r *winogradRun) multiplyPart(part *winogradPart, fn func(*winogradMul), tile, m, groups int) {
	g, s := r.g, r.g.shape
	c := &r.w.mul
	*c = winogradMul{v: unsafe.Pointer(&r.w.planes[tile*s.IC]), w: unsafe.Pointer(&part.w[0]), m: unsafe.Pointer(&r.w.product[tile*s.OC+part.first]),
		vPlane: 4 * g.planeIn(), mPlane: 4 * g.planeOut(), vTile: 4 * s.IC, mTile: 4 * s.OC, kc: s.IC, tiles: groups, blocks: part.blocks, planes: winogradPlanes}
	fn(c)
}
