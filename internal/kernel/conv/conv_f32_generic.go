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

// accumulate1 adds the products of one pixel's window to acc. Offsets move, not
// slices: cutting one for each weight costs more than its products.
func accumulate1(acc *[genericLanes]float32, w []float32, c *convCall, width int) {
	a0, a1, a2, a3 := acc[0], acc[1], acc[2], acc[3]
	weights, at, n, step := unsafe.Pointer(unsafe.SliceData(w)), 0, 4*c.kc, 4*width
	for _, t := range unsafe.Slice(c.taps, c.ntaps) {
		src := unsafe.Add(c.src, c.srcAt+t)
		for i := 0; i < n; i += 4 {
			a, r := *(*float32)(unsafe.Add(src, i)), (*[genericLanes]float32)(unsafe.Add(weights, at))
			a0 += a * r[0]
			a1 += a * r[1]
			a2 += a * r[2]
			a3 += a * r[3]
			at += step
		}
	}
	*acc = [...]float32{a0, a1, a2, a3}
}

// accumulate2 is accumulate1 for two pixels that share the weights.
func accumulate2(acc *[genericMaxM][genericLanes]float32, w []float32, c *convCall, width int) {
	a0, a1, a2, a3 := acc[0][0], acc[0][1], acc[0][2], acc[0][3]
	b0, b1, b2, b3 := acc[1][0], acc[1][1], acc[1][2], acc[1][3]
	weights, at, n, step := unsafe.Pointer(unsafe.SliceData(w)), 0, 4*c.kc, 4*width
	for _, t := range unsafe.Slice(c.taps, c.ntaps) {
		src := unsafe.Add(c.src, c.srcAt+t)
		second := unsafe.Add(src, c.srcStride)
		i := 0
		for ; i+8 <= n; i += 8 { // by two: the sums of the first stay in registers
			x, y := (*[2]float32)(unsafe.Add(src, i)), (*[2]float32)(unsafe.Add(second, i))
			r := (*[genericLanes]float32)(unsafe.Add(weights, at))
			q := (*[genericLanes]float32)(unsafe.Add(weights, at+step))
			a0, b0 = a0+x[0]*r[0], b0+y[0]*r[0]
			a1, b1 = a1+x[0]*r[1], b1+y[0]*r[1]
			a2, b2 = a2+x[0]*r[2], b2+y[0]*r[2]
			a3, b3 = a3+x[0]*r[3], b3+y[0]*r[3]
			a0, b0 = a0+x[1]*q[0], b0+y[1]*q[0]
			a1, b1 = a1+x[1]*q[1], b1+y[1]*q[1]
			a2, b2 = a2+x[1]*q[2], b2+y[1]*q[2]
			a3, b3 = a3+x[1]*q[3], b3+y[1]*q[3]
			at += 2 * step
		}
		for ; i < n; i += 4 {
			a, b := *(*float32)(unsafe.Add(src, i)), *(*float32)(unsafe.Add(second, i))
			r := (*[genericLanes]float32)(unsafe.Add(weights, at))
			a0, b0 = a0+a*r[0], b0+b*r[0]
			a1, b1 = a1+a*r[1], b1+b*r[1]
			a2, b2 = a2+a*r[2], b2+b*r[2]
			a3, b3 = a3+a*r[3], b3+b*r[3]
			at += step
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
