package fallback

import (
	"slices"

	"edged/model"
)

// sum is the ADD behind a convolution, which the kernels can add before the
// activation: a residual.
type sum struct {
	add   *node
	other int32 // the operand that is not the convolution's
}

// sum notes the ADD that alone reads a convolution. Whether the kernels take
// it, the convolution's planner sees, which knows the shapes.
func (f *fuser) sum(i int) {
	n := f.nodes[i]
	if n == nil || !f.is(i, model.OpConv2D) && !f.is(i, model.OpDepthwiseConv2D) {
		return
	}
	next, ok := f.after(n)
	if !ok || !f.is(next, model.OpAdd) || len(f.nodes[next].in) != 2 || len(f.nodes[next].out) != 1 {
		return
	}
	add := f.nodes[next]
	n.fused.sum = &sum{add: add, other: add.in[0]}
	if add.in[0] == n.out[0] {
		n.fused.sum.other = add.in[1]
	}
}

// takeSum takes the ADD behind a float32 convolution with activation a into
// it, where nothing clamps between them and the other operand is there before
// the convolution, in its shape. It returns that operand, nil for none, and the
// range of the results.
func (c *opContext) takeSum(a model.Activation) (other *tensor, lo, hi float32, err error) {
	if lo, hi, err = c.activationF32(a); err != nil || c.n.fused.sum == nil || lo != unfused.lo || hi != unfused.hi {
		return nil, lo, hi, err
	}
	s := c.n.fused.sum
	if s.other < 0 || !c.addable(c.p.tensors[s.other]) {
		return nil, lo, hi, nil
	}
	sum := &opContext{p: c.p, n: s.add, out: []*tensor{c.p.tensors[s.add.out[0]]}}
	o, err := options[model.AddOptions](sum)
	if err != nil {
		return nil, 0, 0, err
	}
	if lo, hi, err = sum.activationF32(o.Activation); err != nil {
		return nil, 0, 0, err
	}
	if err := sum.shape(0, c.out[0].shape...); err != nil {
		return nil, 0, 0, err
	}
	c.out, s.add.absorbed = sum.out, true
	return c.p.tensors[s.other], lo, hi, nil
}

// addable says that t can be added to this operator's result by the kernels,
// and that nothing has made their sum yet.
func (c *opContext) addable(t *tensor) bool {
	out := c.p.tensors[c.n.fused.sum.add.out[0]]
	return out.shape == nil && !out.input && isType(model.TypeFloat32, t, out) && !t.sparse && slices.Equal(t.shape, c.out[0].shape)
}
