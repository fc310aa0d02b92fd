package tflite

import (
	"fmt"
	"slices"

	"edged/model"
)

// survived are the operators whose graphs, whole and damaged, the library was
// run on without a crash once verify had passed them: those of TestMutants and
// of the suite.
var survived = func() map[model.BuiltinOperator]bool {
	all := map[model.BuiltinOperator]bool{
		model.OpQuantize: true, model.OpDequantize: true, model.OpCast: true, model.OpShape: true,
		model.OpArgMax: true, model.OpArgMin: true,
	}
	for op := range sameType {
		all[op] = true
	}
	return all
}()

// survivedTypes are the tensors that those graphs had.
var survivedTypes = []model.TensorType{
	model.TypeFloat32, model.TypeFloat16, model.TypeInt8, model.TypeUint8, model.TypeInt32, model.TypeInt64,
}

// Unproven says what in a file lies outside of what the library is known to
// survive, empty: nothing does, or Open refuses the file before the library
// sees it. A fault in C ends the process, or damages its memory without a word:
// such a file is to be tried in a process of its own first.
func Unproven(file []byte) string {
	m, err := model.ReadShared(file)
	if err != nil || check(m) != nil {
		return ""
	}
	if len(m.Subgraphs) > 1 {
		return fmt.Sprintf("%d graphs", len(m.Subgraphs))
	}
	sg := m.Subgraphs[0]
	for i, op := range sg.Operators {
		if !survived[m.Code(op).Builtin] {
			return operatorName(m, op, i)
		}
		if m.Code(op).Builtin == model.OpGather && len(op.Inputs) > 1 && m.Data(sg.Tensors[op.Inputs[1]]) == nil {
			return operatorName(m, op, i) + " with indices that it computes, which the library does not compare with what they index"
		}
	}
	for i, t := range sg.Tensors {
		switch {
		case t.IsVariable:
			return fmt.Sprintf("tensor %d, a state between runs", i)
		case t.Sparsity != nil:
			return fmt.Sprintf("tensor %d, stored sparse", i)
		case !slices.Contains(survivedTypes, t.Type):
			return fmt.Sprintf("tensor %d of %s", i, t.Type)
		}
	}
	return ""
}

// verifyState compares the state of an integer SVDF with what the kernel takes
// it for: it writes int16, whatever the tensor is, and beyond the end of int8.
func verifyState(sg *model.Subgraph, op *model.Operator) error {
	const state = 4
	if len(op.Inputs) <= state || op.Inputs[0] < 0 || op.Inputs[state] < 0 {
		return fmt.Errorf("%d inputs of at least %d", len(op.Inputs), state+1)
	}
	want := model.TypeFloat32
	if sg.Tensors[op.Inputs[0]].Type == model.TypeInt8 {
		want = model.TypeInt16
	}
	if got := sg.Tensors[op.Inputs[state]].Type; got != want {
		return fmt.Errorf("its state, tensor %d, is %s where TFLite %s writes %s, beyond its end: such files are for TFLite Micro; run it there, or convert the model with TensorFlow's own converter, whose state is %s",
			op.Inputs[state], got, version, want, want)
	}
	return nil
}
