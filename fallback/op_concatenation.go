package fallback

import (
	"math"

	"edged/model"
)

// planConcatenation plans CONCATENATION. Quantised inputs of another scale
// than the output are rescaled, which TFLite does for uint8 alone.
func planConcatenation(c *opContext) error {
	o, err := options[model.ConcatenationOptions](c)
	if err != nil {
		return err
	}
	if o.Activation != model.ActNone {
		return c.unsupported("fused activation %v", o.Activation)
	}
	axis, err := c.axis(int(o.Axis), len(c.in[0].shape))
	if err != nil {
		return err
	}
	shape := append([]int{}, c.in[0].shape...)
	shape[axis] = 0
	for _, t := range c.in {
		if t == nil || len(t.shape) != len(shape) || t.typ != c.out[0].typ {
			return c.types()
		}
		for i, d := range t.shape {
			if i != axis && d != shape[i] {
				return c.malformed("shapes %v and %v along dimension %d", c.in[0].shape, t.shape, axis)
			}
		}
		shape[axis] += t.shape[axis]
	}
	if err := c.shape(0, shape...); err != nil {
		return err
	}
	out := c.out[0]
	sources := append([]*tensor{}, c.in...)
	for i, t := range c.in {
		if out.typ == model.TypeUint8 && !t.quant.same(out.quant) {
			if sources[i], err = c.rescaledBytes(t, out); err != nil {
				return err
			}
		}
	}
	j := newConcat(out, axis, c.in, sources)
	c.emitMoves(out, sources, j.moves()).concat = j
	return nil
}

// rescaledBytes is t in the output's quantisation, through float32 as TFLite
// computes it.
func (c *opContext) rescaledBytes(t, out *tensor) (*tensor, error) {
	if err := c.scaled(t, out); err != nil {
		return nil, err
	}
	area, err := c.scratch(t.elems())
	if err != nil {
		return nil, err
	}
	inverse := 1 / out.quant.scale[0]
	scale := t.quant.scale[0] * inverse
	bias := float32(-t.quant.zero0()) * scale
	table := c.p.routines.Vec.NewTable(tableOf(t, func(q int32) int32 {
		v := int32(math.Round(float64(float32(q)*scale+bias))) + out.quant.zero0()
		return min(max(v, 0), 255)
	}))
	n := t.elems()
	c.emitTo("table", pieces(n), n, []*tensor{t}, []*tensor{area}, func(_ *worker, lo, hi int) {
		lo, hi = cut(lo, hi, n)
		table.Run(area.data[lo:hi], t.data[lo:hi])
	})
	return area, nil
}
