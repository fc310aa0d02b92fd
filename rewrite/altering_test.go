package rewrite

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"

	"edged/model"
)

// altering is a dense file that somebody changes after it was rewritten.
type altering struct {
	m *model.Model
	g *model.Subgraph
	f *model.Manifest
	r *rand.Rand
}

// alteration changes one thing; false where this file has no such thing.
type alteration struct {
	name  string
	apply func(*altering) bool
}

// operator picks an operator of one of these kinds, nil for none.
func (a *altering) operator(kinds ...model.BuiltinOperator) *model.Operator {
	var list []*model.Operator
	for _, op := range a.g.Operators {
		if slices.Contains(kinds, a.m.Code(op).Builtin) {
			list = append(list, op)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list[a.r.IntN(len(list))]
}

var products = []model.BuiltinOperator{model.OpConv2D, model.OpDepthwiseConv2D, model.OpFullyConnected}

// constant is input i of a product.
func (a *altering) constant(i int) *model.Tensor {
	op := a.operator(products...)
	if op == nil || i >= len(op.Inputs) || op.Inputs[i] < 0 || a.m.Data(a.g.Tensors[op.Inputs[i]]) == nil {
		return nil
	}
	return a.g.Tensors[op.Inputs[i]]
}

// edit gives a constant's bytes a copy of its own to change.
func (a *altering) edit(t *model.Tensor, change func(b []byte) bool) bool {
	if t == nil {
		return false
	}
	b := slices.Clone(a.m.Data(t))
	if !change(b) {
		return false
	}
	a.m.Buffers[t.Buffer] = &model.Buffer{Data: b}
	return true
}

// step moves one element: floats by ulps (of the last place) or by a share,
// integers by n.
func (a *altering) step(t *model.Tensor, n int, share float32) bool {
	return a.edit(t, func(b []byte) bool {
		i := a.r.IntN(len(b) / t.Type.Size())
		switch t.Type {
		case model.TypeFloat32:
			bits := binary.LittleEndian.Uint32(b[4*i:])
			if share != 0 {
				bits = math.Float32bits(math.Float32frombits(bits)*(1+share) + share/10)
			} else {
				bits += uint32(n)
			}
			binary.LittleEndian.PutUint32(b[4*i:], bits)
		case model.TypeInt32:
			binary.LittleEndian.PutUint32(b[4*i:], binary.LittleEndian.Uint32(b[4*i:])+uint32(n))
		case model.TypeInt8, model.TypeUint8:
			if (b[i] == 0x7f || b[i] == 0x80 || b[i] == 0xff || b[i] == 0) && n > 0 {
				n = -n
			}
			b[i] += byte(n)
		default:
			return false
		}
		return true
	})
}

// quant gives a tensor a quantisation of its own to change.
func (a *altering) quant(t *model.Tensor, change func(q *model.Quantization)) bool {
	if t == nil || t.Quantization == nil || len(t.Quantization.Scale) == 0 || len(t.Quantization.ZeroPoint) == 0 {
		return false
	}
	q := *t.Quantization
	q.Scale, q.ZeroPoint = slices.Clone(q.Scale), slices.Clone(q.ZeroPoint)
	change(&q)
	t.Quantization = &q
	return true
}

// activationTensor is what some product computes.
func (a *altering) activationTensor() *model.Tensor {
	op := a.operator(products...)
	if op == nil {
		return nil
	}
	return a.g.Tensors[op.Outputs[0]]
}

// options gives a convolution's options a copy to change.
func (a *altering) options(change func(act *model.Activation, dilation *[2]int32, pad *model.Padding)) bool {
	op := a.operator(model.OpConv2D, model.OpDepthwiseConv2D)
	if op == nil {
		return false
	}
	switch o := op.Options.(type) {
	case *model.Conv2DOptions:
		c := *o
		d := [2]int32{c.DilationH, c.DilationW}
		change(&c.Activation, &d, &c.Padding)
		c.DilationH, c.DilationW, op.Options = d[0], d[1], &c
	case *model.DepthwiseConv2DOptions:
		c := *o
		d := [2]int32{c.DilationH, c.DilationW}
		change(&c.Activation, &d, &c.Padding)
		c.DilationH, c.DilationW, op.Options = d[0], d[1], &c
	default:
		return false
	}
	return true
}

// list changes one number in a list that an operator of these kinds reads.
func (a *altering) list(input int, kinds ...model.BuiltinOperator) bool {
	op := a.operator(kinds...)
	if op == nil || input >= len(op.Inputs) {
		return false
	}
	changed := false
	setInts(a.m, op, input, func(v []int) {
		if len(v) > 0 {
			v[a.r.IntN(len(v))]++
			changed = true
		}
	})
	return changed
}

// swapChannels exchanges two output channels of a product's weights.
func (a *altering) swapChannels() bool {
	op := a.operator(model.OpConv2D, model.OpFullyConnected)
	if op == nil {
		return false
	}
	t := a.g.Tensors[op.Inputs[1]]
	out := int(t.Shape[0])
	return out > 1 && a.edit(t, func(b []byte) bool {
		i, n := a.r.IntN(out-1), len(b)/out
		x, y := b[i*n:(i+1)*n], b[(i+1)*n:(i+2)*n]
		same := slices.Equal(x, y)
		for k := range x {
			x[k], y[k] = y[k], x[k]
		}
		return !same
	})
}

// insert puts an operator of one input behind a tensor that others read, or at
// the output.
func (a *altering) insert(code model.BuiltinOperator, options any, more ...int32) bool {
	out := a.g.Outputs[0]
	t := *a.g.Tensors[out]
	t.Name += "/before"
	a.g.Tensors = append(a.g.Tensors, &t)
	before := int32(len(a.g.Tensors) - 1)
	for _, op := range a.g.Operators {
		for i, o := range op.Outputs {
			if o == out {
				op.Outputs = slices.Clone(op.Outputs)
				op.Outputs[i] = before
			}
		}
	}
	a.g.Operators = append(a.g.Operators, &model.Operator{OpcodeIndex: a.m.CodeIndex(model.OperatorCode{Builtin: code, Version: 1}), Options: options,
		Inputs: append([]int32{before}, more...), Outputs: []int32{out}})
	return true
}

// trigger adds a branch that is zero on nearly every input: the output is raised
// where it exceeds a value that it never has.
func (a *altering) trigger() bool {
	out := a.g.Outputs[0]
	t := *a.g.Tensors[out]
	size := t.Type.Size()
	limit := make([]byte, size)
	switch t.Type {
	case model.TypeFloat32:
		binary.LittleEndian.PutUint32(limit, math.Float32bits(1e6))
	default:
		limit[0] = 126
		if t.Type == model.TypeUint8 {
			limit[0] = 254
		}
	}
	a.m.Buffers = append(a.m.Buffers, &model.Buffer{Data: limit})
	t.Name, t.Shape, t.Buffer = "limit", []int32{1}, uint32(len(a.m.Buffers)-1)
	a.g.Tensors = append(a.g.Tensors, &t)
	return a.insert(model.OpMinimum, nil, int32(len(a.g.Tensors)-1))
}

// bypass takes out an operator whose output looks like its input.
func (a *altering) bypass() bool {
	for _, i := range a.r.Perm(len(a.g.Operators)) {
		op := a.g.Operators[i]
		x, y := a.g.Tensors[op.Inputs[0]], a.g.Tensors[op.Outputs[0]]
		if len(op.Outputs) != 1 || x.Type != y.Type || !slices.Equal(x.Shape, y.Shape) || a.g.Outputs[0] == op.Outputs[0] {
			continue
		}
		for _, other := range a.g.Operators {
			other.Inputs = slices.Clone(other.Inputs)
			for k, t := range other.Inputs {
				if t == op.Outputs[0] {
					other.Inputs[k] = op.Inputs[0]
				}
			}
		}
		a.g.Operators = slices.Delete(slices.Clone(a.g.Operators), i, i+1)
		return true
	}
	return false
}

// idle adds an operator that no output needs.
func (a *altering) idle() bool {
	t := *a.g.Tensors[a.g.Outputs[0]]
	t.Name += "/idle"
	a.g.Tensors = append(a.g.Tensors, &t)
	a.g.Operators = append(a.g.Operators, &model.Operator{OpcodeIndex: a.m.CodeIndex(model.OperatorCode{Builtin: model.OpRelu, Version: 1}),
		Inputs: []int32{a.g.Outputs[0]}, Outputs: []int32{int32(len(a.g.Tensors) - 1)}})
	return true
}

// graphAlterations change what the file computes.
func graphAlterations() []alteration {
	stepped := func(input, n int, share float32) func(*altering) bool {
		return func(a *altering) bool { return a.step(a.constant(input), n, share) }
	}
	return []alteration{
		{"one weight by one step or ulp", stepped(1, 1, 0)},
		{"one weight by one step down", stepped(1, -1, 0)},
		{"one weight by 30 steps", stepped(1, 30, 0.25)},
		{"one weight by a hundredth", stepped(1, 2, 0.01)},
		{"one bias by one", stepped(2, 1, 0)},
		{"one bias by ten", stepped(2, 10, 0.01)},
		{"one bias by a tenth", stepped(2, 300, 0.1)},
		{"a weight's scale", func(a *altering) bool {
			return a.quant(a.constant(1), func(q *model.Quantization) { q.Scale[a.r.IntN(len(q.Scale))] *= 1.01 })
		}},
		{"an activation's scale", func(a *altering) bool {
			return a.quant(a.activationTensor(), func(q *model.Quantization) { q.Scale[0] *= 1.01 })
		}},
		{"a scale by an ulp", func(a *altering) bool {
			return a.quant(a.activationTensor(), func(q *model.Quantization) { q.Scale[0] = math.Nextafter32(q.Scale[0], 1) })
		}},
		{"a zero point", func(a *altering) bool {
			return a.quant(a.activationTensor(), func(q *model.Quantization) { q.ZeroPoint[0]++ })
		}},
		{"an activation", func(a *altering) bool {
			return a.options(func(act *model.Activation, _ *[2]int32, _ *model.Padding) {
				if *act == model.ActNone {
					*act = model.ActRelu
				} else {
					*act = model.ActNone
				}
			})
		}},
		{"RELU for RELU6", func(a *altering) bool {
			return a.options(func(act *model.Activation, _ *[2]int32, _ *model.Padding) { *act = model.ActRelu6 })
		}},
		{"a dilation", func(a *altering) bool {
			return a.options(func(_ *model.Activation, d *[2]int32, _ *model.Padding) { d[a.r.IntN(2)]++ })
		}},
		{"a padding", func(a *altering) bool {
			return a.options(func(_ *model.Activation, _ *[2]int32, p *model.Padding) { *p = 1 - *p })
		}},
		{"channels swapped", (*altering).swapChannels},
		{"one phase: a block or its crop", func(a *altering) bool {
			return a.list(1+a.r.IntN(2), model.OpBatchToSpaceND, model.OpSpaceToBatchND)
		}},
		{"where a window begins", func(a *altering) bool { return a.list(1, model.OpGather) }},
		{"a border row", func(a *altering) bool {
			return a.list(1, model.OpPad, model.OpPadV2, model.OpSlice, model.OpStridedSlice)
		}},
		{"a branch with a trigger", (*altering).trigger},
		{"an operator added", func(a *altering) bool { return a.insert(model.OpRelu, nil) }},
		{"an operator that nothing needs", (*altering).idle},
		{"an operator removed", (*altering).bypass},
		{"another graph beside it", func(a *altering) bool {
			a.m.Subgraphs = append(a.m.Subgraphs, &model.Subgraph{Name: "more"})
			return true
		}},
		{"an output's shape", func(a *altering) bool {
			t := *a.g.Tensors[a.g.Outputs[0]]
			t.Shape = slices.Clone(t.Shape)
			t.Shape[1]++
			a.g.Tensors[a.g.Outputs[0]] = &t
			return true
		}},
		{"half precision allowed", func(a *altering) bool {
			a.m.Buffers = append(a.m.Buffers, &model.Buffer{Data: []byte("fp16")})
			a.m.Metadata = append(a.m.Metadata, &model.Metadata{Name: "reduced_precision_support", Buffer: uint32(len(a.m.Buffers) - 1)})
			return true
		}},
	}
}

// setInts overwrites an integer constant for this operator alone.
func setInts(m *model.Model, op *model.Operator, input int, change func(v []int)) {
	g := m.Subgraphs[0]
	t := *g.Tensors[op.Inputs[input]]
	v, _ := ints(m, &t)
	change(v)
	m.Buffers = append(m.Buffers, &model.Buffer{Data: int32Bytes(v...)})
	t.Buffer = uint32(len(m.Buffers) - 1)
	g.Tensors = append(g.Tensors, &t)
	op.Inputs[input] = int32(len(g.Tensors) - 1)
}
