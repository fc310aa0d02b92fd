package fallback

import (
	"encoding/binary"
	"slices"

	"edged/model"
)

// planTranspose plans TRANSPOSE.
func planTranspose(c *opContext) error {
	perm, err := c.ints(1)
	if err != nil {
		return err
	}
	in := c.in[0].shape
	if len(perm) != len(in) || c.in[0].typ != c.out[0].typ {
		return c.malformed("permutation %v of %v", perm, in)
	}
	own := strides(in)
	seen := make([]bool, len(in))
	shape, ss := make([]int, len(in)), make([]int, len(in))
	for i, p := range perm {
		if p, err = c.axis(p, len(in)); err != nil {
			return err
		}
		if seen[p] {
			return c.malformed("permutation %v", perm)
		}
		seen[p], shape[i], ss[i] = true, in[p], own[p]
	}
	if err := c.shape(0, shape...); err != nil {
		return err
	}
	c.emitMove(c.out[0], c.in[0], move{dims: shape, ds: strides(shape), ss: ss})
	return nil
}

// planSplit plans SPLIT: axis, input; equal parts.
func planSplit(c *opContext) error {
	axes, err := c.ints(0)
	if err != nil {
		return err
	}
	if len(axes) != 1 {
		return c.malformed("%d axes", len(axes))
	}
	axis, err := c.axis(axes[0], len(c.in[1].shape))
	if err != nil {
		return err
	}
	d := c.in[1].shape[axis]
	if d%len(c.out) != 0 {
		return c.malformed("%d in %d parts", d, len(c.out))
	}
	sizes := make([]int, len(c.out))
	fill(sizes, d/len(c.out))
	return c.splitInto(c.in[1], axis, sizes)
}

// planSplitV plans SPLIT_V: input, sizes, axis. One size may be -1.
func planSplitV(c *opContext) error {
	sizes, err := c.ints(1)
	if err != nil {
		return err
	}
	axes, err := c.ints(2)
	if err != nil {
		return err
	}
	if len(axes) != 1 || len(sizes) != len(c.out) {
		return c.malformed("axes %v, sizes %v for %d outputs", axes, sizes, len(c.out))
	}
	axis, err := c.axis(axes[0], len(c.in[0].shape))
	if err != nil {
		return err
	}
	rest := c.in[0].shape[axis]
	for _, s := range sizes {
		rest -= max(s, 0)
	}
	if i := slices.Index(sizes, -1); i >= 0 {
		sizes[i], rest = rest, 0
	}
	if rest != 0 || slices.Min(sizes) < 0 {
		return c.malformed("sizes %v of %v", sizes, c.in[0].shape)
	}
	return c.splitInto(c.in[0], axis, sizes)
}

func (c *opContext) splitInto(in *tensor, axis int, sizes []int) error {
	own := strides(in.shape)
	at := 0
	for i, n := range sizes {
		shape := slices.Clone(in.shape)
		shape[axis] = n
		if in.typ != c.out[i].typ {
			return c.types()
		}
		if err := c.shape(i, shape...); err != nil {
			return err
		}
		c.emitMove(c.out[i], in, move{dims: shape, ds: strides(shape), ss: own, src0: at * own[axis]})
		at += n
	}
	return nil
}

// planPack plans PACK: equal tensors side by side along a new axis.
func planPack(c *opContext) error {
	o, err := options[model.PackOptions](c)
	if err != nil {
		return err
	}
	one := c.in[0].shape
	axis, err := c.axis(int(o.Axis), len(one)+1)
	if err != nil {
		return err
	}
	shape := slices.Insert(slices.Clone(one), axis, len(c.in))
	for _, t := range c.in {
		if t == nil || !slices.Equal(t.shape, one) || t.typ != c.out[0].typ {
			return c.malformed("tensors of different shapes or types")
		}
	}
	if err := c.shape(0, shape...); err != nil {
		return err
	}
	to := strides(shape)
	ds := slices.Delete(slices.Clone(to), axis, axis+1)
	var moves []move
	for i := range c.in {
		moves = append(moves, move{dims: one, ds: ds, ss: strides(one), dst0: i * to[axis]})
	}
	c.emitMoves(c.out[0], c.in, moves)
	return nil
}

// planUnpack plans UNPACK, the way back.
func planUnpack(c *opContext) error {
	o, err := options[model.UnpackOptions](c)
	if err != nil {
		return err
	}
	in := c.in[0]
	axis, err := c.axis(int(o.Axis), len(in.shape))
	if err != nil {
		return err
	}
	if in.shape[axis] != len(c.out) {
		return c.malformed("%d outputs of %v along %d", len(c.out), in.shape, axis)
	}
	own := strides(in.shape)
	shape := slices.Delete(slices.Clone(in.shape), axis, axis+1)
	ss := slices.Delete(slices.Clone(own), axis, axis+1)
	for i, t := range c.out {
		if t.typ != in.typ {
			return c.types()
		}
		if err := c.shape(i, shape...); err != nil {
			return err
		}
		c.emitMove(t, in, move{dims: shape, ds: strides(shape), ss: ss, src0: i * own[axis]})
	}
	return nil
}

// planTile plans TILE.
func planTile(c *opContext) error {
	times, err := c.ints(1)
	if err != nil {
		return err
	}
	in := c.in[0].shape
	if len(times) != len(in) || c.in[0].typ != c.out[0].typ {
		return c.malformed("multiples %v of %v", times, in)
	}
	shape := make([]int, len(in))
	own := strides(in)
	m := move{}
	for i, d := range in {
		if times[i] < 0 || times[i] > 1<<30 {
			return c.malformed("multiples %v", times)
		}
		shape[i] = d * times[i]
		m.dims, m.ss = append(m.dims, times[i], d), append(m.ss, 0, own[i])
	}
	if err := c.shape(0, shape...); err != nil {
		return err
	}
	m.ds = strides(m.dims)
	c.emitMove(c.out[0], c.in[0], m)
	return nil
}

// planBroadcastTo plans BROADCAST_TO.
func planBroadcastTo(c *opContext) error {
	shape, err := c.ints(1)
	if err != nil {
		return err
	}
	in := c.in[0].shape
	if got := broadcastShape(in, shape); !slices.Equal(got, shape) || c.in[0].typ != c.out[0].typ {
		return c.malformed("%v to %v", in, shape)
	}
	if err := c.shape(0, shape...); err != nil {
		return err
	}
	c.emitMove(c.out[0], c.in[0], move{dims: shape, ds: strides(shape), ss: broadcastStrides(in, shape)})
	return nil
}

// planReverse plans REVERSE_V2.
func planReverse(c *opContext) error {
	axes, err := c.ints(1)
	if err != nil {
		return err
	}
	in := c.in[0].shape
	if c.in[0].typ != c.out[0].typ {
		return c.types()
	}
	own := strides(in)
	m := move{dims: in, ds: own, ss: slices.Clone(own)}
	for _, a := range axes {
		if a, err = c.axis(a, len(in)); err != nil {
			return err
		}
		if m.ss[a] < 0 {
			return c.malformed("axes %v name one twice", axes)
		}
		m.ss[a] = -own[a]
		m.src0 += max(0, in[a]-1) * own[a]
	}
	if err := c.shape(0, in...); err != nil {
		return err
	}
	c.emitMove(c.out[0], c.in[0], m)
	return nil
}

// planShape plans SHAPE: a constant, once shapes are known.
func planShape(c *opContext) error {
	out := c.out[0]
	if err := c.shape(0, len(c.in[0].shape)); err != nil {
		return err
	}
	out.raw = make([]byte, 0, out.bytes)
	for _, d := range c.in[0].shape {
		switch out.typ {
		case model.TypeInt32:
			out.raw = binary.LittleEndian.AppendUint32(out.raw, uint32(d))
		case model.TypeInt64:
			out.raw = binary.LittleEndian.AppendUint64(out.raw, uint64(d))
		default:
			return c.types()
		}
	}
	return nil
}

// planFill plans FILL: a shape, a value.
func planFill(c *opContext) error {
	shape, err := c.ints(0)
	if err != nil {
		return err
	}
	value, out := c.in[1], c.out[0]
	if value.elems() != 1 || value.typ != out.typ {
		return c.malformed("a value of %v%v", value.typ, value.shape)
	}
	if err := c.shape(0, shape...); err != nil {
		return err
	}
	n := out.elems()
	c.emit("fill", pieces(n), n, c.in, func(_ *worker, lo, hi int) {
		lo, hi = cut(lo, hi, n)
		filler{from: value}.fill(out, lo, hi)
	})
	return nil
}
