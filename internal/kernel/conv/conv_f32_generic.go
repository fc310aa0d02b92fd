package conv

import "unsafe"

// The portable convolution has vectors of four channels and tiles of up to
// two pixels, what the compiler keeps in scalar registers. It is the oracle of
// the assembly.
const (
	genericLanes = 4
	genericMaxM  = 2
)

var convF32Generic = convKernel{lanes: genericLanes, fn: [2][]func(*convCall){
	{nil, func(c *convCall) { convF32Portable(c, 1, 4) }, func(c *convCall) { convF32Portable(c, 2, 4) }},
	{nil, func(c *convCall) { convF32Portable(c, 1, 8) }, func(c *convCall) { convF32Portable(c, 2, 8) }},
}}

// convF32Portable computes tiles of m pixels of one block of width channels.
func convF32Portable(c *convCall, m, width int) {
	for ; c.tiles > 0; c.next() {
		convF32Tile(c, m, width)
	}
}

func convF32Tile(c *convCall, m, width int) {
	bias := unsafe.Slice((*float32)(c.bias), width)
	for first := 0; first < width; first += genericLanes {
		var acc [genericMaxM][genericLanes]float32
		for p := range m {
			copy(acc[p][:], bias[first:])
		}
		w := unsafe.Slice((*float32)(c.w), c.ntaps*c.kc*width)[first:]
		if m == 2 {
			accumulate2(&acc, w, c, width)
		} else {
			accumulate1(&acc[0], w, c, width)
		}
		n := genericLanes
		if first+n == width {
			n = masked((*[16]uint32)(c.mask))
		}
		for p := range m {
			c.finish(p, first, acc[p][:n])
		}
	}
}

// accumulate1 adds the products of one pixel's window to acc.
func accumulate1(acc *[genericLanes]float32, w []float32, c *convCall, width int) {
	a0, a1, a2, a3 := acc[0], acc[1], acc[2], acc[3]
	for _, t := range unsafe.Slice(c.taps, c.ntaps) {
		for _, a := range unsafe.Slice((*float32)(unsafe.Add(c.src, c.srcAt+t)), c.kc) {
			r := (*[genericLanes]float32)(w)
			a0 += a * r[0]
			a1 += a * r[1]
			a2 += a * r[2]
			a3 += a * r[3]
			w = w[min(width, len(w)):]
		}
	}
	*acc = [...]float32{a0, a1, a2, a3}
}

// accumulate2 is accumulate1 for two pixels that share the weights.
func accumulate2(acc *[genericMaxM][genericLanes]float32, w []float32, c *convCall, width int) {
	a0, a1, a2, a3 := acc[0][0], acc[0][1], acc[0][2], acc[0][3]
	b0, b1, b2, b3 := acc[1][0], acc[1][1], acc[1][2], acc[1][3]
	for _, t := range unsafe.Slice(c.taps, c.ntaps) {
		second := unsafe.Slice((*float32)(unsafe.Add(c.src, c.srcAt+t+c.srcStride)), c.kc)
		for i, a := range unsafe.Slice((*float32)(unsafe.Add(c.src, c.srcAt+t)), c.kc) {
			r, b := (*[genericLanes]float32)(w), second[i]
			a0 += a * r[0]
			a1 += a * r[1]
			a2 += a * r[2]
			a3 += a * r[3]
			b0 += b * r[0]
			b1 += b * r[1]
			b2 += b * r[2]
			b3 += b * r[3]
			w = w[min(width, len(w)):]
		}
	}
	*acc = [...][genericLanes]float32{{a0, a1, a2, a3}, {b0, b1, b2, b3}}
}

// masked counts the channels that exist in the last vector.
func masked(mask *[16]uint32) int {
	n := 0
	for mask[n] != 0 && n < genericLanes-1 {
		n++
	}
	if mask[n] != 0 {
		n++
	}
	return n
}

// finish adds the residual to pixel p's channels from first on, clamps and stores.
func (c *convCall) finish(p, first int, acc []float32) {
	dst := unsafe.Slice((*float32)(unsafe.Add(c.dst, c.dstAt+p*c.dstStride+first*4)), len(acc))
	if c.res != nil {
		for i, r := range unsafe.Slice((*float32)(unsafe.Add(c.res, c.resAt+p*c.resStride+first*4)), len(acc)) {
			acc[i] += r
		}
	}
	for i, v := range acc {
		dst[i] = min(max(v, c.lo), c.hi)
	}
}
