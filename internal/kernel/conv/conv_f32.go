package conv

import (
	"unsafe"
)

// convKernel is one variant of the float32 convolution: fn[vectors-1][pixels].
type convKernel struct {
	lanes  int
	pass   int // input channels in one pass of the inner loop that fetches weights ahead
	fn     [2][]func(*convCall)
	spills bool // its masked stores may be slow: it writes whole vectors into what follows, where that is yet to be written
}

// ConvF32 is a float32 convolution whose weights are packed for one variant:
//
//	dst[y,x,o] = clamp(bias[o] + sum(src[y,x window] * w[o]) + res[y,x,o], lo, hi)
//
// Each output is summed in one order (taps, then channels) whatever the tile,
// so results do not depend on how rows are shared among threads.
type ConvF32 struct {
	kernel *convKernel
	shape  ConvShape
	kc     int
	taps   []int // bytes
	reach  int   // elements from a window's first to one past its last
	blocks []convBlock
	whole  laneMask
	w      []float32 // [block][tap][kc][width]
	bias   []float32 // padded to whole blocks
	lo, hi float32
	exact  bool // writes nothing but its own channels: see convKernel.spills
}

// NewConvF32 packs w, shaped [OC][KH][KW][IC], and bias (nil: none). lo and hi
// bound the result: the fused activation.
func (r *Routines) NewConvF32(s ConvShape, w, bias []float32, lo, hi float32) *ConvF32 {
	return newConvF32(r.convF32, s, w, bias, lo, hi)
}

func newConvF32(k *convKernel, s ConvShape, w, bias []float32, lo, hi float32) *ConvF32 {
	taps, kc := s.window()
	c := &ConvF32{kernel: k, shape: s, kc: kc, lo: lo, hi: hi}
	c.reach = s.reach()
	for _, t := range taps {
		c.taps = append(c.taps, t*4)
	}
	c.whole.first(k.lanes)
	c.blocks = s.blocks(k.lanes, len(taps)*kc)
	last := c.blocks[len(c.blocks)-1]
	c.w = alignedF32(last.w + last.width*len(taps)*kc)
	c.bias = alignedF32(last.at + last.width)
	for _, b := range c.blocks {
		if bias != nil {
			copy(c.bias[b.at:], bias[b.first:][:b.live])
		}
	}
	if w != nil {
		c.pack(w, len(taps)*kc)
	}
	return c
}

// pack lays out w, per weights a channel, in pieces that stay in the cache.
func (c *ConvF32) pack(w []float32, per int) {
	const piece = 64
	for _, b := range c.blocks {
		for from := 0; from < per; from += piece {
			dst := c.w[b.w+from*b.width:]
			for o := b.first; o < b.first+b.live; o++ {
				for i, v := range w[o*per+from : o*per+min(from+piece, per)] {
					dst[i*b.width+o-b.first] = v
				}
			}
		}
	}
}

// Run computes rows x cols output pixels. src begins at the first window's
// first element; its Row and Pix are those of one output step (the stride times
// the picture's). res is added before the clamp unless it is empty.
func (c *ConvF32) Run(k *Worker, dst, src, res Plane[float32], rows, cols int) {
	if rows <= 0 || cols <= 0 {
		return
	}
	dst.holds("destination", rows, cols, c.shape.OC)
	src.holds("source", rows, cols, c.reach)
	call := &k.f32
	*call = convCall{taps: &c.taps[0], ntaps: len(c.taps), kc: c.kc, lo: c.lo, hi: c.hi,
		srcStride: src.Pix * 4, dstStride: dst.Pix * 4, resStride: res.Pix * 4}
	if len(res.P) > 0 {
		res.holds("residual", rows, cols, c.shape.OC)
	}
	for i := len(c.blocks) - 1; i >= 0; i-- { // what the last one spills, others overwrite
		b := &c.blocks[i]
		call.w, call.bias = unsafe.Pointer(&c.w[b.w]), unsafe.Pointer(&c.bias[b.at])
		if next := &c.blocks[max(0, i-1)]; c.kernel.pass > 0 {
			tiles := rows * tilesIn(cols, len(c.kernel.fn[b.vectors-1])-1)
			call.weightsAhead = fetch(unsafe.Pointer(&c.w[next.w]), 4*next.width*len(c.taps)*c.kc, tiles, len(c.taps)*(c.kc/c.kernel.pass))
		}
		for y := range rows {
			c.row(call, b, dst, src, res, y, cols)
		}
	}
}

// row computes one row of one block.
func (c *ConvF32) row(call *convCall, b *convBlock, dst, src, res Plane[float32], y, cols int) {
	call.src = unsafe.Pointer(&src.P[y*src.Row+b.src])
	call.dst = unsafe.Pointer(&dst.P[y*dst.Row+b.first])
	call.res = nil
	if len(res.P) > 0 {
		call.res = unsafe.Pointer(&res.P[y*res.Row+b.first])
	}
	call.tileSteps = tileSteps{}
	fns := c.kernel.fn[b.vectors-1]
	m, full, short := cut(cols, len(fns)-1)
	last := 0
	if c.kernel.spills && !c.exact && dst.Pix == c.shape.OC && call.res == nil && b.live < b.width && b.first+b.live == c.shape.OC {
		call.mask = unsafe.Pointer(&c.whole)
		if last = m; short > 0 {
			last, short = m-1, short-1
		} else {
			full--
		}
	} else {
		call.mask = unsafe.Pointer(&b.mask)
	}
	call.tilesOf(fns, m, full)
	call.tilesOf(fns, m-1, short)
	if last > 0 {
		call.mask = unsafe.Pointer(&b.mask)
		call.tilesOf(fns, last, 1)
	}
}

// tilesOf computes the next n tiles of m pixels.
func (c *convCall) tilesOf(fns []func(*convCall), m, n int) {
	if n > 0 {
		c.again(m, n, c.srcStride, c.dstStride, c.resStride)
		fns[m](c)
	}
}

// alignedF32 makes n zeros that start on a cache line.
func alignedF32(n int) []float32 {
	b := make([]float32, n+16)
	skip := (-uintptr(unsafe.Pointer(&b[0])) & 63) / 4
	return b[skip : int(skip)+n : int(skip)+n]
}
