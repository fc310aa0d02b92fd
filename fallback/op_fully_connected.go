package fallback

import "edged/model"

// planFullyConnected plans FULLY_CONNECTED: input of any shape as rows of the
// filter's width, filter [out, in], bias. It is a 1x1 convolution of one row
// of positions.
func planFullyConnected(c *opContext) error {
	o, err := options[model.FullyConnectedOptions](c)
	if err != nil {
		return err
	}
	in, f := c.in[0].shape, c.in[1].shape
	if len(f) != 2 || product(f) == 0 || product(in) == 0 || product(in)%f[1] != 0 {
		return c.malformed("input %v, filter %v", in, f)
	}
	if o.WeightsFormat != 0 {
		return c.unsupported("shuffled weights")
	}
	rows := product(in) / f[1]
	shape := []int{rows, f[0]}
	if o.KeepNumDims {
		if in[len(in)-1] != f[1] {
			return c.malformed("input %v, filter %v", in, f)
		}
		shape = append(append([]int{}, in[:len(in)-1]...), f[0])
	}
	if b := c.bias(); b != nil && b.elems() != f[0] {
		return c.malformed("%d biases for %d channels", b.elems(), f[0])
	}
	if err := c.shape(0, shape...); err != nil {
		return err
	}
	one := window{in: 1, out: 1, k: 1, stride: 1, dilate: 1}
	row := one
	row.in, row.out = rows, rows
	conv := &convShape{n: 1, c: f[1], oc: f[0], groups: 1, y: one, x: row}
	if c.hybrid() { // every row has its own range: an image
		conv.n, conv.x = rows, one
	}
	return c.planConv(conv, o.Activation, o.AsymmetricQuantizeInputs)
}
