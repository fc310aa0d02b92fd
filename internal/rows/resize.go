package rows

import (
	"fmt"

	"edged/model"
)

// resize is what a resize does along the rows, by a whole factor.
type resize struct {
	factor        int  // rows of the output for one of the input
	corners       bool // the first and the last row stay the ends: one lies on each of the input's
	before, ahead int  // rows around an input row that the output's rows of it look at
}

// resizing reads a resize's options: whether it mixes rows, whether the first and the
// last stay the ends, and whether rows lie at half pixels, where the first look before
// the picture.
func resizing(options any) (mixes, corners, halves, ok bool) {
	switch o := options.(type) {
	case *model.ResizeBilinearOptions:
		return true, o.AlignCorners, o.HalfPixelCenters, true
	case *model.ResizeNearestNeighborOptions:
		return false, o.AlignCorners, o.HalfPixelCenters, true
	}
	return false, false, false, false
}

// readResize is a resize whose rows lie by a whole factor; columns may lie as they
// please.
func readResize(n *net, nd *node) string {
	v, out := nd.in[0].val, n.outShape(nd)
	mixes, corners, halves, ok := resizing(nd.op.Options)
	if v == nil || v.trail != nil || !ok || v.block != [2]int{1, 1} || v.junk != 0 || len(out) != 4 {
		return "resizes something else than a map"
	}
	o := like(v, v.ch)
	o.width = out[2]
	from, to := int(n.g.Tensors[nd.op.Inputs[0]].Shape[1]), out[1]
	if corners {
		from, to = from-1, to-1
	}
	switch {
	case from > 0 && to > 0 && from%to == 0 && from > to: // every so manyth row
		nd.kind, nd.stride = window, from/to
		if nd.reach = nd.stride - 1; corners {
			nd.reach = 0
		}
		o.den *= nd.stride
	case from > 0 && to > 0 && to%from == 0:
		r := resize{factor: to / from, corners: corners}
		if why := r.unsteady(nd, mixes, halves, n.g.Tensors[nd.op.Inputs[0]].Type); why != "" {
			return why
		}
		r.look(mixes, halves)
		nd.kind, nd.resize = upward, r
		nd.masked = r.ahead+r.before > 0 && !corners
		nd.edge = r.before * r.factor
		o.num *= r.factor
	default:
		return fmt.Sprintf("resizes %d rows to %d, not by a whole factor", n.g.Tensors[nd.op.Inputs[0]].Shape[1], out[1])
	}
	n.add(nd, nd.op.Outputs[0], o)
	return ""
}

// look says which rows are looked at.
func (r *resize) look(mixes, halves bool) {
	switch {
	case r.factor == 1:
	case mixes && halves && !r.corners:
		r.before, r.ahead = 1, 1
	case mixes || r.corners:
		r.ahead = 1
	}
}

// unsteady says why the runtimes' own arithmetic of places does not repeat itself
// along the rows.
func (r *resize) unsteady(nd *node, mixes, halves bool, t model.TensorType) string {
	f := r.factor
	binary := f&(f-1) == 0 && f <= 512
	switch scale := 1 / float32(f); {
	case binary || mixes && t == model.TypeFloat32:
		return ""
	case mixes:
		return fmt.Sprintf("mixes whole numbers by a factor of %d, at places whose rounding adds up along the rows: a power of two, or float32, is needed", f)
	case r.corners && f%2 == 0:
		return fmt.Sprintf("takes the nearest of rows by a factor of %d, where halves are rounded otherwise from row to row: a power of two, or an odd one, is needed", f)
	case !r.corners && !halves:
		for k := 1; k <= 1<<16; k *= 2 {
			if int(float32(k*f)*scale) != k {
				return fmt.Sprintf("takes the nearest of rows by a factor of %d, whose rounding puts row %d elsewhere: half pixel centres, or a power of two, are needed", f, k*f)
			}
		}
	}
	return ""
}

// resized is an operator with its output of h by w.
func (e *emitter) resized(nd *node, x model.Ref, h, w int) model.Ref {
	return e.op(nd, nd.op.Options, x, e.b.Ints(h, w))
}

// upward writes a resize that makes rows of each.
func (e *emitter) upward(nd *node) model.Ref {
	v, r, rows := nd.in[0].val, nd.resize, nd.out.rows(e.height)
	k := v.rows(e.height) + r.before + r.ahead
	x := e.take(v, nd.in[0].kept, k)
	if nd.masked && e.ends {
		x = e.repeated(nd, x, k)
	}
	h := k * r.factor
	if r.corners {
		h = (k-1)*r.factor + 1
	}
	y := e.resized(nd, x, h, nd.out.width)
	if h == rows {
		return y
	}
	return e.quantised(e.b.Slice(y, []int{0, r.before * r.factor, 0, 0}, []int{1, rows, nd.out.width, nd.out.ch}), nd.out.quant)
}

// repeated has the first and the last row of a map once more outside of it.
func (e *emitter) repeated(nd *node, x model.Ref, k int) model.Ref {
	v, s := nd.in[0].val, e.b.Shape(x)
	part := func(at, count int) model.Ref {
		return e.quantised(e.b.Slice(x, []int{0, at, 0, 0}, []int{1, count, s[2], s[3]}), v.quant)
	}
	next := e.quantised(e.b.Concat(1, part(1, k-1), part(k-1, 1)), v.quant)
	last := e.quantised(e.b.Concat(1, part(0, 1), part(0, k-1)), v.quant)
	y := x
	if nd.resize.before > 0 {
		m := e.mask(mask{of: v, before: nd.in[0].kept, length: v, holds: func(row, _ int) bool { return row < 0 }}, k)
		y = e.choose(m, next, y, v.quant)
	}
	m := e.mask(mask{of: v, before: nd.in[0].kept, length: v, holds: func(row, length int) bool { return row >= length }}, k)
	return e.choose(m, last, y, v.quant)
}
