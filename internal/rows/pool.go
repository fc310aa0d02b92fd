package rows

import (
	"fmt"

	"edged/model"
)

// mostEnds bounds in how many ways a pool may lie over both ends of a picture.
const mostEnds = 64

// readPadded is a pool that divides by as many values as lie inside of the map. At
// the sides that is the operator's own affair, which sees whole rows; at the ends
// each number of missing rows is a lower window.
func readPadded(n *net, nd *node, v *value, w model.Window, pads [2][2]int) string {
	if v.block != [2]int{1, 1} { // rows that make whole blocks count, as zeros
		v.from.masked = true
	}
	junk := v.junk
	v = n.cut(nd, v, -1, [2]int{}, [2]int{0, junk}, zero)
	v.junk = 0
	nd.kind, nd.in[0] = window, arg{val: v, konst: -1}
	nd.stride, nd.columnStride, nd.reach = w.Stride[0], w.Stride[1], (w.Filter[0]-1)*nd.dilation[0]
	nd.before, nd.after, nd.sides = pads[0][0], pads[0][1], pads[1] != [2]int{}
	nd.masked, nd.edge = pads[0] != [2]int{}, ceilDiv(nd.before, nd.stride)
	if nd.missing(nd.before)*nd.missing(nd.after) > mostEnds {
		return fmt.Sprintf("pads by %d and %d rows, with too many ways to lie over a picture's ends", nd.before, nd.after)
	}
	o := like(v, n.outShape(nd)[3])
	o.width = ceilDiv(v.width, w.Stride[1])
	o.den *= nd.stride
	n.add(nd, nd.op.Outputs[0], o)
	return ""
}

// missing is how many of a window's rows, none included, may lie outside by rows.
func (nd *node) missing(rows int) int { return ceilDiv(rows, nd.dilation[0]) + 1 }

// outside is how many rows of a window lie before and behind a map of length rows.
func (nd *node) outside(row, length int) (before, behind int) {
	d := nd.dilation[0]
	first := row*nd.stride - nd.before
	if first < 0 {
		before = ceilDiv(-first, d)
	}
	if last := first + nd.reach; last >= length {
		behind = (last-length)/d + 1
	}
	return before, behind
}

// padded writes a pool over x, all of the rows that its windows reach.
func (e *emitter) padded(nd *node, o *model.Pool2DOptions, x model.Ref, rows int) model.Ref {
	y := e.pool(nd, o, x, rows)
	if !nd.masked || !e.ends {
		return y
	}
	v, d, all := nd.in[0].val, nd.dilation[0], e.b.Shape(x)[1]
	for before := range nd.missing(nd.before) {
		for behind := range nd.missing(nd.after) {
			if before+behind == 0 || before+behind >= int(o.FilterHeight) {
				continue
			}
			lower := *o
			lower.FilterHeight -= int32(before + behind)
			part := e.rowsOf(x, before*d, all-(before+behind)*d, v)
			m := e.mask(mask{of: nd.out, length: v, holds: func(row, length int) bool {
				a, b := nd.outside(row, length)
				return a == before && b == behind
			}}, rows)
			y = e.choose(m, e.pool(nd, &lower, part, rows), y, nd.out.quant)
		}
	}
	return y
}

// pool writes a pool whose windows lie inside of x's rows, and, where it has sides,
// over the ends of its columns.
func (e *emitter) pool(nd *node, o *model.Pool2DOptions, x model.Ref, rows int) model.Ref {
	c := *o
	c.Padding = model.PaddingValid
	if nd.sides {
		c.Padding = model.PaddingSame
	}
	switch {
	case nd.dilation != [2]int{1, 1}:
		return e.split(nd, &c, x, rows)
	case nd.sides:
		return e.same(nd, &c, x, rows)
	}
	return e.op(nd, &c, x)
}

// same writes a pool with the padding SAME, which pads the rows too: what it makes of
// them is cut off.
func (e *emitter) same(nd *node, o *model.Pool2DOptions, x model.Ref, rows int) model.Ref {
	v, s := nd.in[0].val, e.b.Shape(x)
	add, first := sameRows(s[1], int(o.FilterHeight), nd.stride, rows)
	if add != [2]int{} {
		x = e.quantised(e.b.Pad(x, [2]int{}, add, [2]int{}, [2]int{}), v.quant)
	}
	y := e.op(nd, o, x)
	if t := e.b.Shape(y); len(t) == 4 && t[1] != rows {
		y = e.quantised(e.b.Slice(y, []int{0, first, 0, 0}, []int{1, rows, t[2], t[3]}), nd.out.quant)
	}
	return y
}

// sameRows is how many rows stand around in rows so that windows with the padding
// SAME lie on them without one, from the first on.
func sameRows(in, filter, stride, rows int) (add [2]int, first int) {
	for p := range stride {
		for q := range stride {
			k := int64(in + p + q)
			before, _ := model.Pads(model.PaddingSame, k, int64(filter), int64(stride), 1)
			at := int(before) + p
			if at%stride == 0 && at/stride+rows <= int(model.OutSize(model.PaddingSame, k, int64(filter), int64(stride), 1)) {
				return [2]int{p, q}, at / stride
			}
		}
	}
	panic("BUG: no way to lay windows on rows")
}

// split writes a dilated pool: TFLite's have no dilation, so the map is split.
func (e *emitter) split(nd *node, o *model.Pool2DOptions, x model.Ref, rows int) model.Ref {
	s := e.b.Shape(x)
	filter := [2]int{int(o.FilterHeight), int(o.FilterWidth)}
	var tail, crop [2]int
	first := 0
	for i, d := range nd.dilation {
		tail[i] = (d - s[1+i]%d) % d
		crop[i] = s[1+i] + tail[i] - [2]int{rows, nd.out.width}[i]
		if !nd.sides {
			crop[i] -= (filter[i] - 1) * d
		}
	}
	if nd.sides { // rows too
		first = (filter[0] - 1) / 2 * nd.dilation[0]
	}
	in := nd.in[0].val.quant
	parts := e.quantised(e.b.SpaceToBatch(x, nd.dilation, [2][2]int{{0, tail[0]}, {0, tail[1]}}), in)
	y := e.op(nd, o, parts)
	return e.quantised(e.b.BatchToSpace(y, nd.dilation, [2][2]int{{first, crop[0] - first}, {0, crop[1]}}), nd.out.quant)
}
