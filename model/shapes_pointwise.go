package model

import "slices"

// Shape rules of the pointwise operators, reductions, padding, and the rest.

func shapeSame(o *opShape) ([]dims, error) {
	in, err := o.shape(0)
	return one(in), err
}

func shapeBroadcast(o *opShape) ([]dims, error) {
	a, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	b, err := o.shape(1)
	if err != nil {
		return nil, err
	}
	out, err := broadcast(a, b)
	return one(out), err
}

// broadcast joins two shapes from the last dimension backwards; a dimension of
// one, or a missing one, stretches.
func broadcast(a, b dims) (dims, error) {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := slices.Clone(a)
	shift := len(a) - len(b)
	for i, n := range b {
		switch m := a[shift+i]; {
		case m == n || n == 1:
		case m == 1:
			out[shift+i] = n
		default:
			return nil, malformed("shapes %v and %v do not broadcast", a, b)
		}
	}
	return out, nil
}

func shapeBroadcastTo(o *opShape) ([]dims, error) {
	in, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	to, err := o.ints(1)
	if err != nil {
		return nil, err
	}
	out, err := broadcast(in, to)
	if err == nil && !slices.Equal(out, to) {
		err = malformed("%v does not broadcast to %v", in, to)
	}
	return one(out), err
}

func shapeFullyConnected(o *opShape) ([]dims, error) {
	opt, err := options[FullyConnectedOptions](o)
	if err != nil {
		return nil, err
	}
	in, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	w, err := o.ranked(1, 2) // units, inputs
	if err != nil {
		return nil, err
	}
	n, err := in.elements()
	if err != nil {
		return nil, err
	}
	if w[1] == 0 || n%w[1] != 0 {
		return nil, malformed("weights %v do not fit an input %v", w, in)
	}
	if !opt.KeepNumDims {
		return one(dims{n / w[1], w[0]}), nil
	}
	if len(in) == 0 || in[len(in)-1] != w[1] {
		return nil, malformed("weights %v do not fit the last dimension of %v", w, in)
	}
	return one(in.with(len(in)-1, w[0])), nil
}

func shapeReduce(o *opShape) ([]dims, error) {
	opt, err := options[ReducerOptions](o)
	if err != nil {
		return nil, err
	}
	in, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	axes, err := o.ints(1)
	if err != nil {
		return nil, err
	}
	gone := make([]bool, len(in))
	for _, v := range axes {
		a, err := axis(v, len(in))
		if err != nil {
			return nil, err
		}
		gone[a] = true
	}
	var out dims
	for i, n := range in {
		switch {
		case !gone[i]:
			out = append(out, n)
		case opt.KeepDims:
			out = append(out, 1)
		}
	}
	return one(out), nil
}

func shapeArg(o *opShape) ([]dims, error) {
	in, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	at, err := o.scalar(1)
	if err != nil {
		return nil, err
	}
	a, err := axis(at, len(in))
	if err != nil {
		return nil, err
	}
	return one(slices.Delete(in, a, a+1)), nil
}

// shapePad serves PAD, PADV2 and MIRROR_PAD: input 1 holds a pair for every
// dimension.
func shapePad(o *opShape) ([]dims, error) {
	in, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	pads, err := o.ints(1)
	if err != nil {
		return nil, err
	}
	if len(pads) != 2*len(in) {
		return nil, malformed("%d pads for %d dimensions", len(pads), len(in))
	}
	out := slices.Clone(in)
	for i := range in {
		if pads[2*i] < 0 || pads[2*i+1] < 0 {
			return nil, malformed("pads %v", pads)
		}
		out[i] += pads[2*i] + pads[2*i+1]
	}
	return one(out), nil
}

func shapeTile(o *opShape) ([]dims, error) {
	in, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	times, err := o.ints(1)
	if err != nil {
		return nil, err
	}
	if len(times) != len(in) {
		return nil, malformed("%d multiples for %d dimensions", len(times), len(in))
	}
	out := slices.Clone(in)
	for i, n := range times {
		if n < 0 || (n > 0 && in[i] > maxElements/n) {
			return nil, malformed("%v times %v", in, times)
		}
		out[i] *= n
	}
	return one(out), nil
}

func shapeShape(o *opShape) ([]dims, error) {
	in, err := o.shape(0)
	return one(dims{int64(len(in))}), err
}

func shapeFill(o *opShape) ([]dims, error) {
	d, err := o.ints(0)
	return one(d), err
}

func shapeBatchMatMul(o *opShape) ([]dims, error) {
	opt, err := options[BatchMatMulOptions](o)
	if err != nil {
		return nil, err
	}
	a, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	b, err := o.shape(1)
	if err != nil {
		return nil, err
	}
	if len(a) < 2 || len(b) < 2 {
		return nil, malformed("matrices of shapes %v and %v", a, b)
	}
	rows, inner := flip(a, opt.AdjX)
	inner2, cols := flip(b, opt.AdjY)
	if inner != inner2 {
		return nil, malformed("matrices of shapes %v and %v do not multiply", a, b)
	}
	batch, err := broadcast(a[:len(a)-2], b[:len(b)-2])
	return one(append(batch, rows, cols)), err
}

// flip gives the last two dimensions, exchanged where the matrix is transposed.
func flip(d dims, transposed bool) (rows, cols int64) {
	rows, cols = d[len(d)-2], d[len(d)-1]
	if transposed {
		return cols, rows
	}
	return rows, cols
}

// shapeSelect is SELECT_V2's: all three broadcast.
func shapeSelect(o *opShape) ([]dims, error) {
	out, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	for i := 1; i < 3; i++ {
		d, err := o.shape(i)
		if err != nil {
			return nil, err
		}
		if out, err = broadcast(out, d); err != nil {
			return nil, err
		}
	}
	return one(out), nil
}
