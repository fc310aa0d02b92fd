package fallback

import (
	"errors"

	"edged/model"
)

// errIndex fails a frame whose GATHER indices lie outside.
var errIndex = errors.New("go engine: GATHER: an index lies outside its dimension")

// planGather plans GATHER: slices of the first input along an axis, in the
// order of the indices; the first batchDims dimensions of both run together.
func planGather(c *opContext) error {
	o, err := options[model.GatherOptions](c)
	if err != nil {
		return err
	}
	in, index, out := c.in[0], c.in[1], c.out[0]
	if in.typ != out.typ || index.typ != model.TypeInt32 && index.typ != model.TypeInt64 {
		return c.types()
	}
	axis, err := c.axis(int(o.Axis), len(in.shape))
	if err != nil {
		return err
	}
	batch := int(o.BatchDims)
	if batch < 0 {
		batch += len(index.shape)
	}
	if batch < 0 || batch > axis || batch > len(index.shape) {
		return c.malformed("%d batch dimensions, axis %d", o.BatchDims, axis)
	}
	for i := range batch {
		if in.shape[i] != index.shape[i] {
			return c.malformed("batches of %v and %v", in.shape, index.shape)
		}
	}
	shape := append(append(append([]int{}, in.shape[:axis]...), index.shape[batch:]...), in.shape[axis+1:]...)
	if err := c.shape(0, shape...); err != nil {
		return err
	}
	g := gather{
		batch: product(in.shape[:batch]), outer: product(in.shape[batch:axis]), size: in.shape[axis],
		count: product(index.shape[batch:]), inner: product(in.shape[axis+1:]) * in.elem(),
	}
	c.emit("gather", g.batch*g.outer, out.elems(), c.in, func(w *worker, lo, hi int) {
		at := func(i int) int { return int(index.i32()[i]) }
		if index.typ == model.TypeInt64 {
			at = func(i int) int { return int(index.i64()[i]) }
		}
		if !g.run(out.data, in.data, at, lo, hi) {
			w.err = errIndex
		}
	})
	return nil
}

// gather is the geometry: inner counts bytes.
type gather struct{ batch, outer, size, count, inner int }

func (g gather) run(dst, src []byte, index func(i int) int, lo, hi int) bool {
	for u := lo; u < hi; u++ {
		from := src[u*g.size*g.inner:]
		to := dst[u*g.count*g.inner:]
		for i := range g.count {
			k := index(u/g.outer*g.count + i)
			if k < 0 || k >= g.size {
				return false
			}
			copy(to[i*g.inner:][:g.inner], from[k*g.inner:])
		}
	}
	return true
}
