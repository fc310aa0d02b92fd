package fallback

import (
	"slices"

	"edged/internal/kernel/conv"
	"edged/model"
)

// residual is the ADD behind a convolution: the kernels add the other operand
// before the activation.
type residual struct {
	add   *node
	other int32 // the operand that is not the convolution's, before its PAD
	pad   int   // channels of zeros that PAD adds behind it
}

// residual notes the ADD that alone reads a convolution. The convolution's planner,
// which knows the shapes, decides whether the kernels take it.
func (f *fuser) residual(i int) {
	n := f.nodes[i]
	if !f.is(i, model.OpConv2D) && !f.is(i, model.OpDepthwiseConv2D) {
		return
	}
	next, ok := f.after(n)
	if !ok || !f.is(next, model.OpAdd) || len(f.nodes[next].in) != 2 || len(f.nodes[next].out) != 1 {
		return
	}
	add := f.nodes[next]
	n.fused.residual = &residual{add: add, other: add.in[0]}
	if add.in[0] == n.out[0] {
		n.fused.residual.other = add.in[1]
	}
	f.widening(n.fused.residual)
}

// widening puts off the PAD that gives a residual more channels, of zeros, as in
// nets whose blocks grow wider: those channels have nothing to add. The PAD is
// planned, with the ADD, only if no convolution takes the residual.
func (f *fuser) widening(s *residual) {
	i, ok := f.producer[s.other]
	if !ok || !f.private(s.other) || !f.is(i, model.OpPad) || !f.sameValues(f.nodes[i]) {
		return
	}
	v := f.ints(f.nodes[i], 1, 8)
	if v == nil || v[0]+v[1]+v[2]+v[3]+v[4]+v[5]+v[6] != 0 {
		return
	}
	s.other, s.pad = f.nodes[i].in[0], v[7]
	s.add.fused.before, f.nodes[i] = f.nodes[i], nil
}

// takeResidual fuses the ADD behind a float32 convolution with activation a, where
// nothing clamps between them and the other operand is computed before the
// convolution, in its shape or, with narrow, with fewer channels. It returns that
// operand, nil where nothing is fused, and the range of the results.
func (c *opContext) takeResidual(a model.Activation, narrow bool) (other *tensor, lo, hi float32, err error) {
	if lo, hi, err = c.activationF32(a); err != nil || c.n.fused.residual == nil || lo != unfused.lo || hi != unfused.hi {
		return nil, lo, hi, err
	}
	s := c.n.fused.residual
	if s.other < 0 || s.pad > 0 && !narrow || !c.takesResidual(c.p.tensors[s.other]) {
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

// takesResidual says that the kernels can add t to this operator's result, and that
// no other step has made their sum. Channels that t lacks must leave
// whole vectors to those that it has.
func (c *opContext) takesResidual(t *tensor) bool {
	const channels = 16
	s := c.n.fused.residual
	out := c.p.tensors[s.add.out[0]]
	if out.shape != nil || out.input || !isType(model.TypeFloat32, t, out) || t.sparse || len(t.shape) != 4 || s.pad > 0 && t.shape[3]%channels != 0 {
		return false
	}
	wide := append(slices.Clone(t.shape[:3]), t.shape[3]+s.pad)
	return slices.Equal(wide, c.out[0].shape)
}

// splitF32 is a convolution whose residual has only the first channels.
type splitF32 struct {
	with, without *conv.ConvF32
	channels      int
}

func newSplitF32(k *conv.Routines, s conv.ConvShape, channels int, w, bias []float32, lo, hi float32) *splitF32 {
	first, rest := s, s
	first.OC, rest.OC = channels, s.OC-channels
	at := channels * s.KH * s.KW * s.IC
	return &splitF32{k.NewConvF32(first, w[:at], bias[:min(channels, len(bias))], lo, hi),
		k.NewConvF32(rest, w[at:], bias[min(channels, len(bias)):], lo, hi), channels}
}

// Run is conv.ConvF32's.
func (f *splitF32) Run(k *conv.Worker, dst, src, res conv.Plane[float32], rows, cols int) {
	f.with.Run(k, dst, src, res, rows, cols)
	dst.P = dst.P[f.channels:]
	f.without.Run(k, dst, src, conv.Plane[float32]{}, rows, cols)
}
