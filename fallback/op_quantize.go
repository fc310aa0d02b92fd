package fallback

import "edged/model"

// planQuantize plans QUANTIZE: floats to 8-bit values, or 8-bit values to
// another scale.
func planQuantize(c *opContext) error {
	in, out := c.in[0], c.out[0]
	if err := c.shape(0, in.shape...); err != nil {
		return err
	}
	if !out.quantised() && out.typ != model.TypeInt16 {
		return c.types()
	}
	if err := c.scaled(out); err != nil {
		return err
	}
	switch {
	case in.typ == model.TypeFloat32 && out.quantised():
		n := in.elems()
		lo, hi := out.bounds()
		c.emit("quantise", pieces(n), 2*n, c.in, func(_ *worker, from, to int) {
			from, to = cut(from, to, n)
			c.p.routines.Vec.Quantise(out.data[from:to], in.f32()[from:to], out.quant.scale[0], out.quant.zero0(), lo, hi)
		})
	case in.typ == model.TypeFloat32:
		c.quantiseI16()
	case in.quantised() && out.quantised():
		return c.requantise()
	case in.quantised() || in.typ == model.TypeInt16:
		return c.requantiseI16()
	default:
		return c.types()
	}
	return nil
}

// requantise rescales in fixed point: a table.
func (c *opContext) requantise() error {
	in, out := c.in[0], c.out[0]
	if err := c.scaled(in); err != nil {
		return err
	}
	m := newMultiplier(float64(in.quant.scale[0]) / float64(out.quant.scale[0]))
	lo, hi := out.bounds()
	c.emitTable(tableOf(in, func(q int32) int32 {
		return min(max(m.apply(q-in.quant.zero0())+out.quant.zero0(), lo), hi)
	}))
	return nil
}

// planDequantize plans DEQUANTIZE: 8-bit, 16-bit integers or float16 to
// float32. By channel, the scales lie along the quantised dimension.
func planDequantize(c *opContext) error {
	in, out := c.in[0], c.out[0]
	if err := c.shape(0, in.shape...); err != nil {
		return err
	}
	if out.typ != model.TypeFloat32 {
		return c.types()
	}
	n := in.elems()
	emit := func(by routine, row func(lo, hi int)) {
		c.emit(by, pieces(n), 2*n, c.in, func(_ *worker, lo, hi int) { row(cut(lo, hi, n)) })
	}
	switch {
	case in.typ == model.TypeFloat16:
		emit("float16", func(lo, hi int) {
			src := halves(in)[lo:hi]
			dst := out.f32()[lo:hi]
			for i, h := range src {
				dst[i] = float16(h)
			}
		})
	case in.quantised() && len(in.quant.scale) == 1:
		emit("dequantise", func(lo, hi int) {
			c.p.routines.Vec.Dequantise(out.f32()[lo:hi], in.data[lo:hi], in.quant.scale[0], in.quant.zero0(), in.typ == model.TypeInt8)
		})
	case in.quantised() || in.typ == model.TypeInt16:
		return c.dequantise(emit)
	default:
		return c.types()
	}
	return nil
}

func (c *opContext) dequantise(emit func(routine, func(lo, hi int))) error {
	in, out := c.in[0], c.out[0]
	q := in.quant
	inner := 1
	if len(q.scale) > 1 {
		if q.axis < 0 || q.axis >= len(in.shape) || in.shape[q.axis] != len(q.scale) {
			return c.malformed("%d scales on dimension %d of %v", len(q.scale), q.axis, in.shape)
		}
		inner = product(in.shape[q.axis+1:])
	} else if len(q.scale) == 0 {
		return c.malformed("tensor %d %q has no scale", in.index, in.name)
	}
	channels := len(q.scale)
	value := func(i int) int32 { return int32(int8(in.data[i])) }
	switch in.typ {
	case model.TypeUint8:
		value = func(i int) int32 { return int32(in.data[i]) }
	case model.TypeInt16:
		value = func(i int) int32 { return int32(in.i16()[i]) }
	}
	emit("dequantise", func(lo, hi int) {
		dst := out.f32()
		for i := lo; i < hi; i++ {
			k := i / inner % channels
			dst[i] = float32(float64(q.scale[k]) * float64(value(i)-q.zeroAt(k)))
		}
	})
	return nil
}
