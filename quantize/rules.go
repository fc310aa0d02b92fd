package quantize

import (
	"fmt"
	"strings"

	"edged/model"
)

// rule says how an operator is quantised. The zero rule: inputs and outputs have
// scales of their own, constants among them too.
type rule struct {
	same    bool      // data inputs and outputs share one scale and zero point
	fixed   *affine   // what the runtimes demand of the output
	weights *weighted // it has weights
	ids     bool      // its output is no real number: it stays as it is
}

// weighted says where an operator's weights and bias are.
type weighted struct {
	data, filter, bias int  // inputs
	axis               int  // of the output channels
	whole              bool // one scale for all channels: TFLite 2.9 knows no other here
}

// The scales that TFLite's kernels demand of these outputs.
var (
	share   = affine{1.0 / 256, -128} // 0 to 1
	shares  = affine{1.0 / 128, 0}    // -1 to 1
	logs    = affine{16.0 / 256, 127} // -16 to 0
	oneSame = rule{same: true}
)

// rules are the operators of which TFLite 2.9 and the Go engine both have an int8
// form.
var rules = map[model.BuiltinOperator]rule{
	model.OpConv2D:          {weights: &weighted{data: 0, filter: 1, bias: 2, axis: 0}},
	model.OpDepthwiseConv2D: {weights: &weighted{data: 0, filter: 1, bias: 2, axis: 3}},
	model.OpFullyConnected:  {weights: &weighted{data: 0, filter: 1, bias: 2, axis: 0, whole: true}},
	model.OpTransposeConv:   {weights: &weighted{data: 2, filter: 1, bias: 3, axis: 0}},

	model.OpLogistic: {fixed: &share}, model.OpSoftmax: {fixed: &share}, model.OpTanh: {fixed: &shares},
	model.OpLogSoftmax: {fixed: &logs}, model.OpL2Normalization: {fixed: &shares},

	model.OpMaxPool2D: oneSame, model.OpAveragePool2D: oneSame, model.OpReshape: oneSame, model.OpSqueeze: oneSame, model.OpExpandDims: oneSame,
	model.OpResizeBilinear: oneSame, model.OpResizeNearestNeighbor: oneSame, model.OpSpaceToBatchND: oneSame, model.OpBatchToSpaceND: oneSame,
	model.OpSpaceToDepth: oneSame, model.OpDepthToSpace: oneSame, model.OpPad: oneSame, model.OpPadV2: oneSame, model.OpMirrorPad: oneSame,
	model.OpGather: oneSame, model.OpGatherND: oneSame, model.OpTranspose: oneSame, model.OpSlice: oneSame, model.OpStridedSlice: oneSame,
	model.OpSplit: oneSame, model.OpSplitV: oneSame, model.OpConcatenation: oneSame, model.OpMaximum: oneSame, model.OpMinimum: oneSame,
	model.OpReduceMax: oneSame, model.OpReduceMin: oneSame, model.OpTile: oneSame, model.OpPack: oneSame, model.OpUnpack: oneSame,
	model.OpReverseV2: oneSame, model.OpBroadcastTo: oneSame, model.OpSelect: oneSame, model.OpSelectV2: oneSame,
	// A mean over a map becomes an average pool when a patch classifier is made
	// dense, which knows one scale only.
	model.OpMean: oneSame,

	model.OpAdd: {}, model.OpSub: {}, model.OpMul: {}, model.OpRelu: {}, model.OpRelu6: {}, model.OpReluN1To1: {}, model.OpPrelu: {},
	model.OpLeakyRelu: {}, model.OpHardSwish: {}, model.OpElu: {}, model.OpGelu: {}, model.OpSum: {}, model.OpSquaredDifference: {},
	model.OpBatchMatMul: {}, model.OpAbs: {},

	model.OpArgMax: {ids: true}, model.OpArgMin: {ids: true}, model.OpShape: {ids: true},
}

// quantising are operators that float nets do not have.
var quantising = map[model.BuiltinOperator]bool{model.OpQuantize: true, model.OpDequantize: true}

// Refusal names all that keeps a net from being quantised.
type Refusal struct{ Problems []string }

func (r *Refusal) Error() string {
	return "quantize: this net cannot become int8: " + strings.Join(r.Problems, "; ")
}

func refusef(format string, args ...any) *Refusal {
	return &Refusal{[]string{fmt.Sprintf(format, args...)}}
}

// ruleOf is op's rule, and whether there is one. An operator that touches no float
// tensor needs none.
func ruleOf(m *model.Model, g *model.Subgraph, op *model.Operator) (rule, bool) {
	r, ok := rules[m.Code(op).Builtin]
	if ok {
		return r, true
	}
	for _, t := range op.Inputs {
		if isFloat(g, t) {
			return rule{}, false
		}
	}
	for _, t := range op.Outputs {
		if isFloat(g, t) {
			return rule{}, false
		}
	}
	return rule{ids: true}, true
}

func isFloat(g *model.Subgraph, t int32) bool {
	return t >= 0 && g.Tensors[t].Type == model.TypeFloat32
}

// called names an operator for people.
func called(m *model.Model, g *model.Subgraph, i int) string {
	op := g.Operators[i]
	name := m.Code(op).Name()
	if len(op.Outputs) > 0 {
		return fmt.Sprintf("%s (operator %d, %q)", name, i, g.Tensors[op.Outputs[0]].Name)
	}
	return fmt.Sprintf("%s (operator %d)", name, i)
}

// check lists what has no rule.
func check(m *model.Model) error {
	g := m.Subgraphs[0]
	var problems []string
	for i, op := range g.Operators {
		r, ok := ruleOf(m, g, op)
		switch {
		case !ok && quantising[m.Code(op).Builtin]:
			problems = append(problems, called(m, g, i)+" is there because the net is quantised already, in part at least: give the float32 net")
		case !ok && m.Code(op).Builtin == model.OpDensify:
			problems = append(problems, called(m, g, i)+" unfolds sparse weights: export the net with dense ones")
		case !ok:
			problems = append(problems, called(m, g, i)+" has no int8 form that TensorFlow Lite 2.9 and the Go engine share")
		case r.weights != nil:
			if why := r.weights.fault(m, g, op); why != "" {
				problems = append(problems, called(m, g, i)+" "+why)
			}
		}
		if o, ok := op.Options.(*model.ConcatenationOptions); ok && o.Activation != model.ActNone {
			problems = append(problems, called(m, g, i)+" has a fused activation, which joins of int8 do not know")
		}
	}
	if len(problems) > 0 {
		problems[len(problems)-1] += ". End the net before it (edged rewrite --cut TENSOR), or keep it float32"
		return &Refusal{problems}
	}
	return nil
}

// fault tells why an operator's weights cannot be quantised, empty where they can.
func (w *weighted) fault(m *model.Model, g *model.Subgraph, op *model.Operator) string {
	if len(op.Inputs) <= w.filter || len(op.Inputs) <= w.data || op.Inputs[w.filter] < 0 || op.Inputs[w.data] < 0 {
		return "has no weights"
	}
	f := g.Tensors[op.Inputs[w.filter]]
	switch {
	case f.Type != model.TypeFloat32:
		return fmt.Sprintf("has %s weights already: quantise the float32 net", f.Type)
	case f.Sparsity != nil:
		return "has sparse weights: export the net with dense ones"
	case m.Data(f) == nil:
		return "computes its weights while it runs"
	case !w.whole && len(f.Shape) != 4:
		return fmt.Sprintf("has weights of shape %v", f.Shape)
	}
	if b := w.biasOf(op); b >= 0 && (m.Data(g.Tensors[b]) == nil || g.Tensors[b].Type != model.TypeFloat32) {
		return "computes its bias while it runs"
	}
	return ""
}

// biasOf is the tensor of the bias, -1 where there is none.
func (w *weighted) biasOf(op *model.Operator) int32 {
	if len(op.Inputs) <= w.bias {
		return -1
	}
	return op.Inputs[w.bias]
}

// channels are how the weights belong to output channels.
func (w *weighted) channels(f *model.Tensor) channels {
	if w.whole {
		return channels{n: 1}
	}
	return channels{n: int(f.Shape[w.axis]), last: w.axis == 3}
}
