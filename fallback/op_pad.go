package fallback

import (
	"edged/model"
)

// planPad plans PAD and PADV2: constant borders. PAD fills with zero, which is
// the zero point of a quantised tensor; PADV2 with its third input.
func planPad(c *opContext) error {
	in, out := c.in[0], c.out[0]
	if in.typ != out.typ {
		return c.types()
	}
	pads, shape, err := c.padding()
	if err != nil {
		return err
	}
	if err := c.shape(0, shape...); err != nil {
		return err
	}
	value, err := c.padValue()
	if err != nil {
		return err
	}
	to := strides(shape)
	m := move{dims: in.shape, ds: to, ss: strides(in.shape), elem: out.elem()}
	for i := range pads {
		m.dst0 += pads[i][0] * to[i]
	}
	n := out.elems()
	reads := []*tensor{in}
	if value.from != nil {
		reads = append(reads, value.from)
	}
	c.emit("fill", pieces(n), n, reads, func(_ *worker, lo, hi int) {
		lo, hi = cut(lo, hi, n)
		value.fill(out, lo, hi)
	})
	c.emitMove(out, in, m)
	return nil
}

// padding reads the second input, [rank, 2], and the shape that it gives.
func (c *opContext) padding() (pads [][2]int, shape []int, err error) {
	v, err := c.ints(1)
	if err != nil {
		return nil, nil, err
	}
	in := c.in[0].shape
	if len(v) != 2*len(in) {
		return nil, nil, c.malformed("%d paddings for %d dimensions", len(v), len(in))
	}
	for i, d := range in {
		before, after := v[2*i], v[2*i+1]
		const most = 1 << 30
		if before < 0 || after < 0 || before > most || after > most {
			return nil, nil, c.malformed("paddings %v", v)
		}
		pads = append(pads, [2]int{before, after})
		shape = append(shape, before+d+after)
	}
	return pads, shape, nil
}

// filler repeats one element.
type filler struct {
	from  *tensor // holds it, else it is bytes
	bytes [8]byte
}

func (f filler) fill(t *tensor, lo, hi int) {
	size := t.elem()
	value := f.bytes[:size]
	if f.from != nil {
		value = f.from.data[:size]
	}
	dst := t.data[lo*size : hi*size]
	for n := copy(dst, value); n < len(dst); {
		n += copy(dst[n:], dst[:n])
	}
}

func (c *opContext) padValue() (filler, error) {
	out := c.out[0]
	if len(c.in) > 2 && c.in[2] != nil {
		v := c.in[2]
		if v.elems() != 1 || v.typ != out.typ {
			return filler{}, c.malformed("a padding value of %v%v", v.typ, v.shape)
		}
		return filler{from: v}, nil
	}
	if !out.quantised() {
		return filler{}, nil
	}
	if len(out.quant.scale) > 0 {
		return filler{bytes: [8]byte{byte(out.quant.zero0())}}, nil
	}
	return filler{}, nil
}

// planMirrorPad plans MIRROR_PAD: the border mirrors the content, with the
// edge (symmetric) or without it (reflect). One axis after the other: each
// pass fills the border of its axis from what is already there.
func planMirrorPad(c *opContext) error {
	o, err := options[model.MirrorPadOptions](c)
	if err != nil {
		return err
	}
	in, out := c.in[0], c.out[0]
	pads, shape, err := c.padding()
	if err != nil {
		return err
	}
	if in.typ != out.typ {
		return c.types()
	}
	edge := 1 // reflect leaves the edge out
	if o.Mode == model.MirrorSymmetric {
		edge = 0
	}
	for i, p := range pads {
		if max(p[0], p[1]) > in.shape[i]-edge {
			return c.malformed("paddings %v mirror more than %v holds", pads, in.shape)
		}
	}
	if err := c.shape(0, shape...); err != nil {
		return err
	}
	to := strides(shape)
	body := move{dims: in.shape, ds: to, ss: strides(in.shape)}
	for i := range pads {
		body.dst0 += pads[i][0] * to[i]
	}
	c.emitMove(out, in, body)
	for axis := len(pads) - 1; axis >= 0; axis-- {
		c.mirrorAxis(pads, shape, axis, edge)
	}
	return nil
}

// mirrorAxis fills both borders of one axis, over the whole of the axes after
// it, which are done, and the body of those before it.
func (c *opContext) mirrorAxis(pads [][2]int, shape []int, axis, edge int) {
	in, out := c.in[0].shape, c.out[0]
	to := strides(shape)
	for side, n := range pads[axis] {
		if n == 0 {
			continue
		}
		m := move{dims: append([]int{}, shape...), ds: append([]int{}, to...), ss: append([]int{}, to...)}
		for i := range axis {
			m.dims[i] = in[i]
			m.dst0 += pads[i][0] * to[i]
		}
		m.src0 = m.dst0
		m.dims[axis], m.ss[axis] = n, -to[axis]
		body := pads[axis][0]
		if side == 0 {
			m.src0 += (body + n - 1 + edge) * to[axis]
		} else {
			m.dst0 += (body + in[axis]) * to[axis]
			m.src0 += (body + in[axis] - 1 - edge) * to[axis]
		}
		c.emitMove(out, out, m)
	}
}
