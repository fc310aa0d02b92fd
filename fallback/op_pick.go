package fallback

import (
	"cmp"
	"errors"

	"edged/model"
)

// errIndices fails a frame whose GATHER_ND indices lie outside.
var errIndices = errors.New("go engine: GATHER_ND: an index lies outside its dimension")

// indexAt reads element i of an integer tensor.
func indexAt(t *tensor, i int) int {
	if t.typ == model.TypeInt64 {
		return int(t.i64()[i])
	}
	return int(t.i32()[i])
}

// isIndex says that t holds int32 or int64.
func isIndex(t *tensor) bool { return t.typ == model.TypeInt32 || t.typ == model.TypeInt64 }

// planGatherND plans GATHER_ND: the last dimension of the indices addresses the
// first dimensions of the input, of which the rest is copied.
func planGatherND(c *opContext) error {
	in, index, out := c.in[0], c.in[1], c.out[0]
	if in.typ != out.typ || !isIndex(index) {
		return c.types()
	}
	last := len(index.shape) - 1
	if last < 0 || index.shape[last] > len(in.shape) {
		return c.malformed("indices %v into %v", index.shape, in.shape)
	}
	depth := index.shape[last]
	if err := c.shape(0, append(append([]int{}, index.shape[:last]...), in.shape[depth:]...)...); err != nil {
		return err
	}
	own, size := strides(in.shape), product(in.shape[depth:])*in.elem()
	c.emit("gather", product(index.shape[:last]), out.elems(), c.in, func(w *worker, lo, hi int) {
		for u := lo; u < hi; u++ {
			from := 0
			for k := range depth {
				i := indexAt(index, u*depth+k)
				if i < 0 || i >= in.shape[k] {
					w.err = errIndices
					return
				}
				from += i * own[k]
			}
			copy(out.data[u*size:][:size], in.data[from*in.elem():])
		}
	})
	return nil
}

// planOneHot plans ONE_HOT: indices, depth, the value where the index is and the
// value elsewhere.
func planOneHot(c *opContext) error {
	o, err := options[model.OneHotOptions](c)
	if err != nil {
		return err
	}
	index, on, off, out := c.in[0], c.in[2], c.in[3], c.out[0]
	depth, err := c.ints(1)
	if err != nil {
		return err
	}
	if !isIndex(index) || on.typ != off.typ || on.typ != out.typ {
		return c.types()
	}
	axis := int(o.Axis)
	if axis == -1 {
		axis = len(index.shape)
	}
	if len(depth) != 1 || depth[0] < 0 || axis < 0 || axis > len(index.shape) || on.elems() != 1 || off.elems() != 1 {
		return c.malformed("axis %d of %v, depth %v", o.Axis, index.shape, depth)
	}
	shape := append(append(append([]int{}, index.shape[:axis]...), depth[0]), index.shape[axis:]...)
	if err := c.shape(0, shape...); err != nil {
		return err
	}
	inner, size := product(index.shape[axis:]), out.elem()
	c.emit("one hot", product(index.shape[:axis])*depth[0], out.elems(), []*tensor{index, on, off}, func(_ *worker, lo, hi int) {
		for u := lo; u < hi; u++ {
			outer, k := u/depth[0], u%depth[0]
			for i := range inner {
				v := off.data
				if indexAt(index, outer*inner+i) == k {
					v = on.data
				}
				copy(out.data[(u*inner+i)*size:][:size], v)
			}
		}
	})
	return nil
}

// planCumsum plans CUMSUM: running sums along an axis.
func planCumsum(c *opContext) error {
	o, err := options[model.CumsumOptions](c)
	if err != nil {
		return err
	}
	axes, err := c.ints(1)
	if err != nil {
		return err
	}
	in, out := c.in[0], c.out[0]
	if len(axes) != 1 {
		return c.malformed("axes %v", axes)
	}
	axis, err := c.axis(axes[0], len(in.shape))
	if err != nil {
		return err
	}
	if err := c.shape(0, in.shape...); err != nil {
		return err
	}
	switch {
	case in.typ != out.typ:
		return c.types()
	case in.typ == model.TypeFloat32:
		emitCumsum(c, axis, o, (*tensor).f32)
	case in.typ == model.TypeInt32:
		emitCumsum(c, axis, o, (*tensor).i32)
	case in.typ == model.TypeInt64:
		emitCumsum(c, axis, o, (*tensor).i64)
	default:
		return c.types()
	}
	return nil
}

func emitCumsum[T number](c *opContext, axis int, o model.CumsumOptions, of func(*tensor) []T) {
	in, out := c.in[0], c.out[0]
	n, step := in.shape[axis], product(in.shape[axis+1:])
	c.emit("running sum", product(in.shape[:axis])*step, out.elems(), c.in[:1], func(_ *worker, lo, hi int) {
		dst, src := of(out), of(in)
		for u := lo; u < hi; u++ {
			at, by, sum := u/step*n*step+u%step, step, T(0)
			if o.Reverse {
				at, by = at+(n-1)*step, -step
			}
			for range n {
				if o.Exclusive {
					dst[at] = sum
				}
				if sum += src[at]; !o.Exclusive {
					dst[at] = sum
				}
				at += by
			}
		}
	})
}

// planTopK plans TOPK_V2: the k largest of each row, the largest first, equal
// ones in their order, and where they stood.
func planTopK(c *opContext) error {
	in, values, where := c.in[0], c.out[0], c.out[1]
	k, err := c.ints(1)
	if err != nil {
		return err
	}
	rank := len(in.shape)
	if rank < 1 || len(k) != 1 || k[0] < 0 || k[0] > in.shape[rank-1] {
		return c.malformed("the first %v of %v", k, in.shape)
	}
	if in.typ != values.typ || where.typ != model.TypeInt32 {
		return c.types()
	}
	shape := append(append([]int{}, in.shape[:rank-1]...), k[0])
	for i := range c.out {
		if err := c.shape(i, shape...); err != nil {
			return err
		}
	}
	n := in.shape[rank-1]
	switch in.typ {
	case model.TypeFloat32:
		emitTopK(c, n, k[0], (*tensor).f32)
	case model.TypeInt8:
		emitTopK(c, n, k[0], (*tensor).i8)
	case model.TypeUint8:
		emitTopK(c, n, k[0], (*tensor).content)
	case model.TypeInt16:
		emitTopK(c, n, k[0], (*tensor).i16)
	case model.TypeInt32:
		emitTopK(c, n, k[0], (*tensor).i32)
	case model.TypeInt64:
		emitTopK(c, n, k[0], (*tensor).i64)
	default:
		return c.types()
	}
	return nil
}

func emitTopK[T cmp.Ordered](c *opContext, n, k int, of func(*tensor) []T) {
	in, values, where := c.in[0], c.out[0], c.out[1]
	c.emit("top k", product(in.shape[:len(in.shape)-1]), 8*in.elems(), c.in[:1], func(_ *worker, lo, hi int) {
		for u := lo; u < hi; u++ {
			row, dst, at := of(in)[u*n:][:n], of(values)[u*k:][:k], where.i32()[u*k:][:k]
			(&best[T]{row, at}).run()
			for i, w := range at {
				dst[i] = row[w]
			}
		}
	})
}

// best keeps the best places of a row in a heap whose root is the worst of them.
type best[T cmp.Ordered] struct {
	row []T
	at  []int32
}

// before says that place a comes before place b.
func (h *best[T]) before(a, b int32) bool {
	return h.row[a] > h.row[b] || !(h.row[a] < h.row[b]) && a < b
}

func (h *best[T]) run() {
	k := len(h.at)
	if k == 0 {
		return
	}
	for i := range h.at {
		h.at[i] = int32(i)
	}
	for i := k/2 - 1; i >= 0; i-- {
		h.sink(i, k)
	}
	for i := k; i < len(h.row); i++ {
		if h.before(int32(i), h.at[0]) {
			h.at[0] = int32(i)
			h.sink(0, k)
		}
	}
	for n := k - 1; n > 0; n-- { // the worst one goes last
		h.at[0], h.at[n] = h.at[n], h.at[0]
		h.sink(0, n)
	}
}

// sink moves element i of a heap of n down to where it belongs.
func (h *best[T]) sink(i, n int) {
	for {
		c := 2*i + 1
		if c >= n {
			return
		}
		if c+1 < n && h.before(h.at[c], h.at[c+1]) {
			c++
		}
		if !h.before(h.at[i], h.at[c]) {
			return
		}
		h.at[i], h.at[c] = h.at[c], h.at[i]
		i = c
	}
}

// planBroadcastArgs plans BROADCAST_ARGS: the shape to which two shapes broadcast.
func planBroadcastArgs(c *opContext) error {
	out := c.out[0]
	a, err := c.ints(0)
	if err != nil {
		return err
	}
	b, err := c.ints(1)
	if err != nil {
		return err
	}
	shape := broadcastShape(a, b)
	if shape == nil || len(c.in[0].shape) > 1 || len(c.in[1].shape) > 1 {
		return c.malformed("shapes %v and %v do not broadcast", a, b)
	}
	if !isIndex(out) || c.in[0].typ != out.typ || c.in[1].typ != out.typ {
		return c.types()
	}
	if err := c.shape(0, len(shape)); err != nil {
		return err
	}
	c.emit("constant", 1, len(shape), c.in, func(*worker, int, int) {
		for i, d := range shape {
			if out.typ == model.TypeInt64 {
				out.i64()[i] = int64(d)
			} else {
				out.i32()[i] = int32(d)
			}
		}
	})
	return nil
}
