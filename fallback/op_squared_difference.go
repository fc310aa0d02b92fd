package fallback

import "edged/internal/kernel/vec"

// planSquaredDifference plans SQUARED_DIFFERENCE.
func planSquaredDifference(c *opContext) error {
	return planBinary(vec.SquaredDiffers,
		func(a, b int32) int32 { return (a - b) * (a - b) },
		func(a, b int64) int64 { return (a - b) * (a - b) }, quantSquaredDifference)(c)
}

// squareShift is what both operands are shifted by: their squared difference
// still fits 32 bits.
const squareShift = 7

func quantSquaredDifference(c *opContext, lo, hi int32) (func(a, b int32) int32, error) {
	x, y, out := c.in[0], c.in[1], c.out[0]
	if err := c.scaled(x, y, out); err != nil {
		return nil, err
	}
	sx, sy := float64(x.quant.scale[0]), float64(y.quant.scale[0])
	twice := 2 * max(sx, sy)
	mx, my := newMultiplier(sx/twice), newMultiplier(sy/twice)
	final := newMultiplier(twice * twice / float64((1<<(2*squareShift))*out.quant.scale[0]))
	zx, zy, zo := x.quant.zero0(), y.quant.zero0(), out.quant.zero0()
	return func(a, b int32) int32 {
		d := mx.apply((a-zx)<<squareShift) - my.apply((b-zy)<<squareShift)
		return min(max(final.apply(d*d)+zo, lo), hi)
	}, nil
}
