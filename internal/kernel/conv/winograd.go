package conv

import "os"

// winogradKernel is one variant of the three steps of a Winograd convolution.
type winogradKernel struct {
	lanes int
	rows  func(*winogradRows)
	cols  func(*winogradCols)
	out   func(*winogradOut)
	mul   [][]func(*winogradMul) // [vectors-1][tiles]; nil: by ConvF32
	tiles int                    // that are taken through the steps together
}

// winogradVariable is the environment variable that switches Winograd off: off.
const winogradVariable = "EDGED_WINOGRAD"

// WinogradOn says whether Winograd may be used.
func WinogradOn() bool { return os.Getenv(winogradVariable) != "off" }

const (
	winogradPlanes = 36 // products of a 6x6 tile
	// winogradReach is the largest dilation: the phases of a block of columns
	// are taken through the steps together.
	winogradReach = 64
)

// WinogradF32 is a 3x3 convolution of stride 1 by Winograd's F(4x4, 3x3) (Lavin
// and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015): 36
// products for 16 outputs instead of 144. A dilated convolution is computed
// phase by phase. Its rounding errors are several times those of ConvF32.
type WinogradF32 struct {
	kernel *winogradKernel
	direct *convKernel // of what it stands in for
	shape  ConvShape
	tiles  int // of a group: a multiple of the column dilation
	parts  []winogradPart
	conv   []*ConvF32 // the products, where the variant has no routines of its own
	bias   []float32  // for all tiles of a run
	lo, hi float32
	consts [4]float32
	then   RunnerF32 // reads each pixel of the result; nil: nothing does
}

// winogradPart is a range of output channels that one routine computes.
type winogradPart struct {
	first, vectors, blocks int
	w                      []float32 // [36][block][ic][vectors]
}

// Winograd says whether NewWinogradF32 takes a convolution of this geometry.
func (s ConvShape) Winograd() bool {
	return s.KH == 3 && s.KW == 3 && s.DX <= winogradReach
}

// NewWinogradF32 transforms and packs w, shaped [OC][3][3][IC], and bias (nil:
// none). The shape must be one that ConvShape.Winograd allows.
func (r *Routines) NewWinogradF32(s ConvShape, w, bias []float32, lo, hi float32) *WinogradF32 {
	return newWinogradF32(r.winograd, r.convF32, s, w, bias, lo, hi)
}

func newWinogradF32(k *winogradKernel, mul *convKernel, s ConvShape, w, bias []float32, lo, hi float32) *WinogradF32 {
	if !s.Winograd() {
		panic("BUG: kernel: no convolution for Winograd")
	}
	g := winogradOf(k, s)
	g.direct = mul
	g.lo, g.hi, g.consts = lo, hi, [4]float32{4, 5, 2, 8}
	g.bias = alignedF32(s.DX*s.OC + k.lanes)
	for i := range s.DX {
		copy(g.bias[i*s.OC:], bias)
	}
	if k.mul == nil {
		g.conv = winogradConvs(mul, w, s)
		return g
	}
	g.parts = winogradParts(s.OC, k.lanes, len(k.mul))
	for i := range g.parts {
		g.parts[i].pack(w, s, k.lanes)
	}
	return g
}

// winogradOf is a convolution's geometry, without weights.
func winogradOf(k *winogradKernel, s ConvShape) *WinogradF32 {
	return &WinogradF32{kernel: k, shape: s, tiles: max(k.tiles/s.DX, 1) * s.DX}
}

// winogradParts cuts oc channels into parts. The part that holds the last
// channels comes first: what it writes past them belongs to the next tile's
// first channels, which are computed after it.
func winogradParts(oc, lanes, most int) []winogradPart {
	n := (oc + lanes - 1) / lanes
	last := 2 - n%2
	if last == 1 && n > 1 && most > 2 {
		last = 3
	}
	parts := []winogradPart{{first: (n - last) * lanes, vectors: last, blocks: 1}}
	if n > last {
		parts = append(parts, winogradPart{vectors: 2, blocks: (n - last) / 2})
	}
	return parts
}
