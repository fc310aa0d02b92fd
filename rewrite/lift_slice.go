package rewrite

import (
	"fmt"
	"slices"

	"edged/model"
)

// span is what a slice takes of one dimension: n elements from begin on, step apart.
type span struct{ begin, n, step int }

func liftSlice(c *lifting) string {
	l := c.in(0)
	if l == nil || len(c.op.Inputs) < 3 {
		return "its input is no map"
	}
	begin, ok1 := ints(c.net.m, c.tensor(1))
	size, ok2 := ints(c.net.m, c.tensor(2))
	shape := c.tensor(0).Shape
	if !ok1 || !ok2 || len(begin) != len(shape) || len(size) != len(shape) {
		return "its begin or size is not constant"
	}
	spans := make([]span, len(shape))
	for i := range shape {
		spans[i] = span{begin[i], size[i], 1}
		if size[i] < 0 {
			spans[i].n = int(shape[i]) - begin[i]
		}
	}
	return c.liftSpans(l, spans, 0)
}

func liftStridedSlice(c *lifting) string {
	l := c.in(0)
	o, ok := c.op.Options.(*model.StridedSliceOptions)
	if l == nil || !ok || len(c.op.Inputs) < 4 {
		return "has no options or no map"
	}
	if o.EllipsisMask != 0 || o.NewAxisMask != 0 || o.Offset {
		return "uses an ellipsis, a new axis or offsets"
	}
	begin, ok1 := ints(c.net.m, c.tensor(1))
	end, ok2 := ints(c.net.m, c.tensor(2))
	step, ok3 := ints(c.net.m, c.tensor(3))
	shape := c.tensor(0).Shape
	if !ok1 || !ok2 || !ok3 || len(begin) > len(shape) || len(end) != len(begin) || len(step) != len(begin) {
		return "its begin, end or strides are not constant"
	}
	spans := make([]span, len(shape))
	for i := range shape {
		spans[i] = span{0, int(shape[i]), 1}
		if i >= len(begin) {
			continue
		}
		if step[i] < 1 {
			return fmt.Sprintf("its stride along dimension %d is %d", i, step[i])
		}
		bit := int32(1) << i
		spans[i] = stridedSpan(int(shape[i]), begin[i], end[i], step[i], o.BeginMask&bit != 0, o.EndMask&bit != 0, o.ShrinkAxisMask&bit != 0)
		if spans[i].n < 1 {
			return "is empty"
		}
	}
	return c.liftSpans(l, spans, o.ShrinkAxisMask)
}

func stridedSpan(n, begin, end, step int, fromStart, toEnd, shrink bool) span {
	if begin < 0 {
		begin += n
	}
	if end < 0 {
		end += n
	}
	if fromStart {
		begin = 0
	}
	if shrink {
		return span{begin, 1, 1}
	}
	if toEnd {
		end = n
	}
	begin, end = max(begin, 0), min(end, n)
	return span{begin, ceilDiv(end-begin, step), step}
}

// liftSpans sorts a slice's dimensions into a crop of the map and a choice of channels.
func (c *lifting) liftSpans(l *layout, spans []span, shrink int32) string {
	shape := c.tensor(0).Shape
	w := unitWindow
	channels := span{0, l.val.ch, 1}
	for i, s := range spans {
		if (s == span{0, int(shape[i]), 1}) {
			continue
		}
		axis := slices.IndexFunc([]atom{atomY, atomX, atomC}, func(a atom) bool { return l.val.size(a) > 1 && l.only(i, a) })
		switch {
		case axis < 0:
			return fmt.Sprintf("slices dimension %d, which is no axis of a map", i)
		case axis == int(atomC):
			channels = s
		default:
			w.a[axis], w.s[axis] = -s.begin, s.step
			w.b[axis] = s.begin + (s.n-1)*s.step + 1 - int(shape[i])
			if w.b[axis] > -s.step { // nothing is cut off but what the stride skips
				w.b[axis] = 0
			}
		}
	}
	dims := slices.Clone(l.dims)
	if l.canonical(shape) {
		dims = nhwc()
	}
	for i := len(spans) - 1; i >= 0; i-- {
		if shrink>>i&1 != 0 {
			if i < len(dims) && len(l.dims[i]) > 0 && spans[i].n != 1 {
				return "shrinks an axis"
			}
			dims = slices.Delete(dims, i, i+1)
		}
	}
	if (channels != span{0, l.val.ch, 1}) {
		if w != unitWindow {
			return "slices channels and space at once"
		}
		return c.channelSlice(l, channels, dims)
	}
	if w == unitWindow {
		c.alias(newLayout(l.val, dims))
		return ""
	}
	c.nd.kind, c.nd.win = kindCrop, w
	c.nd.args = []arg{{val: l.val, konst: -1}}
	c.emit(w.out(l.val.n), l.val.ch, dims)
	return ""
}

// channelSlice keeps the numbers begin, n, step in the node: the operator is
// written anew for the layout [1, h, w, c].
func (c *lifting) channelSlice(l *layout, s span, dims [][]atom) string {
	c.nd.kind = kindPoint
	c.nd.code = model.OpStridedSlice
	c.nd.args = []arg{{val: l.val, konst: -1}}
	c.nd.span = s
	c.emit(l.val.n, s.n, dims)
	return ""
}

// liftSpaceToDepth reads SPACE_TO_DEPTH as what it is: every block[0]*block[1]
// strided slices of the map, side by side in the channels.
func liftSpaceToDepth(c *lifting) string {
	l, why := c.canonicalIn()
	if why != "" {
		return why
	}
	o, ok := c.op.Options.(*model.SpaceToDepthOptions)
	if !ok || o.BlockSize < 1 {
		return "has no options"
	}
	s := int(o.BlockSize)
	if s > 64 {
		return fmt.Sprintf("makes %d maps of one", s*s)
	}
	join := &node{kind: kindPoint, op: c.op, code: model.OpConcatenation, index: c.nd.index, win: unitWindow}
	for i := range s * s {
		w := unitWindow
		w.s, w.a = pair{s, s}, pair{-(i / s), -(i % s)}
		slice := c.newValue(c.op.Outputs[0], w.out(l.val.n), l.val.ch)
		slice.name += "/slice"
		c.net.nodes = append(c.net.nodes, &node{kind: kindCrop, op: c.op, code: model.OpStridedSlice, index: c.nd.index, win: w,
			args: []arg{{val: l.val, konst: -1}}, out: []*value{slice}})
		join.args = append(join.args, arg{val: slice, konst: -1})
	}
	n := pair{l.val.n[0] / s, l.val.n[1] / s}
	c.nd = join
	c.emit(n, l.val.ch*s*s, nhwc())
	return ""
}
