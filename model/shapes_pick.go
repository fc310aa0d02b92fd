package model

import "slices"

// Shape rules of the operators that choose: by index, by order, by condition.

// shapeGatherND: the last dimension of the indices addresses the first ones of
// the input.
func shapeGatherND(o *opShape) ([]dims, error) {
	in, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	index, err := o.shape(1)
	if err != nil {
		return nil, err
	}
	last := len(index) - 1
	if last < 0 || index[last] > int64(len(in)) {
		return nil, malformed("indices %v into %v", index, in)
	}
	return one(slices.Concat(index[:last], in[index[last]:])), nil
}

// shapeOneHot: depth becomes a dimension, at the end where the axis is -1.
func shapeOneHot(o *opShape) ([]dims, error) {
	opt, err := options[OneHotOptions](o)
	if err != nil {
		return nil, err
	}
	in, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	depth, err := o.scalar(1)
	if err != nil {
		return nil, err
	}
	a, err := axis(int64(opt.Axis), len(in)+1)
	if err != nil {
		return nil, err
	}
	return one(slices.Insert(in, a, depth)), nil
}

// shapeTopK: the values and their places.
func shapeTopK(o *opShape) ([]dims, error) {
	in, err := o.shape(0)
	if err != nil {
		return nil, err
	}
	k, err := o.scalar(1)
	if err != nil {
		return nil, err
	}
	if len(in) == 0 || k < 0 || k > in[len(in)-1] {
		return nil, malformed("the first %d of %v", k, in)
	}
	out := in.with(len(in)-1, k)
	return []dims{out, out}, nil
}

// shapeBroadcastArgs: the shape of a shape is its rank.
func shapeBroadcastArgs(o *opShape) ([]dims, error) {
	var longest int64
	for i := range 2 {
		d, err := o.ranked(i, 1)
		if err != nil {
			return nil, err
		}
		longest = max(longest, d[0])
	}
	return one(dims{longest}), nil
}

func foldBroadcastArgs(o *opShape) ([]int64, bool) {
	a, errA := o.ints(0)
	b, errB := o.ints(1)
	if errA != nil || errB != nil {
		return nil, false
	}
	out, err := broadcast(a, b)
	return out, err == nil
}

// shapeSelectOld is SELECT's: the shape of its values, which are equal.
func shapeSelectOld(o *opShape) ([]dims, error) {
	x, err := o.shape(1)
	return one(x), err
}
