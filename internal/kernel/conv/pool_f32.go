package conv

import (
	"math"
	"unsafe"
)

// poolCall is what a call of a pool's routine gets. The generator knows its
// layout.
type poolCall struct {
	dst, src, taps, mask unsafe.Pointer // taps in bytes
	ntaps                int
	blocks, tail         int // whole vectors, and whether the mask's lanes follow
	least                float32
}

type poolKernel struct {
	lanes int
	fn    func(*poolCall)
}

// PoolF32 is a max pool of stride 1 without padding, over pixels of any number
// of channels:
//
//	dst[i] = max over taps of src[i+tap], and at least -MaxFloat32
//
// What is no number is passed over.
type PoolF32 struct {
	kernel *poolKernel
	taps   []int // bytes
	reach  int   // elements from the first tap to the last
}

// NewPoolF32 makes a pool of kh x kw taps that lie row and pix elements apart.
func (r *Routines) NewPoolF32(kh, kw, row, pix int) *PoolF32 {
	return newPoolF32(r.poolF32, kh, kw, row, pix)
}

func newPoolF32(k *poolKernel, kh, kw, row, pix int) *PoolF32 {
	p := &PoolF32{kernel: k, reach: (kh-1)*row + (kw-1)*pix}
	for y := range kh {
		for x := range kw {
			p.taps = append(p.taps, 4*(y*row+x*pix))
		}
	}
	return p
}

// Run computes all of dst. src must be longer by the taps' reach.
func (p *PoolF32) Run(k *Worker, dst, src []float32) {
	if len(dst) == 0 {
		return
	}
	_ = src[len(dst)+p.reach-1]
	c, lanes := &k.pool, p.kernel.lanes
	*c = poolCall{dst: unsafe.Pointer(&dst[0]), src: unsafe.Pointer(&src[0]), taps: unsafe.Pointer(&p.taps[0]), mask: unsafe.Pointer(&k.mask),
		ntaps: len(p.taps), blocks: len(dst) / lanes, least: -math.MaxFloat32}
	if c.tail = len(dst) % lanes; c.tail > 0 {
		k.mask.first(c.tail)
	}
	p.kernel.fn(c)
}

// laneMask is a mask of the elements of a vector: all bits of one that takes part.
type laneMask [16]uint32

// first sets the mask to the first n elements.
func (m *laneMask) first(n int) {
	*m = laneMask{}
	for i := range n {
		m[i] = ^uint32(0)
	}
}

var poolF32Generic = poolKernel{1, poolF32Portable}

func poolF32Portable(c *poolCall) {
	dst := unsafe.Slice((*float32)(c.dst), c.blocks)
	for i := range dst {
		dst[i] = c.least
	}
	for _, t := range unsafe.Slice((*int)(c.taps), c.ntaps) {
		for i, v := range unsafe.Slice((*float32)(unsafe.Add(c.src, t)), c.blocks) {
			if v > dst[i] {
				dst[i] = v
			}
		}
	}
}
