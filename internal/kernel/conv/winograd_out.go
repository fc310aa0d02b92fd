package conv

import "unsafe"

// transformOut computes the output pixels of one piece, or what is behind them.
func (r *winogradRun) transformOut(p *winogradPiece) {
	s := r.g.shape
	dst, res := r.dst.from(p.y, p.x).apart(s.DY, 1), r.res.from(p.y, p.x).apart(s.DY, 1)
	if r.g.then == nil {
		r.piece(p, dst, res)
		return
	}
	cols := min(4*s.DX*p.runs, r.cols-p.x)
	aside := Plane[float32]{r.k.asideF32, cols * s.OC, s.OC}
	r.piece(p, aside, Plane[float32]{})
	r.g.then.Run(r.k, dst, aside, res, p.rows, cols)
}

// piece computes the pixels of one piece, of which dst and res are the rows.
func (r *winogradRun) piece(p *winogradPiece, dst, res Plane[float32]) {
	if !p.whole {
		r.edgeOut(p, dst, res)
		return
	}
	r.writeRuns(p, dst.apart(1, r.g.shape.DX), res.apart(1, r.g.shape.DX), dst.Pix, res.Pix)
}

// from is the plane from pixel (y, x) on.
func (p Plane[T]) from(y, x int) Plane[T] {
	if len(p.P) > 0 {
		p.P = p.P[y*p.Row+x*p.Pix:]
	}
	return p
}

// apart is the plane of every dy-th row and every dx-th pixel.
func (p Plane[T]) apart(dy, dx int) Plane[T] {
	p.Row, p.Pix = p.Row*dy, p.Pix*dx
	return p
}

// edgeOut computes tiles that cross the picture's end aside and copies the
// pixels that exist.
func (r *winogradRun) edgeOut(p *winogradPiece, dst, res Plane[float32]) {
	oc := r.g.shape.OC
	aside := Plane[float32]{r.w.pixels, 4 * p.phases * oc, p.phases * oc}
	extra := Plane[float32]{}
	if len(res.P) > 0 {
		extra = Plane[float32]{r.w.extra, aside.Row, aside.Pix}
		r.eachEdge(p, func(y, x, at, n int) { copyPixels(extra.P[at:], oc, res.from(y, x).P, res.Pix, n, oc) })
	}
	r.writeRuns(p, aside, extra, oc, oc)
	r.eachEdge(p, func(y, x, at, n int) { copyPixels(dst.from(y, x).P, dst.Pix, aside.P[at:], oc, n, oc) })
}

// eachEdge calls f for every row of n neighbouring pixels of the piece that
// exist, with their place in it and aside.
func (r *winogradRun) eachEdge(p *winogradPiece, f func(y, x, at, n int)) {
	s := r.g.shape
	for i := range 4 * p.rows {
		x := i % 4 * s.DX
		if n := min(p.phases, r.cols-p.x-x); n > 0 {
			f(i/4, x, i*p.phases*s.OC, n)
		}
	}
}

// copyPixels copies n pixels of c elements.
func copyPixels(dst []float32, dstPix int, src []float32, srcPix, n, c int) {
	if dstPix == c && srcPix == c {
		n, c = 1, n*c
	}
	for i := range n {
		copy(dst[i*dstPix:][:c], src[i*srcPix:])
	}
}

// writeRuns transforms the products of a piece. dst and res step from one pixel
// of a tile to the next; dstPix and resPix lead to the neighbouring tile's. Where
// the pixels of neighbouring tiles lie in one piece, so do their channels.
func (r *winogradRun) writeRuns(p *winogradPiece, dst, res Plane[float32], dstPix, resPix int) {
	oc := r.g.shape.OC
	if dstPix == oc && (resPix == oc || len(res.P) == 0) || p.phases == 1 {
		r.write(p, dst, res, 0, p.phases*oc)
		return
	}
	for i := range p.phases {
		r.write(p, dst, res, i*oc, oc)
		dst.P = dst.P[min(dstPix, len(dst.P)):]
		if len(res.P) > 0 {
			res.P = res.P[min(resPix, len(res.P)):]
		}
	}
}

// write transforms n neighbouring products of every run from at on: whole
// vectors, then the rest. Without a residual, the last vector may overlap the
// one before: it computes the same again.
func (r *winogradRun) write(p *winogradPiece, dst, res Plane[float32], at, n int) {
	lanes := r.g.kernel.lanes
	full, rest := n/lanes, n%lanes
	if full > 0 {
		r.writeBlocks(p, dst, res, at, 0, full, lanes)
	}
	switch {
	case rest == 0:
	case full > 0 && len(res.P) == 0:
		r.writeBlocks(p, dst, res, at, n-lanes, 1, lanes)
	default:
		r.writeBlocks(p, dst, res, at, n-rest, 1, rest)
	}
}

// writeBlocks transforms blocks of vectors, the last with so many lanes, from
// element c of the runs on.
func (r *winogradRun) writeBlocks(p *winogradPiece, dst, res Plane[float32], at, c, blocks, lanes int) {
	g := r.g
	r.k.mask.first(lanes)
	call := &r.w.out
	*call = winogradOut{planes: unsafe.Pointer(&r.w.product[p.tile*g.shape.OC+at+c]), dst: unsafe.Pointer(&dst.P[c]),
		bias: unsafe.Pointer(&g.bias[c]), mask: unsafe.Pointer(&r.k.mask), scratch: unsafe.Pointer(&r.w.steps[0]), consts: unsafe.Pointer(&g.consts),
		plane: 4 * g.planeOut(), row: 4 * dst.Row, pix: 4 * dst.Pix, resRow: 4 * res.Row, resPix: 4 * res.Pix, lo: g.lo, hi: g.hi,
		rows: p.rows, blocks: blocks, runs: p.runs, planesStep: 4 * g.shape.DX * g.shape.OC, dstStep: 16 * dst.Pix, resStep: 16 * res.Pix}
	if len(res.P) > 0 {
		call.res = unsafe.Pointer(&res.P[c])
	}
	g.kernel.out(call)
}
