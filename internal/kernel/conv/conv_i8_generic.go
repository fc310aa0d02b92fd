package conv

import (
	"unsafe"

	"edged/internal/kernel/vec"
)

var convI8Generic = convKernelI8{lanes: genericLanes, table: convTableI8Generic,
	windows: windowSumsPortable, chunk: 1}

var convTableI8Generic = convTableI8{
	{nil, func(c *convCallI8) { convI8Portable(c, 4) }},
	{nil, func(c *convCallI8) { convI8Portable(c, 8) }},
}

// convI8Portable computes pixels, one a tile, of one block of width channels.
func convI8Portable(c *convCallI8, width int) {
	for ; c.tiles > 0; c.next() {
		convI8Pixel(c, width)
	}
}

func convI8Pixel(c *convCallI8, width int) {
	bias := unsafe.Slice((*int32)(c.bias), width)
	requant := unsafe.Slice((*int32)(c.requant), requantRows*width)
	window := int32(0)
	if c.sums != nil {
		window = *(*int32)(unsafe.Add(c.sums, c.resAt))
		c.resAt += 4
	}
	for first := 0; first < width; first += genericLanes {
		acc := [genericLanes]int32(bias[first:])
		for i := range acc {
			acc[i] += window
		}
		accumulateI8(&acc, c, first, width)
		n := genericLanes
		if first+n == width {
			n = masked((*[16]uint32)(c.mask))
		}
		dst := unsafe.Slice((*uint8)(unsafe.Add(c.dst, c.dstAt+first)), n)
		for i := range dst {
			r := requant[first+i:]
			q := vec.MulByQuantizedHalfUp(acc[i], r[width], r[0]-r[4*width])
			dst[i] = uint8(min(max(q+c.zero, c.lo), c.hi))
		}
	}
}

func accumulateI8(acc *[genericLanes]int32, c *convCallI8, first, width int) {
	w := unsafe.Slice((*int8)(c.w), c.ntaps*c.kc*width*4)[first*4:]
	a0, a1, a2, a3 := acc[0], acc[1], acc[2], acc[3]
	for _, t := range unsafe.Slice(c.taps, c.ntaps) {
		for _, a := range unsafe.Slice((*[4]uint8)(unsafe.Add(c.src, c.srcAt+t)), c.kc) {
			r := (*[4 * genericLanes]int8)(w)
			x0, x1, x2, x3 := int32(a[0]^c.flip), int32(a[1]^c.flip), int32(a[2]^c.flip), int32(a[3]^c.flip)
			a0 += x0*int32(r[0]) + x1*int32(r[1]) + x2*int32(r[2]) + x3*int32(r[3])
			a1 += x0*int32(r[4]) + x1*int32(r[5]) + x2*int32(r[6]) + x3*int32(r[7])
			a2 += x0*int32(r[8]) + x1*int32(r[9]) + x2*int32(r[10]) + x3*int32(r[11])
			a3 += x0*int32(r[12]) + x1*int32(r[13]) + x2*int32(r[14]) + x3*int32(r[15])
			w = w[min(4*width, len(w)):]
		}
	}
	*acc = [...]int32{a0, a1, a2, a3}
}
