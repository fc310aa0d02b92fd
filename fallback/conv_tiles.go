package fallback

import "edged/internal/kernel/gemm"

const (
	// chunk is the number of tiles that share a block of packed weights while it
	// is in the cache: 16 tiles read about as much input as one block of a
	// typical layer holds weights.
	chunk = 16
	// chunkRows is the number of output positions in a chunk.
	chunkRows = chunk * gemm.TileRows
)

// tiling lays a convolution out for the matrix kernels. Output position
// (image, y, x) reads its taps around source element
// image*image + y*stepY + x*stepX + base.
type tiling struct {
	images, outH, outW    int
	image, stepY, stepX   int // source elements
	base                  int
	taps                  []int // source elements
	k                     int   // source elements a tap, all contiguous
	groups, groupIn, cols int   // source elements and output channels of a group
	block                 int   // source elements from one block of channels to the next: depthwise
}

// positions is the number of output positions, tiles that of tiles.
func (t *tiling) positions() int { return t.images * t.outH * t.outW }
func (t *tiling) tiles() int     { return (t.positions() + gemm.TileRows - 1) / gemm.TileRows }

// work is the number of multiply-accumulates, as the kernels pad them.
func (t *tiling) work() int {
	return t.tiles() * gemm.TileRows * t.groups * (t.cols + gemm.TileCols - 1) / gemm.TileCols * gemm.TileCols * t.rows()
}

// rows is the length of the sums: the rows of the packed weights.
func (t *tiling) rows() int { return len(t.taps) * t.k }

// blocks is the number of column blocks of one group.
func (t *tiling) blocks() int { return (t.cols + gemm.TileCols - 1) / gemm.TileCols }

// offsets computes the source offsets of positions from on; positions past
// the last repeat it, so that the kernels read what exists. It returns how
// many are real.
func (t *tiling) offsets(dst *[chunkRows]int, from int) int {
	real := min(chunkRows, t.positions()-from)
	x := from % t.outW
	y := from / t.outW % t.outH
	image := from / t.outW / t.outH
	row := t.base + image*t.image + y*t.stepY
	for i := range real {
		dst[i] = row + x*t.stepX
		if x++; x == t.outW {
			x = 0
			if y++; y == t.outH {
				y = 0
				image++
			}
			row = t.base + image*t.image + y*t.stepY
		}
	}
	for i := real; i < chunkRows; i++ {
		dst[i] = dst[real-1]
	}
	return real
}

// geometry lays out the convolution of an NHWC source, already padded, of
// which a position has c elements and a row wp positions.
func geometry(s *convShape, hp, wp int) tiling {
	t := tiling{images: s.n, outH: s.y.out, outW: s.x.out,
		image: hp * wp * s.c, stepY: s.y.stride * wp * s.c, stepX: s.x.stride * s.c,
		groups: s.groups, groupIn: s.c / s.groups, cols: s.oc / s.groups}
	if s.joined() {
		t.k = s.x.k * s.c
		for y := range s.y.k {
			t.taps = append(t.taps, y*s.y.dilate*wp*s.c)
		}
		return t
	}
	t.k = t.groupIn
	for y := range s.y.k {
		for x := range s.x.k {
			t.taps = append(t.taps, (y*s.y.dilate*wp+x*s.x.dilate)*s.c)
		}
	}
	return t
}

// joined says that the taps of a kernel row are contiguous: one long tap.
func (s *convShape) joined() bool {
	return s.groups == 1 && !s.depthwise && (s.x.dilate == 1 || s.x.k == 1)
}

// floatTiles computes tiles [lo, hi) of a float convolution.
type floatTiles struct {
	tiling
	weights, bias []float32 // packed; bias padded to whole blocks
	lo, hi        float32
	mul           func(*gemm.TileF32)
}

func (f *floatTiles) run(w *worker, dst, src []float32, lo, hi int) {
	var off [chunkRows]int
	ldc := f.groups * f.cols
	t := &w.f32
	t.A, t.Taps, t.K, t.Lo, t.Hi = src, f.taps, f.k, f.lo, f.hi
	for from := lo * gemm.TileRows; from < hi*gemm.TileRows; from += chunkRows {
		real := min(f.offsets(&off, from), hi*gemm.TileRows-from)
		for g := range f.groups {
			for b := range f.blocks() {
				block := g*f.blocks() + b
				t.W = f.weights[block*f.rows()*gemm.TileCols:][:f.rows()*gemm.TileCols]
				t.Bias = f.bias[block*gemm.TileCols:][:gemm.TileCols]
				f.column(w, dst, &off, from, real, g, b, ldc)
			}
		}
	}
	*t = gemm.TileF32{}
}

// column computes one block of channels of a chunk.
func (f *floatTiles) column(w *worker, dst []float32, off *[chunkRows]int, from, real, g, b, ldc int) {
	t := &w.f32
	cols := min(gemm.TileCols, f.cols-b*gemm.TileCols)
	for m := 0; m < real; m += gemm.TileRows {
		for i := range t.Off {
			t.Off[i] = off[m+i] + g*f.groupIn + b*f.block
		}
		t.Rows = min(gemm.TileRows, real-m)
		out := dst[(from+m)*ldc+g*f.cols+b*gemm.TileCols:]
		if cols == gemm.TileCols {
			t.Dst, t.Ldc = out, ldc
			f.mul(t)
			continue
		}
		t.Dst, t.Ldc = w.tile[:], gemm.TileCols
		f.mul(t)
		for r := range t.Rows {
			copy(out[r*ldc:][:cols], w.tile[r*gemm.TileCols:])
		}
	}
}

// quantTiles computes tiles [lo, hi) of a quantised convolution: sums of
// int16 products, then requantisation.
type quantTiles struct {
	tiling
	weights          []int16 // packed
	bias, mul, shift []int32 // padded to whole blocks
	zero, lo, hi     int32
	halfUp           bool
	mulTile          func(*gemm.TileI16)
	requant          func(*gemm.Requant)
	finish           func(w *worker, position, rows, group, block int) // instead of requantisation
}

func (q *quantTiles) run(w *worker, dst []byte, src []int16, lo, hi int) {
	var off [chunkRows]int
	t := &w.i16
	t.A, t.Taps, t.K, t.Dst = src, q.taps, q.k, w.sums[:]
	w.req = gemm.Requant{Acc: w.sums[:], Zero: q.zero, Lo: q.lo, Hi: q.hi, HalfUp: q.halfUp}
	for from := lo * gemm.TileRows; from < hi*gemm.TileRows; from += chunkRows {
		real := min(q.offsets(&off, from), hi*gemm.TileRows-from)
		for g := range q.groups {
			for b := range q.blocks() {
				block := g*q.blocks() + b
				at := block * gemm.TileCols
				t.W = q.weights[at*q.rows():][:q.rows()*gemm.TileCols]
				t.Bias = q.bias[at:][:gemm.TileCols]
				if q.finish == nil {
					w.req.Mult, w.req.Shift = q.mul[at:][:gemm.TileCols], q.shift[at:][:gemm.TileCols]
				}
				q.column(w, dst, &off, from, real, g, b)
			}
		}
	}
	*t, w.req = gemm.TileI16{}, gemm.Requant{}
}

func (q *quantTiles) column(w *worker, dst []byte, off *[chunkRows]int, from, real, g, b int) {
	t, r := &w.i16, &w.req
	ldc := q.groups * q.cols
	cols := min(gemm.TileCols, q.cols-b*gemm.TileCols)
	for m := 0; m < real; m += gemm.TileRows {
		for i := range t.Off {
			t.Off[i] = off[m+i] + g*q.groupIn + b*q.block
		}
		t.Rows = min(gemm.TileRows, real-m)
		r.Rows = t.Rows
		q.mulTile(t)
		if q.finish != nil {
			q.finish(w, from+m, t.Rows, g, b)
			continue
		}
		out := dst[(from+m)*ldc+g*q.cols+b*gemm.TileCols:]
		if cols == gemm.TileCols {
			r.Dst, r.Ldc = out, ldc
			q.requant(r)
			continue
		}
		r.Dst, r.Ldc = w.bytes[:], gemm.TileCols
		q.requant(r)
		for i := range t.Rows {
			copy(out[i*ldc:][:cols], w.bytes[i*gemm.TileCols:])
		}
	}
}
