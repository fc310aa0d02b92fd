package rewrite

import (
	"fmt"

	"edged/model"
)

// finer is how an operator makes a grid finer along one axis: of every element
// but the last come by, of the last one come last. Output j sees the elements
// whose places lie from (j-before)/by to (j+after)/by.
type finer struct {
	by, last      int
	before, after int // in elements of the output
}

func (f finer) length(n int) int { return (n-1)*f.by + f.last }

// liftUp is an operator that makes the grid finer.
func liftUp(c *lifting) string {
	data := 0
	if c.nd.code == model.OpTransposeConv {
		data = 2
	}
	l := c.in(data)
	if l == nil {
		return "its input is no map"
	}
	if !l.canonical(c.tensor(data).Shape) {
		return "its input is no map [1, h, w, c]"
	}
	s := c.outTensor(0).Shape
	if len(s) != 4 || s[1] < 1 || s[2] < 1 {
		return "its output is no map"
	}
	c.nd.kind = kindUp
	c.nd.refuse = "makes the grid finer again, and no single map holds all phases then"
	c.nd.cure = "use --form shifts, or end the graph before it with --cut TENSOR"
	n := pair{int(s[1]), int(s[2])}
	for i := range n {
		if l.val.n[i] < 1 {
			return "its input is empty"
		}
		f, ok := c.finer(i, l.val.n[i], n[i])
		if !ok {
			return fmt.Sprintf("resizes %v to %v, not by a whole factor%s", c.tensor(data).Shape, s, map[bool]string{true: " from corner to corner"}[c.alignsCorners()])
		}
		c.nd.up[i] = f
	}
	if why := c.takeMap(); why != "" {
		return why
	}
	c.emit(n, int(s[3]), nhwc())
	return ""
}

// finer is how the operator makes n elements along axis i out of in; false where
// that is by no whole factor, so that the places of its outputs are no grid.
func (c *lifting) finer(i, in, n int) (f finer, ok bool) {
	if o, ok := c.op.Options.(*model.TransposeConvOptions); ok {
		return transposed(o, i, int(c.tensor(1).Shape[1+i]), in, n)
	}
	if c.alignsCorners() && in > 1 && n > 1 {
		f = finer{by: (n - 1) / (in - 1), last: 1}
		f.before, f.after = f.by, f.by
	} else {
		f = finer{by: n / in, last: n / in, before: n / in, after: 1} // a cell each, or half pixel centres
		if o, ok := c.op.Options.(*model.ResizeBilinearOptions); ok && !o.HalfPixelCenters {
			f.after = f.by // output j lies on element j/by
		}
	}
	if f.by == 1 {
		f.before, f.after = 0, 0
	}
	return f, f.by > 0 && f.length(in) == n
}

// transposed is a TRANSPOSE_CONV of k taps.
func transposed(o *model.TransposeConvOptions, i, k, in, n int) (finer, bool) {
	f := finer{by: int([2]int32{o.StrideH, o.StrideW}[i])}
	if f.by < 1 || k < 1 {
		return f, false
	}
	f.last = n - (in-1)*f.by
	pad := 0
	if o.Padding == model.PaddingSame {
		pad = max(0, (ceilDiv(n, f.by)-1)*f.by+k-n) / 2 // as the convolution that this one transposes pads
	}
	f.before, f.after = k-1-pad, pad
	return f, f.last > 0 && f.last <= max(k, f.by)
}

// alignsCorners reports whether the first and the last element stay at the ends.
func (c *lifting) alignsCorners() bool {
	switch o := c.op.Options.(type) {
	case *model.ResizeBilinearOptions:
		return o.AlignCorners
	case *model.ResizeNearestNeighborOptions:
		return o.AlignCorners
	}
	return false
}
