// Package conv holds direct and Winograd convolutions over planes, depthwise
// ones, pooling, and two convolutions in a chain. EDGED_WINOGRAD=off leaves
// Winograd out, EDGED_RATES fixes the rates that its choice rests on.
package conv

//go:generate go -C ../gen run . -o ..

import (
	"fmt"
	"unsafe"
)

// convCall is what one call of a convolution routine gets: m neighbouring
// output pixels of one block of output channels.
type convCall struct {
	src, dst, w, bias, res unsafe.Pointer
	taps                   *int // byte offsets from a pixel's source
	ntaps, kc              int  // of a depthwise convolution kc is what DepthwiseF32.shared says
	srcStride, dstStride   int  // bytes from pixel to pixel
	resStride              int
	lo, hi                 float32
	mask                   unsafe.Pointer // which channels of the last vector exist
	weightsAhead
	tileSteps
}

// tileSteps repeats a call for neighbouring tiles of pixels: how many, and the
// bytes from one to the next. A routine counts tiles down and moves the offsets
// at, never the pointers: a pointer past its memory would stop the collector.
type tileSteps struct {
	tiles, srcStep, dstStep, resStep int
	srcAt, dstAt, resAt              int
}

// weightsAhead are the weights of the next block, which a routine fetches while it
// computes this one, a piece with each tile: in a net they are in no near cache when
// their turn comes. at moves, for the reason of tileSteps.
type weightsAhead struct {
	from           unsafe.Pointer
	fromAt         int
	piece, perPass int // bytes with each tile, and with each pass of its inner loop
}

// fetch shares bytes from on among tiles of so many passes. A few are near already.
func fetch(from unsafe.Pointer, bytes, tiles, passes int) weightsAhead {
	const few = 16 << 10
	if bytes < few {
		return weightsAhead{from: from}
	}
	piece := (bytes + tiles - 1) / tiles
	return weightsAhead{from: from, piece: piece, perPass: (piece + passes) / max(1, passes)}
}

// next moves on by one tile.
func (t *tileSteps) next() {
	t.tiles--
	t.srcAt += t.srcStep
	t.dstAt += t.dstStep
	t.resAt += t.resStep
}

// again readies the steps for n tiles of m pixels behind those done.
func (t *tileSteps) again(m, n, src, dst, res int) {
	t.tiles, t.srcStep, t.dstStep, t.resStep = n, m*src, m*dst, m*res
}

// Worker is the scratch memory of one thread that runs routines: what a call
// hands to assembly must not move, and is not worth allocating each time.
type Worker struct {
	f32     convCall
	i8      convCallI8
	wino    winogradScratch
	winoI8  winogradScratchI8
	pool    poolCall
	mask    laneMask  // of the last vector
	strip   []float32 // rows that directStrips gathers
	widened []int16   // activations of a convolution without their zero point
	flipped []uint8   // signed ones with 128 added
	sums    windowCall
	windows []int32 // sums of windows of activations

	asideF32 []float32 // what passes from a convolution to the one behind it
	asideI8  []uint8
}

// ConvShape is the geometry of a convolution over an NHWC picture: kernel
// height and width, dilations, channels in and out, and the source's strides in
// elements from row to row and pixel to pixel. The channels may form groups, each
// convolved by itself, by ConvF32 and ConvI8; none is one.
type ConvShape struct {
	KH, KW, DY, DX int
	IC, OC         int
	Row, Pix       int
	Groups         int
}

// depth is the number of input channels of a group.
func (s ConvShape) depth() int { return s.IC / max(1, s.Groups) }

// reach is the number of elements from a window's first to one past its last.
func (s ConvShape) reach() int { return (s.KH-1)*s.DY*s.Row + (s.KW-1)*s.DX*s.Pix + s.IC }

// window lists the element offsets of the taps from a window's first element,
// and how many neighbouring elements each tap covers. A row of taps that lies
// in one piece becomes one tap.
func (s ConvShape) window() (taps []int, kc int) {
	if s.KW == 1 || s.DX == 1 && s.Pix == s.depth() {
		for y := range s.KH {
			taps = append(taps, y*s.DY*s.Row)
		}
		return taps, s.KW * s.depth()
	}
	for y := range s.KH {
		for x := range s.KW {
			taps = append(taps, y*s.DY*s.Row+x*s.DX*s.Pix)
		}
	}
	return taps, s.depth()
}

// convBlock is a run of output channels that one routine computes together.
type convBlock struct {
	first, live int // output channels
	src         int // input channels before those of its group
	width, at   int // channels with padding: its own, and of the blocks before it
	vectors     int
	w           int // offset of its packed weights
	mask        [16]uint32
}

// blocks cuts the output channels of every group into blocks of one or two vectors.
func (s ConvShape) blocks(lanes, weightsPerChannel int) []convBlock {
	var bs []convBlock
	at, oc := 0, s.OC/max(1, s.Groups)
	for c := 0; c < s.OC; {
		left := oc - c%oc // in the group
		b := convBlock{first: c, src: c / oc * s.depth(), vectors: 2, at: at, w: at * weightsPerChannel}
		if left <= lanes {
			b.vectors = 1
		}
		b.width = b.vectors * lanes
		b.live = min(left, b.width)
		for i := range b.live - (b.vectors-1)*lanes {
			b.mask[i] = ^uint32(0)
		}
		at += b.width
		c += b.live
		bs = append(bs, b)
	}
	return bs
}

// tilesIn is how many tiles of at most most pixels cover cols.
func tilesIn(cols, most int) int { return (cols + most - 1) / most }

// cut shares cols pixels among tiles of at most most, as even as can be, since
// a short tile costs nearly as much as a full one: full tiles of m pixels, then
// short ones of m-1.
func cut(cols, most int) (m, full, short int) {
	n := tilesIn(cols, most)
	m = (cols + n - 1) / n
	return m, n - (m*n - cols), m*n - cols
}

// Plane is where a picture lies: element (y, x, c) is P[y*Row+x*Pix+c].
type Plane[T any] struct {
	P        []T
	Row, Pix int
}

// holds panics unless rows x cols pixels of c elements lie inside the plane.
func (p Plane[T]) holds(what string, rows, cols, c int) {
	if last := (rows-1)*p.Row + (cols-1)*p.Pix + c; last > len(p.P) || p.Row < 0 || p.Pix < 0 {
		panic(fmt.Sprintf("BUG: kernel: %s of %d x %d pixels of %d ends at %d of %d elements", what, rows, cols, c, last, len(p.P)))
	}
}
