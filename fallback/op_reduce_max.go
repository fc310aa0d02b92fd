package fallback

import (
	"cmp"

	"edged/internal/kernel/picture"
	"edged/model"
)

// planReduceMax and planReduceMin plan REDUCE_MAX and REDUCE_MIN. Quantised
// values compare as they are stored.
func planReduceMax(c *opContext) error { return c.planExtremum(1) }
func planReduceMin(c *opContext) error { return c.planExtremum(-1) }

func (c *opContext) planExtremum(sign int) error {
	r, err := c.reduction()
	if err != nil {
		return err
	}
	switch in := c.in[0]; {
	case in.typ != c.out[0].typ:
		return c.types()
	case in.typ == model.TypeFloat32:
		extremum(c, r, (*tensor).f32, sign, c.p.routines.Vec.MaxF32)
	case in.typ == model.TypeInt8:
		extremum(c, r, (*tensor).i8, sign, c.p.routines.Vec.MaxI8)
	case in.typ == model.TypeUint8:
		extremum(c, r, func(t *tensor) []byte { return t.data }, sign, c.p.routines.Vec.MaxU8)
	case in.typ == model.TypeInt32:
		extremum(c, r, (*tensor).i32, sign, keepMost[int32])
	case in.typ == model.TypeInt64:
		extremum(c, r, (*tensor).i64, sign, keepMost[int64])
	default:
		return c.types()
	}
	return nil
}

// extremum emits the step; most is its work on a row, where the greatest is
// asked for.
func extremum[T cmp.Ordered](c *opContext, r *reduction, of func(*tensor) []T, sign int, most func(row, v []T)) {
	in, out := c.in[0], c.out[0]
	keep := most
	if sign < 0 {
		keep = keepLeast[T]
	}
	c.emit("extremum", r.units(), in.elems(), c.in[:1], func(_ *worker, lo, hi int) {
		src, dst := of(in), of(out)
		for u := lo; u < hi; u++ {
			row := dst[u*r.row:][:r.row]
			first := true
			r.each(u, func(at, count, step int) {
				if first {
					copy(row, src[at:])
					first = false
				}
				for k := range count {
					keep(row, src[at+k*step:][:r.row])
				}
			})
		}
	})
}

func keepMost[T cmp.Ordered](row, v []T) {
	for i, x := range v {
		if x > row[i] {
			row[i] = x
		}
	}
}

func keepLeast[T cmp.Ordered](row, v []T) {
	for i, x := range v {
		if x < row[i] {
			row[i] = x
		}
	}
}

// planArgMax and planArgMin plan ARG_MAX and ARG_MIN: the first of equals.
func planArgMax(c *opContext) error { return c.planArg(1) }
func planArgMin(c *opContext) error { return c.planArg(-1) }

func (c *opContext) planArg(sign int) error {
	axes, err := c.ints(1)
	if err != nil {
		return err
	}
	in := c.in[0]
	if len(axes) != 1 {
		return c.malformed("%d axes", len(axes))
	}
	axis, err := c.axis(axes[0], len(in.shape))
	if err != nil {
		return err
	}
	if in.shape[axis] == 0 {
		return c.malformed("the extreme of nothing")
	}
	shape := append(append([]int{}, in.shape[:axis]...), in.shape[axis+1:]...)
	if err := c.shape(0, shape...); err != nil {
		return err
	}
	if t := c.out[0].typ; t != model.TypeInt32 && t != model.TypeInt64 {
		return c.types()
	}
	const most = 256 // classes that fit a byte
	if n := in.shape[axis]; sign > 0 && axis == len(in.shape)-1 && n <= most && (in.typ == model.TypeFloat32 || in.quantised()) {
		c.argMaxLast(n)
		return nil
	}
	switch in.typ {
	case model.TypeFloat32:
		argExtremum(c, axis, (*tensor).f32, sign)
	case model.TypeInt8:
		argExtremum(c, axis, (*tensor).i8, sign)
	case model.TypeUint8:
		argExtremum(c, axis, func(t *tensor) []byte { return t.data }, sign)
	case model.TypeInt32:
		argExtremum(c, axis, (*tensor).i32, sign)
	default:
		return c.types()
	}
	return nil
}

// argMaxLast emits ARG_MAX along the last dimension, of n.
func (c *opContext) argMaxLast(n int) {
	in, out, k := c.in[0], c.out[0], c.p.routines.Picture
	c.emit("arg max", out.elems(), in.elems(), c.in[:1], func(w *worker, lo, hi int) {
		room := w.bytes[:]
		for ; lo < hi; lo += len(room) {
			best := room[:min(len(room), hi-lo)]
			from, to := lo*n, (lo+len(best))*n
			switch in.typ {
			case model.TypeFloat32:
				k.ArgmaxF32(best, in.f32()[from:to], n)
			case model.TypeInt8:
				picture.ArgmaxI8(best, in.i8()[from:to], n)
			default:
				picture.ArgmaxU8(best, in.data[from:to], n)
			}
			if out.typ == model.TypeInt32 {
				widenTo(out.i32()[lo:], best)
			} else {
				widenTo(out.i64()[lo:], best)
			}
		}
	})
}

func widenTo[T int32 | int64](dst []T, src []byte) {
	dst = dst[:len(src)]
	for i, v := range src {
		dst[i] = T(v)
	}
}

func argExtremum[T cmp.Ordered](c *opContext, axis int, of func(*tensor) []T, sign int) {
	in, out := c.in[0], c.out[0]
	n, inner := in.shape[axis], product(in.shape[axis+1:])
	c.emit("arg", out.elems(), in.elems(), c.in[:1], func(_ *worker, lo, hi int) {
		src := of(in)
		for u := lo; u < hi; u++ {
			from := u/inner*n*inner + u%inner
			best := 0
			for i := 1; i < n; i++ {
				v, b := src[from+i*inner], src[from+best*inner]
				if sign > 0 && v > b || sign < 0 && v < b {
					best = i
				}
			}
			if out.typ == model.TypeInt32 {
				out.i32()[u] = int32(best)
			} else {
				out.i64()[u] = int64(best)
			}
		}
	})
}
