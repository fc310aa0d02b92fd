package conv

import "unsafe"

// DepthwiseF32 is a depthwise convolution with one filter a channel:
//
//	dst[y,x,c] = clamp(bias[c] + sum over taps (src[y,x window, c] * w[tap,c]) + res[y,x,c], lo, hi)
type DepthwiseF32 struct {
	kernel *convKernel
	shape  ConvShape
	taps   []int // bytes
	reach  int
	w      []float32 // [vector of channels][bias, then the taps][lanes]
	vector int       // elements of w that one vector of channels takes
	full   int       // vectors of channels that are full
	lo, hi float32
	all    [16]uint32 // mask of a full vector
	tail   [16]uint32 // mask of the last one, if it is not
}

// NewDepthwiseF32 packs w, shaped [KH][KW][C], and bias (nil: none). s.IC and
// s.OC are C. lo and hi bound the result: the fused activation.
func (r *Routines) NewDepthwiseF32(s ConvShape, w, bias []float32, lo, hi float32) *DepthwiseF32 {
	return newDepthwiseF32(r.depthwiseF32, s, w, bias, lo, hi)
}

func newDepthwiseF32(k *convKernel, s ConvShape, w, bias []float32, lo, hi float32) *DepthwiseF32 {
	d := &DepthwiseF32{kernel: k, shape: s, lo: lo, hi: hi, full: s.OC / k.lanes}
	for y := range s.KH {
		for x := range s.KW {
			d.taps = append(d.taps, 4*(y*s.DY*s.Row+x*s.DX*s.Pix))
		}
	}
	taps := len(d.taps)
	d.reach = d.taps[taps-1]/4 + s.IC
	d.vector = (1 + taps) * k.lanes
	d.w = alignedF32((s.OC + k.lanes - 1) / k.lanes * d.vector)
	for o := range s.OC {
		v := d.w[o/k.lanes*d.vector+o%k.lanes:]
		if bias != nil {
			v[0] = bias[o]
		}
		for t := range taps {
			v[(1+t)*k.lanes] = w[t*s.OC+o]
		}
	}
	for i := range k.lanes {
		d.all[i] = ^uint32(0)
	}
	copy(d.tail[:], d.all[:s.OC%k.lanes])
	return d
}

// Run computes rows x cols output pixels; see ConvF32.Run.
func (d *DepthwiseF32) Run(k *Worker, dst, src, res Plane[float32], rows, cols int) {
	if rows <= 0 || cols <= 0 {
		return
	}
	dst.holds("destination", rows, cols, d.shape.OC)
	src.holds("source", rows, cols, d.reach)
	if len(res.P) > 0 {
		res.holds("residual", rows, cols, d.shape.OC)
	}
	k.f32 = convCall{taps: &d.taps[0], ntaps: len(d.taps), kc: d.shared(src.Pix), lo: d.lo, hi: d.hi,
		srcStride: src.Pix * 4, dstStride: dst.Pix * 4, resStride: res.Pix * 4}
	m, full, short := cut(cols, len(d.kernel.fn[0])-1)
	for y := range rows {
		x := 0
		for range full {
			d.tile(&k.f32, dst, src, res, y, x, m)
			x += m
		}
		for range short {
			d.tile(&k.f32, dst, src, res, y, x, m-1)
			x += m - 1
		}
	}
}

// shared is the filter's width where a pixel's taps, all but the first, are those of
// the pixels beside it, pix elements apart: routines may load such pixels once.
func (d *DepthwiseF32) shared(pix int) int {
	if d.shape.DX*d.shape.Pix == pix {
		return d.shape.KW
	}
	return 0
}

// tile computes m pixels from (y, x) on, all channels.
func (d *DepthwiseF32) tile(call *convCall, dst, src, res Plane[float32], y, x, m int) {
	call.src = unsafe.Pointer(&src.P[y*src.Row+x*src.Pix])
	call.dst = unsafe.Pointer(&dst.P[y*dst.Row+x*dst.Pix])
	if len(res.P) > 0 {
		call.res = unsafe.Pointer(&res.P[y*res.Row+x*res.Pix])
	}
	bytes := 4 * d.kernel.lanes
	call.tileSteps = tileSteps{tiles: d.full, srcStep: bytes, dstStep: bytes, resStep: bytes}
	if d.full > 0 {
		call.w, call.mask = unsafe.Pointer(&d.w[0]), unsafe.Pointer(&d.all)
		d.kernel.fn[0][m](call)
	}
	if d.shape.OC > d.full*d.kernel.lanes {
		call.tiles = 1
		call.w, call.mask = unsafe.Pointer(&d.w[d.full*d.vector]), unsafe.Pointer(&d.tail)
		d.kernel.fn[0][m](call)
	}
}

var depthwiseF32Generic = convKernel{lanes: genericLanes,
	fn: [2][]func(*convCall){{nil, depthwiseF32Portable}}}

// depthwiseF32Portable computes one pixel of some vectors of four channels.
func depthwiseF32Portable(c *convCall) {
	n := masked((*[16]uint32)(c.mask))
	taps := unsafe.Slice(c.taps, c.ntaps)
	w := unsafe.Slice((*[genericLanes]float32)(c.w), c.tiles*(1+len(taps)))
	for ; c.tiles > 0; c.next() {
		acc := w[0]
		if n == genericLanes {
			depthwiseF32Four(&acc, c, w[1:], taps)
			w = w[1+len(taps):]
			c.finish(0, 0, acc[:])
			continue
		}
		for i, t := range taps {
			f := &w[1+i]
			for j, a := range unsafe.Slice((*float32)(unsafe.Add(c.src, c.srcAt+t)), n) {
				acc[j] += a * f[j]
			}
		}
		w = w[1+len(taps):]
		c.finish(0, 0, acc[:n])
	}
}

// depthwiseF32Four adds the products of four channels that all exist.
func depthwiseF32Four(acc *[genericLanes]float32, c *convCall, w [][genericLanes]float32, taps []int) {
	a0, a1, a2, a3 := acc[0], acc[1], acc[2], acc[3]
	src := unsafe.Add(c.src, c.srcAt)
	w = w[:len(taps)]
	for i, t := range taps {
		x, f := (*[genericLanes]float32)(unsafe.Add(src, t)), &w[i]
		a0 += x[0] * f[0]
		a1 += x[1] * f[1]
		a2 += x[2] * f[2]
		a3 += x[3] * f[3]
	}
	*acc = [...]float32{a0, a1, a2, a3}
}
