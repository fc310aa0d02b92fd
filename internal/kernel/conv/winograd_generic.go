package conv

import (
	"math"
	"unsafe"
)

var (
	minusInf = float32(math.Inf(-1))
	plusInf  = float32(math.Inf(1))
)

var winogradGeneric = winogradKernel{lanes: 1, tiles: 28,
	rows: winogradRowsPortable, cols: winogradColsPortable, out: winogradOutPortable}

func f32At(p unsafe.Pointer, bytes int) *float32 { return (*float32)(unsafe.Add(p, bytes)) }

func winogradRowsPortable(c *winogradRows) {
	for i := range c.blocks {
		var d [6]float32
		for y := range d {
			d[y] = *f32At(c.rows[y], 4*i)
		}
		for y, v := range transformIn(d) {
			*f32At(c.dst, y*c.stride+4*i) = v
		}
	}
}

func winogradColsPortable(c *winogradCols) {
	for y := range 6 {
		for run := range c.runs {
			src, dst := unsafe.Add(c.src, y*c.srcRow+run*c.srcStep), unsafe.Add(c.dst, 6*y*c.plane+run*c.dstStep)
			for i := range c.blocks {
				var d [6]float32
				for x := range d {
					d[x] = *f32At(src, x*c.pix+4*i)
				}
				for x, v := range transformIn(d) {
					*f32At(dst, x*c.plane+4*i) = v
				}
			}
		}
	}
}

func winogradOutPortable(c *winogradOut) {
	for range c.runs {
		for i := range c.blocks {
			c.block(4 * i)
		}
		c.planesAt += c.planesStep
		c.dstAt += c.dstStep
		c.resAt += c.resStep
	}
}

// block computes the pixels of one element of a run, at bytes from its start.
func (c *winogradOut) block(at int) {
	var t [6][4]float32
	for x := range t {
		var m [6]float32
		for y := range m {
			m[y] = *f32At(c.planes, c.planesAt+(6*y+x)*c.plane+at)
		}
		t[x] = transformOut(m)
	}
	for y := range c.rows {
		row := transformOut([6]float32{t[0][y], t[1][y], t[2][y], t[3][y], t[4][y], t[5][y]})
		for x, v := range row {
			v += *f32At(c.bias, at)
			if c.res != nil {
				v += *f32At(c.res, c.resAt+y*c.resRow+x*c.resPix+at)
			}
			*f32At(c.dst, c.dstAt+y*c.row+x*c.pix+at) = min(max(v, c.lo), c.hi)
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
