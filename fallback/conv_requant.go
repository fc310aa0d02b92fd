package fallback

import "edged/model"

// requant is how the sums of a quantised convolution become 8-bit or 16-bit values.
type requant struct {
	mult         []multiplier // one, or one for each output channel
	zero, lo, hi int32
}

// requant checks the quantisation of input, filter, bias and output, and
// derives the multipliers input*filter/output. axis is the filter's dimension
// of the output channels.
//
// The products are taken in the precision in which TFLite takes them: with
// one scale for the whole filter of uint8, in float32; by channel in float64.
func (c *opContext) requant(in, filter, bias, out *tensor, channels, axis int, a model.Activation) (*requant, error) {
	if err := c.scaled(in, out); err != nil {
		return nil, err
	}
	if bias != nil && bias.typ != model.TypeInt32 && !(in.typ == model.TypeInt16 && bias.typ == model.TypeInt64) {
		return nil, c.types()
	}
	scales := filter.quant.scale
	if len(scales) != 1 && (len(scales) != channels || filter.quant.axis != axis) {
		return nil, c.malformed("%d filter scales on dimension %d for %d channels", len(scales), filter.quant.axis, channels)
	}
	r := &requant{zero: out.quant.zero0()}
	for _, s := range scales {
		if !(s > 0) {
			return nil, c.malformed("filter scale %g", s)
		}
		f := float64(in.quant.scale[0]) * float64(s) / float64(out.quant.scale[0])
		if c.floatProduct(filter) {
			f = float64(in.quant.scale[0]*s) / float64(out.quant.scale[0])
		}
		r.mult = append(r.mult, newMultiplier(f))
	}
	var err error
	r.lo, r.hi, err = c.activationQuant(a, out)
	return r, err
}

// floatProduct says that TFLite multiplies input and filter scale in float32.
func (c *opContext) floatProduct(filter *tensor) bool {
	return filter.typ == model.TypeUint8 || c.n.code.Builtin == model.OpFullyConnected
}
