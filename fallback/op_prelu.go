package fallback

import "edged/internal/kernel/vec"

// planPrelu plans PRELU: x where it is positive, alpha*x elsewhere; alpha
// broadcasts.
func planPrelu(c *opContext) error {
	return planBinary(vec.PreluPair, nil, nil, quantPrelu)(c)
}

func quantPrelu(c *opContext, lo, hi int32) (func(x, alpha int32) int32, error) {
	in, alpha, out := c.in[0], c.in[1], c.out[0]
	if err := c.scaled(in, alpha, out); err != nil {
		return nil, err
	}
	si, sa, so := in.quant.scale[0], alpha.quant.scale[0], out.quant.scale[0]
	identity, slope := newMultiplier(float64(si/so)), newMultiplier(float64(si*sa/so))
	zi, za, zo := in.quant.zero0(), alpha.quant.zero0(), out.quant.zero0()
	return func(x, a int32) int32 {
		x -= zi
		if x >= 0 {
			x = identity.apply(x)
		} else {
			x = slope.apply(x * (a - za))
		}
		return min(max(x+zo, lo), hi)
	}, nil
}
