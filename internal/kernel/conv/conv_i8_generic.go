package conv

import (
	"encoding/binary"
	"math/bits"
	"unsafe"

	"edged/internal/kernel/vec"
)

var convI8Generic = convKernelI8{lanes: genericLanes, table: convTableI8Generic,
	windows: windowSumsPortable, chunk: 1}

var convTableI8Generic = convTableI8{
	{nil, func(c *convCallI8) { convI8Portable(c, 1, 4) }, func(c *convCallI8) { convI8Portable(c, 2, 4) }},
	{nil, func(c *convCallI8) { convI8Portable(c, 1, 8) }, func(c *convCallI8) { convI8Portable(c, 2, 8) }},
}

// convI8Portable computes tiles of m pixels of one block of width channels.
func convI8Portable(c *convCallI8, m, width int) {
	for ; c.tiles > 0; c.next() {
		convI8Tile(c, m, width)
		if c.sums != nil {
			c.resAt += 4 * m
		}
	}
}

func convI8Tile(c *convCallI8, m, width int) {
	requant := unsafe.Slice((*int32)(c.requant), requantRows*width)
	for first := 0; first < width; first += genericLanes {
		var acc [genericMaxM][genericLanes]int32
		if m == 2 {
			accumulateI8Pair(&acc, c, first, width)
		} else {
			accumulateI8(&acc[0], c, c.srcAt, first, width)
		}
		n := genericLanes
		if first+n == width {
			n = masked((*[16]uint32)(c.mask))
		}
		for p := range m {
			c.scale(p, first, acc[p][:n], requant[first:], width)
		}
	}
}

// scale adds pixel p's bias to its sums of the channels from first on, scales, clamps
// and stores them.
func (c *convCallI8) scale(p, first int, acc, requant []int32, width int) {
	bias := unsafe.Slice((*int32)(unsafe.Add(c.bias, 4*first)), len(acc))
	window := int32(0)
	if c.sums != nil {
		window = *(*int32)(unsafe.Add(c.sums, c.resAt+4*p))
	}
	dst := unsafe.Slice((*uint8)(unsafe.Add(c.dst, c.dstAt+p*c.dstStride+first)), len(acc))
	for i := range dst {
		r := requant[i:]
		q := vec.MulByQuantizedHalfUp(acc[i]+bias[i]+window, r[width], r[0]-r[4*width])
		dst[i] = uint8(min(max(q+c.zero, c.lo), c.hi))
	}
}

// pairable is how many products of bytes fit into 32 bits whatever they are: 255 times -128.
const pairable = 1 << 31 / (255 * 128)

// accumulateI8Pair is accumulateI8 for two pixels. In a 64-bit word the one's
// activation stands above the other's, so that one multiplication serves both; what
// the lower sum borrows from the upper one is given back at the end.
func accumulateI8Pair(acc *[genericMaxM][genericLanes]int32, c *convCallI8, first, width int) {
	if bits.UintSize < 64 || c.ntaps*c.kc*4 > pairable {
		accumulateI8(&acc[0], c, c.srcAt, first, width)
		accumulateI8(&acc[1], c, c.srcAt+c.srcStride, first, width)
		return
	}
	var sums [genericLanes]int64
	flip := uint32(c.flip) * 0x01010101
	w, at, step := unsafe.Add(c.w, first*4), 0, 4*width
	for _, t := range unsafe.Slice(c.taps, c.ntaps) {
		src := unsafe.Add(c.src, c.srcAt+t)
		second := unsafe.Add(src, c.srcStride)
		for i := range c.kc {
			a := uint64(binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(src, 4*i))[:]) ^ flip)
			b := uint64(binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(second, 4*i))[:]) ^ flip)
			r := (*[genericLanes][4]int8)(unsafe.Add(w, at))
			x0, x1 := int64(a&0xff|b<<32&(0xff<<32)), int64(a>>8&0xff|b<<24&(0xff<<32))
			x2, x3 := int64(a>>16&0xff|b<<16&(0xff<<32)), int64(a>>24|b>>24<<32)
			for j := range sums { // unrolled it needs more registers than there are
				sums[j] += x0*int64(r[j][0]) + x1*int64(r[j][1]) + x2*int64(r[j][2]) + x3*int64(r[j][3])
			}
			at += step
		}
	}
	for i, s := range sums {
		acc[0][i] = int32(s)
		acc[1][i] = int32((s - int64(int32(s))) >> 32)
	}
}

// accumulateI8 adds the products of the window that begins at srcAt to acc.
func accumulateI8(acc *[genericLanes]int32, c *convCallI8, srcAt, first, width int) {
	w, at, step := unsafe.Add(c.w, first*4), 0, 4*width
	a0, a1, a2, a3 := acc[0], acc[1], acc[2], acc[3]
	for _, t := range unsafe.Slice(c.taps, c.ntaps) {
		for _, a := range unsafe.Slice((*[4]uint8)(unsafe.Add(c.src, srcAt+t)), c.kc) {
			r := (*[4 * genericLanes]int8)(unsafe.Add(w, at))
			x0, x1, x2, x3 := int32(a[0]^c.flip), int32(a[1]^c.flip), int32(a[2]^c.flip), int32(a[3]^c.flip)
			a0 += x0*int32(r[0]) + x1*int32(r[1]) + x2*int32(r[2]) + x3*int32(r[3])
			a1 += x0*int32(r[4]) + x1*int32(r[5]) + x2*int32(r[6]) + x3*int32(r[7])
			a2 += x0*int32(r[8]) + x1*int32(r[9]) + x2*int32(r[10]) + x3*int32(r[11])
			a3 += x0*int32(r[12]) + x1*int32(r[13]) + x2*int32(r[14]) + x3*int32(r[15])
			at += step
		}
	}
	*acc = [...]int32{a0, a1, a2, a3}
}
