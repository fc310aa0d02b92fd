package conv

import "unsafe"

// channelsIn is a vector of input channels.
const channelsIn = 16

var winogradI8Generic = winogradKernelI8{lanes: i16Lanes, channels: channelsIn,
	in:       func(c *winogradCallI8) { c.transformIn(func(x uint8) int16 { return int16(x) }) },
	inSigned: func(c *winogradCallI8) { c.transformIn(func(x uint8) int16 { return int16(int8(x)) }) },
	mul:      stepsI8{func(c *winogradCallI8) { c.multiply(1) }, func(c *winogradCallI8) { c.multiply(2) }},
	out:      stepsI8{func(c *winogradCallI8) { c.transformOut(1) }, func(c *winogradCallI8) { c.transformOut(2) }},
}

// transformIn computes planes = B^T d B of every tile.
func (c *winogradCallI8) transformIn(widen func(uint8) int16) {
	for i, at := range unsafe.Slice(c.tileAt, c.count) {
		for ch := range c.vectors * channelsIn {
			var t [6][6]int16 // transposed: columns done
			for x := range 6 {
				var d [6]int16
				for y := range d {
					d[y] = widen(*(*uint8)(unsafe.Add(c.src, at+y*c.row+x*c.pix+ch)))
				}
				t[x] = transformInI8(d)
			}
			for y := range 6 {
				row := transformInI8([6]int16{t[0][y], t[1][y], t[2][y], t[3][y], t[4][y], t[5][y]})
				for x, v := range row {
					*(*int16)(unsafe.Add(c.planes, (6*y+x)*c.plane+i*c.slot+2*ch)) = v
				}
			}
		}
	}
}

// transformInI8 is B^T d of F(4, 3).
func transformInI8(d [6]int16) [6]int16 {
	a, b := d[4]-4*d[2], d[3]-4*d[1]
	c, e := d[4]-d[2], d[3]-d[1]
	return [6]int16{4*(d[0]-d[2]) + c, a + b, a - b, c + 2*e, c - 2*e, d[5] - d[3] - 4*e}
}

// multiply computes the products of every tile and plane.
func (c *winogradCallI8) multiply(vectors int) {
	width := i16Lanes * vectors
	product := unsafe.Slice((*int32)(c.product), winogradPlanes*productPlane(width))
	w := unsafe.Slice((*int16)(c.w), winogradPlanes*c.steps*width*2)
	for i := range winogradPlanes * c.count * width {
		plane, tile, lane := i/width/c.count, i/width%c.count, i%width
		v := unsafe.Slice((*int16)(unsafe.Add(c.planes, plane*c.plane+tile*c.slot)), 2*c.steps)
		sum := int32(0)
		for k, x := range v {
			sum += int32(x) * int32(w[(plane*c.steps+k/2)*width*2+2*lane+k%2])
		}
		product[plane*productPlane(width)+tile*width+lane] = sum
	}
}

// transformOut computes A^T m A of every tile, adds the bias, scales and clamps.
func (c *winogradCallI8) transformOut(vectors int) {
	product := unsafe.Slice((*int32)(c.product), winogradPlanes*productPlane(i16Lanes*vectors))
	bias := unsafe.Slice((*int32)(c.bias), i16Lanes*vectors)
	requant := unsafe.Slice((*int32)(c.requant), i16Row*vectors)
	for i, at := range unsafe.Slice(c.outAt, c.count) {
		for ch := range c.live {
			lane := i16Lane(ch, vectors)
			pixels := transformTileOut(func(plane int) int32 {
				return product[plane*productPlane(i16Lanes*vectors)+i*i16Lanes*vectors+lane]
			})
			for p, sum := range pixels {
				v := scaleI16(sum+bias[lane], requant[lane/i16Lanes*i16Row:], lane%i16Lanes)
				*(*uint8)(unsafe.Add(c.dst, at+p/4*c.dstRow+p%4*c.dstPix+ch)) = uint8(min(max(v, c.lo+int32(c.back)), c.hi+int32(c.back)))
			}
		}
	}
}

// transformTileOut gives the sums of a tile's 16 pixels.
func transformTileOut(product func(plane int) int32) (pixels [16]int32) {
	var t [6][4]int32
	for x := range t {
		t[x] = transformOutI8([6]int32{product(x), product(6 + x), product(12 + x), product(18 + x), product(24 + x), product(30 + x)})
	}
	twos := [4]int{3, 2, 1, 1}
	for y := range 4 {
		row := transformOutI8([6]int32{t[0][y], t[1][y], t[2][y], t[3][y], t[4][y], t[5][y]})
		for x, v := range row {
			pixels[4*y+x] = v * ninth >> (twos[y] + twos[x])
		}
	}
	return pixels
}

// transformOutI8 is A^T m of F(4, 3), its rows times 24, 12, 6 and 6.
func transformOutI8(m [6]int32) [4]int32 {
	s, d := m[1]+m[2], m[1]-m[2]
	t, e := m[3]+m[4], m[3]-m[4]
	return [4]int32{2*(m[0]+2*s) + t, 2*d + e, s + t, d + 2*(e+m[5])}
}

// scaleI16 scales a sum by the constants of one lane: see Factor.layI16.
func scaleI16(sum int32, requant []int32, lane int) int32 {
	at := 8 + lane%2*i16Lanes + lane/2*2
	term := uint64(uint32(requant[at+16])) | uint64(uint32(requant[at+17]))<<32
	x := uint64(int64(sum<<requant[lane])*int64(requant[at])) + term
	return int32(x>>requant[at+32]) + requant[56+lane/4*4+[4]int{0, 2, 1, 3}[lane%4]]
}
