package model

import "slices"

// maxFolded bounds the tensors that are followed: shapes are short.
const maxFolded = 64

// fold keeps the content of op's output where it follows from shapes and
// constants, so that a shape which the graph computes is known. What cannot be
// followed is simply not kept: whoever needs it gets the error.
func (in *inference) fold(op *Operator) {
	rule := foldRules[in.m.Code(op).Builtin]
	if rule == nil || len(op.Outputs) != 1 || op.Outputs[0] < 0 {
		return
	}
	t := in.g.Tensors[op.Outputs[0]]
	n, err := Elements(t.Shape)
	if (t.Type != TypeInt32 && t.Type != TypeInt64) || err != nil || n > maxFolded {
		return
	}
	if v, ok := rule(&opShape{inference: in, op: op}); ok && int64(len(v)) == n {
		in.values[op.Outputs[0]] = v
	}
}

var foldRules = map[BuiltinOperator]func(o *opShape) ([]int64, bool){
	OpShape: foldShape, OpPack: foldJoin, OpConcatenation: foldJoin, OpStridedSlice: foldStridedSlice, OpGather: foldGather,
	OpReshape: foldSame, OpSqueeze: foldSame, OpExpandDims: foldSame, OpCast: foldSame, OpReduceProd: foldProduct,
	OpBroadcastArgs: foldBroadcastArgs,
	OpAdd:           foldBinary(func(a, b int64) (int64, bool) { return a + b, true }),
	OpSub:           foldBinary(func(a, b int64) (int64, bool) { return a - b, true }),
	OpMul:           foldBinary(func(a, b int64) (int64, bool) { return a * b, true }),
	OpMaximum:       foldBinary(func(a, b int64) (int64, bool) { return max(a, b), true }),
	OpMinimum:       foldBinary(func(a, b int64) (int64, bool) { return min(a, b), true }),
	OpDiv: foldBinary(func(a, b int64) (int64, bool) {
		if b == 0 {
			return 0, false
		}
		return a / b, true
	}),
	OpFloorDiv: foldBinary(func(a, b int64) (int64, bool) {
		if b == 0 {
			return 0, false
		}
		q := a / b
		if a%b != 0 && (a < 0) != (b < 0) {
			q--
		}
		return q, true
	}),
}

func foldShape(o *opShape) ([]int64, bool) {
	d, err := o.shape(0)
	return d, err == nil
}

func foldSame(o *opShape) ([]int64, bool) {
	if t, err := o.tensor(0); err != nil || (t.Type != TypeInt32 && t.Type != TypeInt64) {
		return nil, false
	}
	v, err := o.ints(0)
	return v, err == nil
}

// foldJoin serves scalars packed and vectors concatenated: both follow one
// another.
func foldJoin(o *opShape) ([]int64, bool) {
	var out []int64
	for i := range o.op.Inputs {
		v, err := o.ints(i)
		d, shapeErr := o.shape(i)
		if err != nil || shapeErr != nil || len(d) > 1 {
			return nil, false
		}
		out = append(out, v...)
	}
	return out, true
}

func foldGather(o *opShape) ([]int64, bool) {
	v, err := o.ints(0)
	index, indexErr := o.ints(1)
	d, shapeErr := o.shape(0)
	if err != nil || indexErr != nil || shapeErr != nil || len(d) != 1 {
		return nil, false
	}
	out := make([]int64, len(index))
	for i, k := range index {
		if k < 0 || k >= int64(len(v)) {
			return nil, false
		}
		out[i] = v[k]
	}
	return out, true
}

func foldStridedSlice(o *opShape) ([]int64, bool) {
	opt, err := options[StridedSliceOptions](o)
	v, valueErr := o.ints(0)
	if err != nil || valueErr != nil || opt.NewAxisMask != 0 {
		return nil, false
	}
	spec := sliceSpec{opt: opt}
	for i, list := range []*[]int64{&spec.begin, &spec.end, &spec.step} {
		if *list, err = o.ints(i + 1); err != nil {
			return nil, false
		}
	}
	strides, err := spec.resolve(dims{int64(len(v))})
	if err != nil || len(strides) != 1 {
		return nil, false
	}
	s := strides[0]
	var out []int64
	for k, at := int64(0), s.begin; k < s.count(); k, at = k+1, at+s.step {
		out = append(out, v[at])
	}
	return out, true
}

func foldProduct(o *opShape) ([]int64, bool) {
	d, shapeErr := o.shape(0)
	v, err := o.ints(0)
	if err != nil || shapeErr != nil || len(d) != 1 {
		return nil, false
	}
	n, err := dims(v).elements()
	return []int64{n}, err == nil
}

// foldBinary combines two lists; a list of one stretches.
func foldBinary(f func(a, b int64) (int64, bool)) func(o *opShape) ([]int64, bool) {
	return func(o *opShape) ([]int64, bool) {
		a, err := o.ints(0)
		b, errB := o.ints(1)
		if err != nil || errB != nil || len(a) == 0 || len(b) == 0 {
			return nil, false
		}
		n := max(len(a), len(b))
		a, b = stretch(a, n), stretch(b, n)
		out := make([]int64, n)
		for i := range out {
			if len(a) != n || len(b) != n {
				return nil, false
			}
			var ok bool
			if out[i], ok = f(a[i], b[i]); !ok {
				return nil, false
			}
		}
		return out, true
	}
}

func stretch(v []int64, n int) []int64 {
	if len(v) == 1 {
		return slices.Repeat(v, n)
	}
	return v
}
