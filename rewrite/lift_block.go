package rewrite

import (
	"slices"

	"edged/model"
)

// Older converters write a dilated convolution as SPACE_TO_BATCH_ND, the
// convolution undilated, BATCH_TO_SPACE_ND. Read as maps that is a pad, the
// dilated convolution, a crop.

// blockOf is the block by which an input's map lies split in the batch.
func (l *layout) blockOf() pair {
	if l.block == (pair{}) {
		return pair{1, 1}
	}
	return l.block
}

// splitFriendly are the operators that may work on a map split in the batch.
var splitFriendly = []model.BuiltinOperator{
	model.OpConv2D, model.OpDepthwiseConv2D, model.OpBatchToSpaceND, model.OpAdd, model.OpMul, model.OpSub,
	model.OpRelu, model.OpRelu6, model.OpReluN1To1, model.OpPrelu, model.OpLeakyRelu, model.OpHardSwish, model.OpLogistic, model.OpQuantize, model.OpDequantize,
}

// splitInput gives the block of the operator's inputs, and why it cannot work
// on maps split so.
func (c *lifting) splitInput() (block pair, why string) {
	block = pair{1, 1}
	for i := range c.op.Inputs {
		l := c.in(i)
		if l == nil {
			continue
		}
		b := l.blockOf()
		if i > 0 && c.in(0) != nil && b != c.in(0).blockOf() {
			return block, "joins a map split in the batch with one that is not"
		}
		block = b
	}
	if block != (pair{1, 1}) && !slices.Contains(splitFriendly, c.nd.code) {
		return block, "works on a map that SPACE_TO_BATCH_ND has split"
	}
	return block, ""
}

// blockArgs reads block shape and pads or crops.
func (c *lifting) blockArgs() (block, before, after pair, ok bool) {
	b, ok1 := ints(c.net.m, c.tensor(1))
	p, ok2 := ints(c.net.m, c.tensor(2))
	if !ok1 || !ok2 || len(b) != 2 || len(p) != 4 {
		return block, before, after, false
	}
	return pair{b[0], b[1]}, pair{p[0], p[2]}, pair{p[1], p[3]}, true
}

func liftSpaceToBatch(c *lifting) string {
	l, why := c.canonicalIn()
	if why != "" {
		return why
	}
	block, before, after, ok := c.blockArgs()
	if !ok {
		return "its block or paddings are not constant"
	}
	c.nd.kind = kindPad
	c.nd.win.a, c.nd.win.b = before, after
	c.nd.args = []arg{{val: l.val, konst: -1}}
	c.emit(c.nd.win.out(l.val.n), l.val.ch, nhwc())
	c.layouts[c.op.Outputs[0]].block = block
	return ""
}

func liftBatchToSpace(c *lifting) string {
	l := c.in(0)
	block, before, after, ok := c.blockArgs()
	if l == nil || !ok || block != l.blockOf() {
		return "does not undo the SPACE_TO_BATCH_ND before it"
	}
	c.nd.kind = kindCrop
	c.nd.win.a, c.nd.win.b = pair{-before[0], -before[1]}, pair{-after[0], -after[1]}
	c.nd.args = []arg{{val: l.val, konst: -1}}
	c.block = pair{1, 1}
	c.emit(c.nd.win.out(l.val.n), l.val.ch, nhwc())
	return ""
}

// spread makes a convolution's window what it is on the whole map.
func (c *lifting) spread(w *window) string {
	for i, b := range c.block {
		if b > 1 && w.s[i] > 1 {
			return "strides over a map that SPACE_TO_BATCH_ND has split"
		}
		w.d[i] *= b
		w.a[i] *= b
		w.b[i] *= b
	}
	return ""
}
