package rewrite

import (
	"slices"

	"edged/model"
)

// batchRule says how an operator is copied when the first dimension of its
// inputs has become many rows; it returns why it cannot be.
type batchRule func(b *batched) string

// batched is an operator being copied: its inputs in the new graph, options
// that may be changed, and the compiled shapes.
type batched struct {
	*stacking
	op      *model.Operator
	code    model.BuiltinOperator
	in      []int32
	options any
}

func (b *batched) wasShape(i int) []int32 { return b.from.Tensors[b.op.Inputs[i]].Shape }

func (b *batched) outShape() []int32 { return b.from.Tensors[b.op.Outputs[0]].Shape }

// constInts reads input i as constant integers of the source.
func (b *batched) constInts(i int) ([]int, bool) {
	if i >= len(b.op.Inputs) || b.op.Inputs[i] < 0 {
		return nil, false
	}
	return ints(b.src, b.from.Tensors[b.op.Inputs[i]])
}

// copyOp copies one operator, or computes nothing where it is constant.
func (s *stacking) copyOp(index int, op *model.Operator) {
	code := s.src.Code(op)
	varies := slices.ContainsFunc(op.Inputs, func(t int32) bool { _, ok := s.done[t]; return ok })
	if !varies || code.Builtin == model.OpShape {
		return
	}
	refuse := func(why string) {
		panic(emitError{&Refusal{Op: (&net{m: s.src}).opName(op), Index: index, Reason: why, Instead: "--cut a tensor before it"}})
	}
	rule, ok := batchRules[code.Builtin]
	if !ok {
		refuse("is not known to treat its batch row by row")
	}
	b := &batched{stacking: s, op: op, code: code.Builtin, options: op.Options}
	for k, t := range op.Inputs {
		switch n, moved := s.done[t]; {
		case t < 0, structural(code.Builtin, k):
			b.in = append(b.in, -1)
		case moved:
			b.in = append(b.in, n)
		default:
			b.in = append(b.in, s.constant(arg{konst: t}))
		}
	}
	if rule != nil {
		if why := rule(b); why != "" {
			refuse(why)
		}
	}
	var outs []spec
	for _, t := range op.Outputs {
		src := s.from.Tensors[t]
		outs = append(outs, spec{src.Name, src.Type, src.Quantization})
	}
	oc := *code
	if b.code != code.Builtin {
		oc = builtin(b.code)
	}
	for i, t := range s.opN(oc, b.options, op, b.in, outs) {
		s.done[op.Outputs[i]] = t
	}
}

// asReshape replaces the operator by a RESHAPE that leaves the rows open.
func asReshape(b *batched) string {
	shape := b.outShape()
	if len(shape) == 0 {
		return "reshapes to a scalar"
	}
	to := []int{-1}
	for _, d := range shape[1:] {
		to = append(to, int(d))
	}
	o := &model.ReshapeOptions{}
	for _, d := range to {
		o.NewShape = append(o.NewShape, int32(d))
	}
	b.code, b.options = model.OpReshape, o
	b.in = []int32{b.in[0], b.list(to...)}
	return ""
}

// axisRule refuses an operator that works along dimension 0.
func axisRule(axisInput int) batchRule {
	return func(b *batched) string {
		axes, ok := b.constInts(axisInput)
		if !ok {
			return "its axis is not constant"
		}
		rank := len(b.wasShape(dataInput(b.code)))
		for _, a := range axes {
			if a == 0 || a == -rank {
				return "works along the batch axis"
			}
		}
		return ""
	}
}

func dataInput(code model.BuiltinOperator) int {
	if code == model.OpSplit {
		return 1
	}
	return 0
}

func batchLast(b *batched) string {
	if len(b.wasShape(0)) < 2 {
		return "works along the batch axis"
	}
	return ""
}

// batchBinary checks that two maps broadcast as they did.
func batchBinary(b *batched) string {
	rank := -1
	for i, t := range b.op.Inputs {
		if _, varies := b.done[t]; !varies {
			if s := b.wasShape(i); len(s) == len(b.outShape()) && len(s) > 0 && s[0] != 1 {
				return "has a constant that differs along the batch axis"
			}
			continue
		}
		if n := len(b.wasShape(i)); rank >= 0 && n != rank {
			return "joins tensors of different rank"
		} else {
			rank = n
		}
	}
	return ""
}

func batchConcat(b *batched) string {
	o, ok := b.options.(*model.ConcatenationOptions)
	if !ok || o.Axis == 0 || int(o.Axis) == -len(b.wasShape(0)) {
		return "works along the batch axis"
	}
	for _, t := range b.op.Inputs {
		if _, varies := b.done[t]; !varies {
			return "has a constant among its inputs"
		}
	}
	return ""
}

func batchTranspose(b *batched) string {
	if p, ok := b.constInts(1); !ok || p[0] != 0 {
		return "moves the batch axis"
	}
	return ""
}

func batchSlice(b *batched) string {
	begin, ok1 := b.constInts(1)
	size, ok2 := b.constInts(2)
	if !ok1 || !ok2 || begin[0] != 0 || size[0] != -1 && size[0] != int(b.wasShape(0)[0]) {
		return "slices the batch axis"
	}
	size[0] = -1
	b.in[2] = b.list(size...)
	return ""
}

func batchStridedSlice(b *batched) string {
	said, ok := b.options.(*model.StridedSliceOptions)
	if !ok {
		return "has no options"
	}
	o := *said
	begin, ok1 := b.constInts(1)
	end, ok2 := b.constInts(2)
	step, ok3 := b.constInts(3)
	if !ok1 || !ok2 || !ok3 || o.EllipsisMask != 0 || o.NewAxisMask != 0 || o.ShrinkAxisMask&1 != 0 {
		return "slices in a way that is not known"
	}
	n := int(b.wasShape(0)[0])
	if s := stridedSpan(n, begin[0], end[0], max(step[0], 1), o.BeginMask&1 != 0, o.EndMask&1 != 0, false); s != (span{0, n, 1}) {
		return "slices the batch axis"
	}
	o.BeginMask |= 1
	o.EndMask |= 1
	b.options = &o
	return ""
}

func batchPad(b *batched) string {
	if p, ok := b.constInts(1); !ok || p[0] != 0 || p[1] != 0 {
		return "pads the batch axis"
	}
	return ""
}

func batchResize(b *batched) string {
	s := b.outShape()
	b.in[1] = b.list(int(s[1]), int(s[2]))
	return ""
}

func batchTransposeConv(b *batched) string {
	s := b.outShape()
	b.in[0] = b.list(int(s[0])*b.rows(), int(s[1]), int(s[2]), int(s[3]))
	return ""
}

func batchGather(b *batched) string {
	o, ok := b.options.(*model.GatherOptions)
	_, varies := b.done[b.op.Inputs[1]]
	if !ok || varies || o.BatchDims != 0 || o.Axis == 0 || int(o.Axis) == -len(b.wasShape(0)) {
		return "gathers along the batch axis"
	}
	return ""
}

func batchMatMul(b *batched) string {
	for i := range b.op.Inputs {
		if _, varies := b.done[b.op.Inputs[i]]; varies && (len(b.wasShape(i)) < 3 || b.wasShape(i)[0] != 1) {
			return "multiplies along the batch axis"
		}
	}
	return ""
}

// batchRules lists the operators that treat their batch row by row; nil means
// that nothing needs to change.
var batchRules = map[model.BuiltinOperator]batchRule{
	model.OpConv2D: nil, model.OpDepthwiseConv2D: nil, model.OpMaxPool2D: nil, model.OpAveragePool2D: nil, model.OpL2Pool2D: nil,
	model.OpSpaceToDepth: nil, model.OpDepthToSpace: nil, model.OpFullyConnected: nil,
	model.OpPad: batchPad, model.OpPadV2: batchPad, model.OpMirrorPad: batchPad,
	model.OpSlice: batchSlice, model.OpStridedSlice: batchStridedSlice, model.OpConcatenation: batchConcat,
	model.OpSplit: axisRule(0), model.OpSplitV: axisRule(2), model.OpGather: batchGather, model.OpBatchMatMul: batchMatMul,
	model.OpReshape: asReshape, model.OpSqueeze: asReshape, model.OpExpandDims: asReshape, model.OpTranspose: batchTranspose,
	model.OpMean: axisRule(1), model.OpSum: axisRule(1), model.OpReduceMax: axisRule(1), model.OpReduceMin: axisRule(1), model.OpReduceProd: axisRule(1),
	model.OpArgMax: axisRule(1), model.OpArgMin: axisRule(1),
	model.OpResizeBilinear: batchResize, model.OpResizeNearestNeighbor: batchResize, model.OpTransposeConv: batchTransposeConv,
	model.OpAdd: batchBinary, model.OpSub: batchBinary, model.OpMul: batchBinary, model.OpDiv: batchBinary, model.OpMaximum: batchBinary,
	model.OpMinimum: batchBinary, model.OpSquaredDifference: batchBinary, model.OpPow: batchBinary, model.OpPrelu: batchBinary,
	model.OpSoftmax: batchLast, model.OpLogSoftmax: batchLast, model.OpL2Normalization: batchLast, model.OpLocalResponseNormalization: batchLast,
	model.OpRelu: nil, model.OpRelu6: nil, model.OpReluN1To1: nil, model.OpLeakyRelu: nil, model.OpElu: nil, model.OpHardSwish: nil, model.OpGelu: nil,
	model.OpLogistic: nil, model.OpTanh: nil, model.OpAbs: nil, model.OpNeg: nil, model.OpExp: nil, model.OpLog: nil, model.OpSqrt: nil, model.OpRsqrt: nil,
	model.OpSquare: nil, model.OpFloor: nil, model.OpCeil: nil, model.OpRound: nil, model.OpSin: nil, model.OpCos: nil,
	model.OpQuantize: nil, model.OpDequantize: nil, model.OpCast: nil,
}
