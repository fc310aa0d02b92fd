package fallback

import (
	"math"

	"edged/internal/kernel/vec"
	"edged/model"
)

// reduction splits an input into kept and reduced dimensions. The last kept
// ones that lie together at the end of the tensor are the row: their sums are
// carried side by side.
type reduction struct {
	kept, ks    []int // dimensions before the row, and their strides
	reduced, rs []int
	row         int    // 1 where the last dimension is reduced
	count       int    // elements that go into one result
	axes        []bool // by dimension: reduced
	written     []int  // the axes as the file has them
	keepDims    bool
}

// reduction reads the axes and sets the output's shape.
func (c *opContext) reduction() (*reduction, error) {
	o, err := options[model.ReducerOptions](c)
	if err != nil {
		return nil, err
	}
	axes, err := c.ints(1)
	if err != nil {
		return nil, err
	}
	in := c.in[0].shape
	r := &reduction{row: 1, count: 1, axes: make([]bool, len(in)), written: axes, keepDims: o.KeepDims}
	for _, a := range axes {
		if a, err = c.axis(a, len(in)); err != nil {
			return nil, err
		}
		r.axes[a] = true
	}
	var shape []int
	own := strides(in)
	inRow := true
	for i := len(in) - 1; i >= 0; i-- {
		switch {
		case r.axes[i]:
			inRow = false
			r.reduce(in[i], own[i])
			if o.KeepDims {
				shape = append(shape, 1)
			}
			continue
		case inRow:
			r.row *= in[i]
		default:
			r.kept, r.ks = append(r.kept, in[i]), append(r.ks, own[i])
		}
		shape = append(shape, in[i])
	}
	for _, list := range [][]int{shape, r.kept, r.ks, r.reduced, r.rs} {
		reverse(list)
	}
	if r.count == 0 {
		return nil, c.malformed("reduction of %v", in)
	}
	return r, c.shape(0, shape...)
}

// reduce adds a reduced dimension before the others: to the first of them, where
// they follow each other in memory.
func (r *reduction) reduce(n, stride int) {
	r.count *= n
	if i := len(r.reduced) - 1; i >= 0 && r.rs[i]*r.reduced[i] == stride {
		r.reduced[i] *= n
		return
	}
	r.reduced, r.rs = append(r.reduced, n), append(r.rs, stride)
}

func reverse(s []int) {
	for i, j := 0, len(s)-1; i < j; i, j = i+1, j-1 {
		s[i], s[j] = s[j], s[i]
	}
}

// units is the number of rows of results.
func (r *reduction) units() int { return product(r.kept) }

// each calls f with the place of the input rows that go into row u: count of
// them from at on, step elements apart.
func (r *reduction) each(u int, f func(at, count, step int)) {
	at := 0
	for i := len(r.kept) - 1; i >= 0; i-- {
		at += u % r.kept[i] * r.ks[i]
		u /= r.kept[i]
	}
	last := len(r.reduced) - 1
	if last < 0 {
		f(at, 1, 0)
		return
	}
	var index [maxRank]int
	for range r.count / r.reduced[last] {
		f(at, r.reduced[last], r.rs[last])
		for i := last - 1; i >= 0; i-- {
			index[i]++
			at += r.rs[i]
			if index[i] < r.reduced[i] {
				break
			}
			at -= index[i] * r.rs[i]
			index[i] = 0
		}
	}
}

// planMean plans MEAN.
func planMean(c *opContext) error { return c.planSum(true) }

// planSum plans SUM.
func planSum(c *opContext) error { return c.planSum(false) }

func (c *opContext) planSum(mean bool) error {
	r, err := c.reduction()
	if err != nil {
		return err
	}
	in, out := c.in[0], c.out[0]
	if in.typ != out.typ {
		return c.types()
	}
	switch {
	case in.typ == model.TypeFloat32:
		area, err := c.private(8 * r.row)
		if err != nil {
			return err
		}
		c.emit("sum f32", r.units(), in.elems(), c.in[:1], func(w *worker, lo, hi int) {
			r.sumF32(c.p.routines.Vec, part[float64](area, w, r.row), out.f32(), in.f32(), mean, lo, hi)
		})
	case in.typ == model.TypeInt32:
		c.emit("sum integers", r.units(), in.elems(), c.in[:1], func(_ *worker, lo, hi int) { sumInts(r, out.i32(), in.i32(), mean, lo, hi) })
	case in.typ == model.TypeInt64:
		c.emit("sum integers", r.units(), in.elems(), c.in[:1], func(_ *worker, lo, hi int) { sumInts(r, out.i64(), in.i64(), mean, lo, hi) })
	case in.quantised():
		return c.sumQuant(r, mean)
	case in.typ == model.TypeInt16 && mean:
		return c.meanI16(r)
	default:
		return c.types()
	}
	return nil
}

// meanI16 sums int16 in int32, and finishes as of int8.
func (c *opContext) meanI16(r *reduction) error {
	in, out := c.in[0], c.out[0]
	if err := c.scaled(in, out); err != nil {
		return err
	}
	finish := c.quantFinish(r, true)
	c.emit("sum quantised", r.units(), in.elems(), c.in[:1], func(_ *worker, from, to int) {
		for u := from; u < to; u++ {
			for i := range r.row {
				var sum int32
				r.each(u, func(at, count, step int) {
					for k := range count {
						sum += int32(in.i16()[at+k*step+i])
					}
				})
				out.i16()[u*r.row+i] = saturate16(finish(sum))
			}
		}
	})
	return nil
}

// sumF32 adds in float64, which costs nothing here and keeps long sums exact
// to the last bit.
func (r *reduction) sumF32(k *vec.Routines, acc []float64, out, in []float32, mean bool, lo, hi int) {
	n := 1.0
	if mean {
		n = float64(r.count)
	}
	for u := lo; u < hi; u++ {
		clear(acc)
		r.each(u, func(at, count, step int) { k.SumRowsF32(acc, in[at:], count, step) })
		for i, v := range acc {
			out[u*r.row+i] = float32(v / n)
		}
	}
}

func sumInts[T int32 | int64](r *reduction, out, in []T, mean bool, lo, hi int) {
	for u := lo; u < hi; u++ {
		for i := range r.row {
			var sum int64
			r.each(u, func(at, count, step int) {
				for k := range count {
					sum += int64(in[at+k*step+i])
				}
			})
			if mean {
				sum /= int64(r.count)
			}
			out[u*r.row+i] = T(sum)
		}
	}
}

// sumQuant sums 8-bit values in int32, then finishes by one of the functions
// of quantFinish.
func (c *opContext) sumQuant(r *reduction, mean bool) error {
	in, out := c.in[0], c.out[0]
	if err := c.scaled(in, out); err != nil {
		return err
	}
	area, err := c.private(4 * r.row)
	if err != nil {
		return err
	}
	finish, err := c.tabulate(r, c.quantFinish(r, mean))
	if err != nil {
		return err
	}
	k, signed := c.p.routines.Vec, in.typ == model.TypeInt8
	c.emit("sum quantised", r.units(), in.elems(), c.in[:1], func(w *worker, from, to int) {
		acc := part[int32](area, w, r.row)
		for u := from; u < to; u++ {
			clear(acc)
			r.each(u, func(at, count, step int) { k.SumRows(acc, in.data[at:], count, step, signed) })
			for i, sum := range acc {
				out.data[u*r.row+i] = finish(sum)
			}
		}
	})
	return nil
}

// mostSums is the number of different sums up to which the results stand in a
// table.
const mostSums = 1 << 16

// tabulate clamps finish to the output's type and, for short sums, makes a
// table of it.
func (c *opContext) tabulate(r *reduction, finish func(sum int32) int32) (func(sum int32) byte, error) {
	lo, hi := c.out[0].bounds()
	clamped := func(sum int32) byte { return byte(min(max(finish(sum), lo), hi)) }
	least, most := c.in[0].bounds()
	if (most-least)*int32(min(r.count, mostSums)) >= mostSums || c.out[0].elems() < mostSums {
		return clamped, nil
	}
	first := least * int32(r.count)
	table, err := c.packed(int(most-least)*r.count+1, func(t *tensor) {
		for i := range t.data {
			t.data[i] = clamped(first + int32(i))
		}
	})
	return func(sum int32) byte { return table.data[sum-first] }, err
}

// quantFinish chooses TFLite's arithmetic for a quantised MEAN or SUM, which
// depends on the axes and on keep_dims.
func (c *opContext) quantFinish(r *reduction, mean bool) func(sum int32) int32 {
	in, out := c.in[0], c.out[0]
	zi, zo := in.quant.zero0(), out.quant.zero0()
	n := int32(r.count)
	if mean && r.overImage() {
		return c.imageMean(n)
	}
	if mean && in.quant.same(out.quant) {
		// Equal scales: the integer mean, rounded toward zero.
		return func(sum int32) int32 { return sum / n }
	}
	if !mean && in.quant.same(out.quant) {
		// Equal scales: TFLite sums in the 8-bit type, and wraps.
		return func(sum int32) int32 { return byteValue(byte(sum), in.typ == model.TypeInt8) }
	}
	scale := in.quant.scale[0] / out.quant.scale[0]
	bias := float32(-zi) * scale
	if !mean {
		bias *= float32(n)
	}
	return func(sum int32) int32 {
		if !mean { // TFLite does not clamp sums: they wrap
			v := int32(math.Round(float64(float32(sum)*scale+bias))) + zo
			return byteValue(byte(v), in.typ == model.TypeInt8)
		}
		return int32(math.Round(float64(float32(sum)/float32(n)*scale+bias))) + zo
	}
}

// overImage says that exactly height and width of an NHWC tensor are reduced
// and kept as ones. TFLite compares the axes as they are written: counted from
// the end, they take the general way.
func (r *reduction) overImage() bool {
	return len(r.axes) == 4 && r.keepDims && len(r.written) == 2 && min(r.written[0], r.written[1]) == 1 && max(r.written[0], r.written[1]) == 2
}

// imageMean is the mean over an image of n positions. For uint8: one
// fixed-point multiplication of the sum of stored values, plus a rounded bias.
// For int8 and int16: the sum of values rescaled, then divided, half away from zero.
func (c *opContext) imageMean(n int32) func(sum int32) int32 {
	in, out := c.in[0], c.out[0]
	si, so := in.quant.scale[0], out.quant.scale[0]
	zi, zo := in.quant.zero0(), out.quant.zero0()
	if in.typ == model.TypeUint8 {
		bias := zo - int32(math.Round(float64(float32(zi)*si/so)))
		m := newMultiplier(float64(si / (float32(n) * so)))
		return func(sum int32) int32 { return m.apply(sum) + bias }
	}
	m := newMultiplier(float64(si) / float64(so))
	return func(sum int32) int32 {
		v := m.apply(sum - zi*n)
		if v > 0 {
			v = (v + n/2) / n
		} else {
			v = (v - n/2) / n
		}
		return v + zo
	}
}
