package tflite

import (
	"errors"
	"fmt"
	"slices"

	"edged/model"
)

// recurrent are the operators with optional inputs in any place.
var recurrent = map[model.BuiltinOperator]bool{
	model.OpLSTM: true, model.OpRNN: true, model.OpSVDF: true, model.OpUnidirectionalSequenceLSTM: true,
	model.OpUnidirectionalSequenceRNN: true, model.OpBidirectionalSequenceLSTM: true, model.OpBidirectionalSequenceRNN: true,
	model.OpCustom: true,
}

// verifyInputs refuses inputs left out where TFLite reads them.
func verifyInputs(m *model.Model, op *model.Operator) error {
	code := m.Code(op).Builtin
	for i, x := range op.Inputs {
		if x < 0 && !recurrent[code] && !(weighted[code] && i >= 2) {
			return fmt.Errorf("input %d is left out", i)
		}
	}
	return nil
}

// arithmetic are the operators that broadcast.
var arithmetic = map[model.BuiltinOperator]bool{
	model.OpAdd: true, model.OpSub: true, model.OpMul: true, model.OpDiv: true, model.OpMaximum: true, model.OpMinimum: true,
	model.OpSquaredDifference: true,
}

// maxBroadcast is the rank that every kernel of arithmetic broadcasts.
const maxBroadcast = 4

func verifyArithmetic(m *model.Model, sg *model.Subgraph, op *model.Operator) error {
	if len(op.Inputs) != 2 || len(op.Outputs) != 1 {
		return fmt.Errorf("%d inputs and %d outputs, want 2 and 1", len(op.Inputs), len(op.Outputs))
	}
	a, b, y := sg.Tensors[op.Inputs[0]], sg.Tensors[op.Inputs[1]], sg.Tensors[op.Outputs[0]]
	if a.Type != b.Type {
		return fmt.Errorf("operands of %s and %s", a.Type, b.Type)
	}
	if err := verifyBroadcast(sg, op); err != nil {
		return err
	}
	code := m.Code(op).Builtin
	if code == model.OpDiv && a.Type == model.TypeInt32 {
		return verifyDivisor(m, b)
	}
	if a.Type == model.TypeInt8 || a.Type == model.TypeUint8 {
		return verifyMultiplier(code, a, b, y)
	}
	return nil
}

func verifyBroadcast(sg *model.Subgraph, op *model.Operator) error {
	if len(op.Inputs) != 2 {
		return fmt.Errorf("%d inputs, want 2", len(op.Inputs))
	}
	a, b := sg.Tensors[op.Inputs[0]].Shape, sg.Tensors[op.Inputs[1]].Shape
	if !slices.Equal(a, b) && max(len(a), len(b)) > maxBroadcast {
		return fmt.Errorf("broadcasts %v and %v: TFLite %s broadcasts up to rank %d", a, b, version, maxBroadcast)
	}
	return nil
}

// verifyMultiplier demands that the result's scale is not so small beside the
// operands' that TFLite's fixed-point multiplier, with the bits that each
// kernel spares, reaches one: it would abort.
func verifyMultiplier(code model.BuiltinOperator, a, b, y *model.Tensor) error {
	twice, out := 2*float64(max(a.Quantization.Scale[0], b.Quantization.Scale[0])), float64(y.Quantization.Scale[0])
	ok := true
	switch code {
	case model.OpAdd, model.OpSub:
		ok = twice < out*(1<<20)
	case model.OpSquaredDifference:
		ok = twice*twice < out*(1<<14)
	}
	if !ok {
		return fmt.Errorf("scale %g of the result is too small beside %g of an operand", out, twice/2)
	}
	return nil
}

// verifyStrides bounds STRIDED_SLICE's constant strides, which TFLite adds up
// in 32 bits.
func verifyStrides(m *model.Model, sg *model.Subgraph, op *model.Operator) error {
	if len(op.Inputs) != 4 {
		return fmt.Errorf("%d inputs, want 4", len(op.Inputs))
	}
	t := sg.Tensors[op.Inputs[3]]
	v, err := model.Ints(t.Type, m.Data(t))
	if err != nil {
		return err
	}
	for _, s := range v {
		if s == 0 || s > maxWindow || s < -maxWindow {
			return fmt.Errorf("a stride of %d", s)
		}
	}
	return nil
}

// verifyDivisor refuses integer divisions whose divisor may be zero: the
// processor traps.
func verifyDivisor(m *model.Model, t *model.Tensor) error {
	d := m.Data(t)
	if d == nil {
		return errors.New("an integer division by a tensor that may hold zeros")
	}
	v, err := model.Ints(t.Type, d)
	if err == nil && slices.Contains(v, 0) {
		return errors.New("an integer division by zero")
	}
	return err
}

// verifyGather compares constant indices with the axis they index.
func verifyGather(m *model.Model, sg *model.Subgraph, op *model.Operator) error {
	if len(op.Inputs) != 2 {
		return fmt.Errorf("%d inputs, want 2", len(op.Inputs))
	}
	x, at := sg.Tensors[op.Inputs[0]], sg.Tensors[op.Inputs[1]]
	axis := 0 // TFLite's default where the options are missing
	if o, ok := op.Options.(*model.GatherOptions); ok {
		axis = int(o.Axis)
	}
	if axis < 0 {
		axis += len(x.Shape)
	}
	d := m.Data(at)
	if axis < 0 || axis >= len(x.Shape) || d == nil {
		return nil // inference says the rest
	}
	v, err := model.Ints(at.Type, d)
	if err != nil {
		return err
	}
	for _, i := range v {
		if i < 0 || i >= int64(x.Shape[axis]) {
			return fmt.Errorf("index %d is outside axis %d of %v", i, axis, x.Shape)
		}
	}
	return nil
}

// verifySparsity checks that a sparse tensor's index arrays stay inside its
// shape: DENSIFY writes where they say. Blocks are within the levels' sizes.
func verifySparsity(t *model.Tensor) error {
	s := t.Sparsity
	if len(s.DimMetadata) != len(s.TraversalOrder) || len(s.TraversalOrder) != len(t.Shape)+len(s.BlockMap) {
		return fmt.Errorf("sparse tensor %q: %d levels, %d in order, for %v and %d blocks", t.Name, len(s.DimMetadata), len(s.TraversalOrder), t.Shape, len(s.BlockMap))
	}
	size, err := levelSizes(t)
	if err != nil {
		return err
	}
	nodes := 1 // of the level above
	for i, d := range s.DimMetadata {
		dim := int(s.TraversalOrder[i])
		if d.Format == model.DimensionDense {
			if int(d.DenseSize) != size[dim] {
				return fmt.Errorf("sparse tensor %q: level %d has %d entries, the shape %d", t.Name, i, d.DenseSize, size[dim])
			}
			nodes *= size[dim]
			continue
		}
		segments, indices := indexValues(d.ArraySegments), indexValues(d.ArrayIndices)
		if len(segments) != nodes+1 || !slices.IsSorted(segments) || segments[0] != 0 || segments[nodes] != len(indices) {
			return fmt.Errorf("sparse tensor %q: level %d: its segments do not cover its %d indices", t.Name, i, len(indices))
		}
		for _, x := range indices {
			if x < 0 || x >= size[dim] {
				return fmt.Errorf("sparse tensor %q: level %d: index %d is outside %d", t.Name, i, x, size[dim])
			}
		}
		nodes = len(indices)
	}
	return nil
}

// levelSizes is how many entries each dimension has, blocks behind the shape.
func levelSizes(t *model.Tensor) ([]int, error) {
	s := t.Sparsity
	size := make([]int, len(s.TraversalOrder))
	for i, d := range t.Shape {
		size[i] = int(d)
	}
	seen := make([]bool, len(size))
	for i, dim := range s.TraversalOrder {
		if dim < 0 || int(dim) >= len(size) || seen[dim] {
			return nil, fmt.Errorf("sparse tensor %q: traversal order %v", t.Name, s.TraversalOrder)
		}
		seen[dim] = true
		block := int(dim) - len(t.Shape)
		if block < 0 {
			continue
		}
		of := s.BlockMap[block]
		n := int(s.DimMetadata[i].DenseSize)
		if of < 0 || int(of) >= len(t.Shape) || n < 1 || size[of]%n != 0 {
			return nil, fmt.Errorf("sparse tensor %q: blocks of %d on dimension %d", t.Name, n, of)
		}
		size[dim], size[of] = n, size[of]/n
	}
	return size, nil
}

func indexValues(array any) (out []int) {
	switch a := array.(type) {
	case *model.Int32Vector:
		for _, v := range a.Values {
			out = append(out, int(v))
		}
	case *model.Uint16Vector:
		for _, v := range a.Values {
			out = append(out, int(v))
		}
	case *model.Uint8Vector:
		for _, v := range a.Values {
			out = append(out, int(v))
		}
	}
	return out
}
