package conv

import (
	"unsafe"

	"edged/internal/kernel/cpu"
)

// DotF32 is ConvF32 for one output channel, where vectors of channels would
// stand all but empty: it sums along the input's channels instead.
//
//	dst[y,x] = clamp(bias + sum(src[y,x window] * w) + res[y,x], lo, hi)
//
// Neighbouring outputs, and residuals, lie in neighbouring elements.
type DotF32 struct {
	kernel  *dotKernel
	taps    []int // bytes
	reach   int   // elements from a window's first to one past its last
	vectors int   // of a tap, that are full
	mask    *[16]uint32
	w       []float32 // [tap][whole vectors]
	bias    float32
	lo, hi  float32
}

// dotKernel is one variant: one computes single pixels, many the number most.
type dotKernel struct {
	lanes     int
	most      int
	one, many func(*convCall)
}

// Dot says whether there are routines for DotF32 that beat ConvF32's.
func (r *Routines) Dot() bool { return r.dotF32 != &dotF32Generic }

// NewDotF32 packs w, shaped [KH][KW][IC], and bias (nil: none). s.OC is 1.
func (r *Routines) NewDotF32(s ConvShape, w, bias []float32, lo, hi float32) *DotF32 {
	return newDotF32(r.dotF32, s, w, bias, lo, hi)
}

func newDotF32(k *dotKernel, s ConvShape, w, bias []float32, lo, hi float32) *DotF32 {
	taps, kc := s.window()
	d := &DotF32{kernel: k, vectors: kc / k.lanes, lo: lo, hi: hi, reach: taps[len(taps)-1] + kc}
	if rest := kc % k.lanes; rest > 0 {
		d.mask = new([16]uint32)
		for i := range rest {
			d.mask[i] = ^uint32(0)
		}
	}
	padded := cpu.RoundUp(kc, k.lanes)
	d.w = alignedF32(len(taps) * padded)
	for i, t := range taps {
		d.taps = append(d.taps, 4*t)
		copy(d.w[i*padded:], w[i*kc:][:kc])
	}
	if len(bias) > 0 {
		d.bias = bias[0]
	}
	return d
}

// Run computes rows x cols output pixels; see ConvF32.Run.
func (d *DotF32) Run(k *Worker, dst, src, res Plane[float32], rows, cols int) {
	if rows <= 0 || cols <= 0 {
		return
	}
	dst.holds("destination", rows, cols, 1)
	src.holds("source", rows, cols, d.reach)
	if len(res.P) > 0 {
		res.holds("residual", rows, cols, 1)
	}
	if dst.Pix != 1 || len(res.P) > 0 && res.Pix != 1 {
		panic("BUG: kernel: outputs of one channel with gaps between them")
	}
	k.f32 = convCall{taps: &d.taps[0], ntaps: len(d.taps), kc: d.vectors, lo: d.lo, hi: d.hi, srcStride: src.Pix * 4,
		dstStride: 4, resStride: 4, w: unsafe.Pointer(&d.w[0]), bias: unsafe.Pointer(&d.bias), mask: unsafe.Pointer(d.mask)}
	for y := range rows {
		d.row(&k.f32, dst, src, res, y, cols)
	}
}

// row computes one row. Its last pixels are computed together with some that
// are done already: every pixel by itself gives the same bits.
func (d *DotF32) row(call *convCall, dst, src, res Plane[float32], y, cols int) {
	most := d.kernel.most
	call.src, call.dst, call.res = unsafe.Pointer(&src.P[y*src.Row]), unsafe.Pointer(&dst.P[y*dst.Row]), nil
	if len(res.P) > 0 {
		call.res = unsafe.Pointer(&res.P[y*res.Row])
	}
	call.tileSteps = tileSteps{}
	if cols < most {
		call.again(1, cols, call.srcStride, 4, 4)
		d.kernel.one(call)
		return
	}
	call.again(most, cols/most, call.srcStride, 4, 4)
	d.kernel.many(call)
	if cols%most > 0 {
		call.tiles = 1
		call.srcAt, call.dstAt, call.resAt = (cols-most)*call.srcStride, 4*(cols-most), 4*(cols-most)
		d.kernel.many(call)
	}
}

var dotF32Generic = dotKernel{lanes: 1, most: 1, one: dotF32Portable, many: dotF32Portable}

// dotF32Portable computes single pixels.
func dotF32Portable(c *convCall) {
	w := unsafe.Slice((*float32)(c.w), c.ntaps*c.kc)
	for ; c.tiles > 0; c.next() {
		var acc [1]float32
		at := 0
		for _, t := range unsafe.Slice(c.taps, c.ntaps) {
			for i, a := range unsafe.Slice((*float32)(unsafe.Add(c.src, c.srcAt+t)), c.kc) {
				acc[0] += a * w[at+i]
			}
			at += c.kc
		}
		acc[0] += *(*float32)(c.bias)
		c.finish(0, 0, acc[:])
	}
}
