package kernel

import (
	"math"
	"unsafe"
)

var (
	minusInf = float32(math.Inf(-1))
	plusInf  = float32(math.Inf(1))
)

// winogradGeneric is built for every machine and is the oracle of the assembly.
var winogradGeneric = &winogradKernel{variant: Generic, lanes: 1, in: winogradInPortable, out: winogradOutPortable}

func (c *winogradCall) at(p unsafe.Pointer, bytes int) *float32 {
	return (*float32)(unsafe.Add(p, bytes))
}

// each calls f for every tile with its place in the picture, in the residual
// and in the planes.
func (c *winogradCall) each(f func(tile, res, planes unsafe.Pointer)) {
	var resAt []int
	if c.resAt != nil {
		resAt = unsafe.Slice(c.resAt, c.count)
	}
	for i, at := range unsafe.Slice(c.tileAt, c.count) {
		var res unsafe.Pointer
		if c.res != nil {
			res = unsafe.Add(c.res, resAt[i])
		}
		f(unsafe.Add(c.tile, at), res, unsafe.Add(c.planes, i*c.slot))
	}
}

// winogradInPortable computes planes = B^T d B for some channels of a tile.
func winogradInPortable(c *winogradCall) {
	c.each(func(tile, _, planes unsafe.Pointer) { c.in(tile, planes) })
}

func (c *winogradCall) in(tile, planes unsafe.Pointer) {
	for ch := range c.blocks {
		var t [6][6]float32 // transposed: columns done
		for x := range 6 {
			var d [6]float32
			for y := range d {
				d[y] = *c.at(tile, y*c.row+x*c.pix+4*ch)
			}
			t[x] = transformIn(d)
		}
		for y := range 6 {
			row := transformIn([6]float32{t[0][y], t[1][y], t[2][y], t[3][y], t[4][y], t[5][y]})
			for x, v := range row {
				*c.at(planes, (6*y+x)*c.plane+4*ch) = v
			}
		}
	}
}

// winogradOutPortable computes clamp(A^T m A + bias + res) for some channels.
func winogradOutPortable(c *winogradCall) {
	c.each(c.out)
}

func (c *winogradCall) out(tile, res, planes unsafe.Pointer) {
	for ch := range c.blocks {
		var t [6][4]float32
		for x := range t {
			var m [6]float32
			for y := range m {
				m[y] = *c.at(planes, (6*y+x)*c.plane+4*ch)
			}
			t[x] = transformOut(m)
		}
		for y := range 4 {
			row := transformOut([6]float32{t[0][y], t[1][y], t[2][y], t[3][y], t[4][y], t[5][y]})
			for x, v := range row {
				v += *c.at(c.bias, 4*ch)
				if res != nil {
					v += *c.at(res, y*c.resRow+x*c.resPix+4*ch)
				}
				*c.at(tile, y*c.row+x*c.pix+4*ch) = min(max(v, c.lo), c.hi)
			}
		}
	}
}

// transformIn is B^T d of F(4, 3).
func transformIn(d [6]float32) [6]float32 {
	a, b := d[4]-4*d[2], d[3]-4*d[1]
	c, e := d[4]-d[2], 2*(d[3]-d[1])
	return [6]float32{4*d[0] + d[4] - 5*d[2], a + b, a - b, c + e, c - e, 4*d[1] + d[5] - 5*d[3]}
}

// transformOut is A^T m of F(4, 3).
func transformOut(m [6]float32) [4]float32 {
	s, d := m[1]+m[2], m[1]-m[2]
	t, e := m[3]+m[4], m[3]-m[4]
	return [4]float32{m[0] + s + t, d + 2*e, s + 4*t, m[5] + d + 8*e}
}
