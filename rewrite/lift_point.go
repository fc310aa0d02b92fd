package rewrite

import (
	"fmt"
	"slices"

	"edged/model"
)

// liftUnary is an operator with one map in and one out, same size.
func liftUnary(c *lifting) string {
	l := c.in(0)
	if l == nil {
		return "its input is no map"
	}
	if why := c.takeMap(); why != "" {
		return why
	}
	c.emitLike(l, l.val.n, l.val.ch)
	return ""
}

// liftAlong is an operator that runs along the last dimension, which must be
// the channels: SOFTMAX, L2_NORMALIZATION.
func liftAlong(c *lifting) string {
	l := c.in(0)
	if l == nil {
		return "its input is no map"
	}
	last := len(l.dims) - 1
	if l.val.ch > 1 && !l.only(last, atomC) || l.val.ch == 1 && len(l.dims) > 0 && len(l.dims[last]) > 0 {
		return "runs along something else than the channels"
	}
	return liftUnary(c)
}

// liftBinary is an elementwise operator of two inputs, or PRELU.
func liftBinary(c *lifting) string {
	var main *layout
	for i := range c.op.Inputs {
		if l := c.in(i); l != nil && (main == nil || l.val.n.area() > main.val.n.area() || l.val.ch > main.val.ch) {
			main = l
		}
	}
	if main == nil {
		return "its inputs are constants"
	}
	rank := len(c.outTensor(0).Shape)
	for i := range c.op.Inputs {
		a := c.argOf(i)
		if l := c.in(i); l != nil {
			if why := c.join(main, l); why != "" {
				return why
			}
		} else if a.konst >= 0 {
			shape, why := c.constShape(main, c.tensor(i).Shape, rank)
			if why != "" {
				c.onlyShifts(why)
				c.nd.placed = true
			}
			a.shape = shape
		}
		c.nd.args = append(c.nd.args, a)
	}
	dims := main.dims
	if main.canonical(c.outTensor(0).Shape) {
		dims = nhwc()
	}
	c.emit(main.val.n, main.val.ch, dims)
	return ""
}

// join checks that two maps meet position by position.
func (c *lifting) join(main, l *layout) string {
	if main == l || l.val == main.val && sameDims(main.dims, l.dims) {
		return ""
	}
	if l.val.n != main.val.n {
		if l.val.n.area() == 1 && l.val.ch == main.val.ch {
			c.onlyShifts("joins a map with a statistic of the whole map, which differs from phase to phase")
			return ""
		}
		return fmt.Sprintf("joins maps of %dx%d and %dx%d", main.val.n[0], main.val.n[1], l.val.n[0], l.val.n[1])
	}
	same := sameDims(main.dims, l.dims)
	if l.val.ch == 1 && main.val.ch > 1 {
		same = slices.Equal(slices.DeleteFunc(main.sequence(), func(a atom) bool { return a == atomC }), l.sequence())
	}
	if !same {
		return "joins maps whose axes lie in different dimensions"
	}
	return ""
}

// onlyShifts marks a node that keeps the grid but looks beyond its window, or
// at where it is: the baseline itself on shifted crops is the only exact form.
func (c *lifting) onlyShifts(why string) {
	c.nd.kind, c.nd.refuse, c.nd.cure = kindMixed, why, insteadShifts
}

// liftGather picks channels by a constant list.
func liftGather(c *lifting) string {
	l := c.in(0)
	o, ok := c.op.Options.(*model.GatherOptions)
	if l == nil || !ok || c.in(1) != nil || o.BatchDims != 0 || len(c.tensor(1).Shape) != 1 {
		return "gathers by something else than a constant list"
	}
	axis := int(o.Axis)
	if axis < 0 {
		axis += len(l.dims)
	}
	if !channelDim(l, c.tensor(0).Shape, axis) {
		return fmt.Sprintf("gathers along dimension %d, which is not the channels", axis)
	}
	if why := c.takeMap(); why != "" {
		return why
	}
	c.emit(l.val.n, int(c.tensor(1).Shape[0]), canonicalOr(l, c.tensor(0).Shape, withChannel(l.dims, axis)))
	return ""
}

// liftMatMul is BATCH_MATMUL with positions as the rows of its first input, as
// attention has it: every position stays where it is, and may see all others.
func liftMatMul(c *lifting) string {
	l := c.in(0)
	o, ok := c.op.Options.(*model.BatchMatMulOptions)
	last := len(c.tensor(0).Shape) - 1
	if l == nil || !ok || o.AdjX || last < 1 || !channelDim(l, c.tensor(0).Shape, last) {
		return "multiplies something else than rows of positions"
	}
	s := c.outTensor(0).Shape
	if len(s) != last+1 {
		return "broadcasts its rows"
	}
	c.refuseHybrid()
	if c.in(1) != nil || !oneMatrix(c.tensor(1).Shape) {
		c.onlyShifts("lets every position see others")
	}
	c.takeArgs()
	c.emit(l.val.n, int(s[last]), canonicalOr(l, c.tensor(0).Shape, withChannel(l.dims, last)))
	return ""
}

// oneMatrix reports whether a constant of this shape is the same matrix for
// every row of positions: a dense layer written as a product.
func oneMatrix(shape []int32) bool {
	n := len(shape)
	return n >= 2 && n <= 4 && elems(shape[:n-2]) == 1
}

// constShape is the shape that a constant needs beside a map [1, h, w, c]; nil
// keeps its own.
func (c *lifting) constShape(l *layout, shape []int32, rank int) ([]int32, string) {
	if elems(shape) == 1 {
		if len(shape) > 4 {
			return []int32{1}, ""
		}
		return nil, ""
	}
	off := rank - len(shape)
	for i, s := range shape {
		if s == 1 {
			continue
		}
		if d := off + i; d < 0 || int(s) != l.val.ch || !l.only(d, atomC) {
			return nil, fmt.Sprintf("has a constant of shape %v that differs from position to position", shape)
		}
	}
	if shape[len(shape)-1] != 1 && len(shape) <= 4 {
		return nil, ""
	}
	if c.nd.code == model.OpPrelu {
		return []int32{1, 1, int32(l.val.ch)}, ""
	}
	return []int32{int32(l.val.ch)}, ""
}

func liftConcat(c *lifting) string {
	o, ok := c.op.Options.(*model.ConcatenationOptions)
	l := c.in(0)
	if !ok || l == nil {
		return "has no options or starts with a constant"
	}
	axis := int(o.Axis)
	if axis < 0 {
		axis += len(l.dims)
	}
	ch := 0
	for i := range c.op.Inputs {
		k := c.in(i)
		if k == nil {
			return "has a constant among its inputs"
		}
		if k.val.n != l.val.n {
			return fmt.Sprintf("joins maps of %dx%d and %dx%d", l.val.n[0], l.val.n[1], k.val.n[0], k.val.n[1])
		}
		if !channelDim(k, c.tensor(i).Shape, axis) {
			return fmt.Sprintf("concatenates along dimension %d, which is not the channels", axis)
		}
		ch += k.val.ch
	}
	c.takeArgs()
	c.nd.axis = 3
	dims := slices.Clone(l.dims)
	dims[axis] = []atom{atomC}
	c.emit(l.val.n, ch, canonicalOr(l, c.tensor(0).Shape, dims))
	return ""
}

// channelDim reports whether dimension i holds the channels and nothing else.
func channelDim(l *layout, shape []int32, i int) bool {
	if i < 0 || i >= len(shape) || int(shape[i]) != l.val.ch {
		return false
	}
	if l.val.ch > 1 {
		return l.only(i, atomC)
	}
	return len(l.dims[i]) == 0 && (i == len(shape)-1 || !l.canonical(shape))
}

func canonicalOr(l *layout, shape []int32, dims [][]atom) [][]atom {
	if l.canonical(shape) {
		return nhwc()
	}
	return dims
}

func liftSplit(c *lifting) string {
	data, axisInput := 1, 0
	if c.nd.code == model.OpSplitV {
		data, axisInput = 0, 2
	}
	l := c.in(data)
	if l == nil {
		return "its input is no map"
	}
	ax, ok := ints(c.net.m, c.tensor(axisInput))
	if !ok {
		return "its axis is not constant"
	}
	axis := ax[0]
	if axis < 0 {
		axis += len(l.dims)
	}
	if !channelDim(l, c.tensor(data).Shape, axis) {
		return fmt.Sprintf("splits dimension %d, which is not the channels", axis)
	}
	c.nd.axis = 3
	if why := c.takeMap(); why != "" {
		return why
	}
	parts := 0
	for i := range c.op.Outputs {
		s := c.outTensor(i).Shape
		if len(s) != len(l.dims) || s[axis] < 1 {
			return fmt.Sprintf("splits %v into a part of %v", c.tensor(data).Shape, s)
		}
		parts += int(s[axis])
	}
	if parts != l.val.ch {
		return fmt.Sprintf("splits %d channels into parts of %d together", l.val.ch, parts)
	}
	c.net.nodes = append(c.net.nodes, c.nd)
	for i, t := range c.op.Outputs {
		v := c.newValue(t, l.val.n, int(c.outTensor(i).Shape[axis]))
		c.nd.out = append(c.nd.out, v)
		c.layouts[t] = newLayout(v, canonicalOr(l, c.tensor(data).Shape, withChannel(l.dims, axis)))
	}
	return ""
}

func withChannel(dims [][]atom, axis int) [][]atom {
	d := slices.Clone(dims)
	d[axis] = []atom{atomC}
	return d
}

func liftArg(c *lifting) string {
	l := c.in(0)
	if l == nil {
		return "its input is no map"
	}
	ax, ok := ints(c.net.m, c.tensor(1))
	if !ok {
		return "its axis is not constant"
	}
	axis := ax[0]
	if axis < 0 {
		axis += len(l.dims)
	}
	if !channelDim(l, c.tensor(0).Shape, axis) {
		return "picks along something else than the channels"
	}
	c.nd.args = []arg{{val: l.val, konst: -1}, {konst: -1}}
	c.emit(l.val.n, 1, slices.Delete(slices.Clone(l.dims), axis, axis+1))
	return ""
}

// liftSame is RESHAPE, SQUEEZE, EXPAND_DIMS: the same memory, another shape.
func liftSame(c *lifting) string {
	l := c.in(0)
	if l == nil {
		if c.mergeGroups() {
			return ""
		}
		return "its input is no map"
	}
	shape := c.outTensor(0).Shape
	out, ok := l.reshape(shape)
	if !ok && c.splitChannels(l) {
		return ""
	}
	if !ok {
		return fmt.Sprintf("reshapes %v to %v, which mixes positions with channels", c.tensor(0).Shape, shape)
	}
	c.alias(out)
	return ""
}

func liftTranspose(c *lifting) string {
	l := c.in(0)
	if l == nil {
		if c.swapGroups() {
			return ""
		}
		return "its input is no map"
	}
	perm, ok := ints(c.net.m, c.tensor(1))
	if !ok || len(perm) != len(l.dims) {
		return "its permutation is not constant"
	}
	for i := range perm {
		if !slices.Contains(perm, i) {
			return fmt.Sprintf("its permutation %v is none", perm)
		}
	}
	c.alias(l.transpose(perm))
	return ""
}
