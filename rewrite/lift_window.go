package rewrite

import (
	"fmt"

	"edged/model"
)

// freeze resolves a padding with the baseline's compiled size.
func (w *window) freeze(p model.Padding, n pair) {
	if p != model.PaddingSame {
		return
	}
	for i := range n {
		a, b := model.Pads(p, int64(n[i]), int64(w.k[i]), int64(w.s[i]), int64(w.d[i]))
		w.a[i], w.b[i] = int(a), int(b)
	}
}

func (w window) padded() bool { return w.a != pair{} || w.b != pair{} }

func atLeast1(v pair) pair { return pair{max(v[0], 1), max(v[1], 1)} }

// sane bounds a window, so that no product of two overflows.
func (w window) sane() string {
	const most = 1 << 16
	if n := max(w.k[0], w.k[1], w.s[0], w.s[1], w.d[0], w.d[1]); n > most {
		return fmt.Sprintf("has a window of %d, and the most is %d", n, most)
	}
	return ""
}

func liftConv(c *lifting) string {
	l, why := c.canonicalIn()
	if why != "" {
		return why
	}
	if len(c.op.Inputs) < 2 || c.in(1) != nil || (len(c.op.Inputs) > 2 && c.in(2) != nil) {
		return "its weights are computed from the input"
	}
	f := c.tensor(1).Shape
	if len(f) != 4 {
		return fmt.Sprintf("its weights have shape %v", f)
	}
	slid, ok := model.WindowOf(c.net.m, c.net.g, c.op)
	if !ok {
		return "has no options"
	}
	ch := int(f[0])
	if c.nd.code == model.OpDepthwiseConv2D {
		ch = int(f[3])
	}
	w := &c.nd.win
	w.k, w.s, w.d = slid.Filter, atLeast1(slid.Stride), atLeast1(slid.Dilation)
	if why := w.sane(); why != "" {
		return why
	}
	w.freeze(slid.Padding, pair{l.val.n[0] / c.block[0], l.val.n[1] / c.block[1]})
	if why := c.spread(w); why != "" {
		return why
	}
	c.refuseHybrid()
	c.nd.kind = kindConv
	if why := c.takeMap(); why != "" {
		return why
	}
	return c.emitWindow(l.val, ch)
}

// refuseHybrid notices weights of 8 bits behind a float32 input: TFLite then
// quantises the input over the whole map, which couples all positions.
func (c *lifting) refuseHybrid() {
	if c.tensor(0).Type == model.TypeFloat32 && c.tensor(1).Type == model.TypeInt8 && c.net.m.Data(c.tensor(1)) != nil {
		c.nd.refuse = "is dynamic-range quantised: it scales its input by the largest value of the whole map"
		c.nd.cure = insteadShifts
		c.nd.scales = true
	}
}

func (c *lifting) emitWindow(in *value, ch int) string {
	n := c.nd.win.out(in.n)
	if n[0] < 1 || n[1] < 1 {
		return fmt.Sprintf("its window is larger than its input of %dx%d", in.n[0], in.n[1])
	}
	c.emit(n, ch, nhwc())
	return ""
}

func liftPool(c *lifting) string {
	l, why := c.canonicalIn()
	if why != "" {
		return why
	}
	slid, ok := model.WindowOf(c.net.m, c.net.g, c.op)
	if !ok {
		return "has no options"
	}
	w := &c.nd.win
	w.k, w.s = atLeast1(slid.Filter), atLeast1(slid.Stride)
	if why := w.sane(); why != "" {
		return why
	}
	w.freeze(slid.Padding, l.val.n)
	if why := c.takeMap(); why != "" {
		return why
	}
	switch {
	case c.nd.code == model.OpMaxPool2D:
		c.nd.kind = kindMax
	case !w.padded():
		c.nd.kind = kindMean
	default:
		return c.liftPaddedAverage(l.val)
	}
	return c.emitWindow(l.val, l.val.ch)
}

// liftPaddedAverage splits an average over a padded map, which divides by the
// taps that exist, into SAME at stride 1, whose pads depend on no size, and
// the selection of the positions that the baseline computes.
func (c *lifting) liftPaddedAverage(in *value) string {
	w := c.nd.win
	c.nd.kind = kindAverage
	c.nd.win.s = pair{1, 1}
	for i := range w.k {
		c.nd.win.a[i] = (w.k[i] - 1) / 2
		c.nd.win.b[i] = w.k[i] - 1 - c.nd.win.a[i]
	}
	full := c.newValue(c.op.Outputs[0], in.n, in.ch)
	c.nd.out = []*value{full}
	c.net.nodes = append(c.net.nodes, c.nd)
	pick := &node{kind: kindCrop, op: c.op, code: c.nd.code, index: c.nd.index, win: unitWindow, args: []arg{{val: full, konst: -1}}}
	pick.win.s = w.s
	for i := range w.k {
		pick.win.a[i] = w.a[i] - c.nd.win.a[i]
		pick.win.b[i] = w.b[i] - c.nd.win.b[i]
	}
	if pick.win == unitWindow {
		c.layouts[c.op.Outputs[0]] = newLayout(full, nhwc())
		return ""
	}
	full.tensor = -1
	full.name += "/every"
	c.nd = pick
	return c.emitWindow(full, in.ch)
}

func liftPad(c *lifting) string {
	l := c.in(0)
	if l == nil {
		return "its input is no map"
	}
	p, ok := ints(c.net.m, c.tensor(1))
	if !ok || len(p) != 2*len(l.dims) {
		return "its paddings are not constant"
	}
	if c.nd.code == model.OpPadV2 && len(c.op.Inputs) < 3 {
		return "has no value to pad with"
	}
	w := &c.nd.win
	ch := l.val.ch
	for i := range l.dims {
		before, after := p[2*i], p[2*i+1]
		if before == 0 && after == 0 {
			continue
		}
		switch {
		case l.only(i, atomY) && l.val.n[0] > 1:
			w.a[0], w.b[0] = before, after
		case l.only(i, atomX) && l.val.n[1] > 1:
			w.a[1], w.b[1] = before, after
		case l.canonical(c.tensor(0).Shape) && i > 0:
			if i == 3 {
				ch += before + after
				c.nd.channelPad = pair{before, after}
			} else {
				w.a[i-1], w.b[i-1] = before, after
			}
		default:
			return fmt.Sprintf("pads dimension %d, which is no axis of a map", i)
		}
	}
	if ch != l.val.ch && !l.canonical(c.tensor(0).Shape) {
		return "pads channels of a map that is not [1, h, w, c]"
	}
	c.nd.kind = kindPad
	if why := c.takeMap(); why != "" {
		return why
	}
	n := w.out(l.val.n)
	c.emitLike(l, n, ch)
	return ""
}

// emitLike adds the node with one output whose dimensions mean what those of l mean.
func (c *lifting) emitLike(l *layout, n pair, ch int) {
	dims := l.dims
	if l.canonical(c.tensor(0).Shape) {
		dims = nhwc()
	}
	c.emit(n, ch, dims)
}
