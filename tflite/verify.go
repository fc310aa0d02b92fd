package tflite

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"

	"edged/model"
)

// verify refuses graphs that are well formed as files and that TFLite's C code
// does not check before it divides, aborts or writes: each rule stands for
// crashes that TestMutants met.
func verify(m *model.Model) error {
	for s, sg := range m.Subgraphs {
		if err := verifyOrder(m, sg); err != nil {
			return fmt.Errorf("%s%w", place(m, s), err)
		}
		for i, t := range sg.Tensors {
			if err := verifyTensor(t); err != nil {
				return fmt.Errorf("%stensor %d (%q, %s): %w", place(m, s), i, t.Name, t.Type, err)
			}
		}
		for i, op := range sg.Operators {
			if err := verifyOperator(m, sg, op); err != nil {
				return fmt.Errorf("%s%s: %w", place(m, s), operatorName(m, op, i), err)
			}
		}
	}
	return nil
}

// verifyOrder demands that every tensor is written once, before it is read.
func verifyOrder(m *model.Model, sg *model.Subgraph) error {
	const unwritten, constant, written = 0, 1, 2
	state := make([]int, len(sg.Tensors))
	for i, t := range sg.Tensors {
		if m.Data(t) != nil || t.IsVariable {
			state[i] = constant
		}
	}
	for _, x := range sg.Inputs {
		if state[x] != unwritten {
			return fmt.Errorf("input tensor %d is constant or listed twice", x)
		}
		state[x] = written
	}
	for i, op := range sg.Operators {
		for _, x := range op.Inputs {
			if x >= 0 && state[x] == unwritten && elements(sg.Tensors[x]) != 0 {
				return fmt.Errorf("%s reads tensor %d before anything writes it", operatorName(m, op, i), x)
			}
		}
		for _, y := range op.Outputs {
			if y < 0 {
				return fmt.Errorf("%s leaves an output out", operatorName(m, op, i))
			}
			if state[y] != unwritten {
				return fmt.Errorf("%s writes tensor %d, which is constant, an input, or written already", operatorName(m, op, i), y)
			}
			state[y] = written
		}
	}
	for _, y := range sg.Outputs {
		if state[y] == unwritten {
			return fmt.Errorf("nothing writes output tensor %d", y)
		}
	}
	return nil
}

func elements(t *model.Tensor) int64 {
	n, err := model.Elements(t.Shape)
	if err != nil {
		return -1
	}
	return n
}

func verifyTensor(t *model.Tensor) error {
	if t.Sparsity != nil {
		if err := verifySparsity(t); err != nil {
			return err
		}
	}
	if t.Quantization == nil {
		return nil
	}
	if how := t.Blocks(); how != "" {
		return missing("%s, which TFLite %s does not read", how, version)
	}
	for _, s := range t.Quantization.Scale {
		if !(s >= 0) || math.IsInf(float64(s), 0) {
			return fmt.Errorf("scale %g is no finite positive number", s)
		}
	}
	low, high := int64(math.MinInt32), int64(math.MaxInt32)
	switch t.Type {
	case model.TypeInt8:
		low, high = -128, 127
	case model.TypeUint8:
		low, high = 0, 255
	}
	for _, z := range t.Quantization.ZeroPoint {
		if z < low || z > high {
			return fmt.Errorf("zero point %d is outside %d to %d", z, low, high)
		}
	}
	return nil
}

// maxWindow bounds strides, dilations and window edges, whose products TFLite
// and XNNPACK compute in 32 bits.
const maxWindow = 4096

func verifyOperator(m *model.Model, sg *model.Subgraph, op *model.Operator) error {
	if o, unknown := op.Options.(*model.UnknownOptions); unknown {
		return missing("options of kind %d, which TFLite %s does not read", o.Kind, version)
	}
	if err := verifyOptions(op.Options); err != nil {
		return err
	}
	if err := verifyInputs(m, op); err != nil {
		return err
	}
	if err := verifyTypes(m, sg, op); err != nil {
		return err
	}
	if err := verifyScales(m, sg, op); err != nil {
		return err
	}
	code := m.Code(op).Builtin
	if arithmetic[code] {
		return verifyArithmetic(m, sg, op)
	}
	switch code {
	case model.OpPrelu:
		return verifyBroadcast(sg, op)
	case model.OpSVDF:
		return verifyState(sg, op)
	case model.OpTransposeConv:
		return verifyTransposeConv(m, sg, op)
	case model.OpStridedSlice:
		return verifyStrides(m, sg, op)
	case model.OpGather:
		return verifyGather(m, sg, op)
	case model.OpConv2D, model.OpDepthwiseConv2D:
		return verifyBias(sg, op)
	}
	return nil
}

func verifyOptions(options any) error {
	if options == nil {
		return nil
	}
	v := reflect.ValueOf(options).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		switch f := v.Field(i).Interface().(type) {
		case model.Activation:
			if f < model.ActNone || f > model.ActSignBit {
				return fmt.Errorf("%s: there is no such function", f)
			}
		case model.Padding:
			if f != model.PaddingSame && f != model.PaddingValid {
				return fmt.Errorf("%s: there is no such padding", f)
			}
		case float32:
			if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
				return fmt.Errorf("%s is %g: it must be finite", name, f)
			}
		case int32:
			if slices.Contains(windowFields, name) && (f < 1 || f > maxWindow) {
				return fmt.Errorf("%s is %d: it must be from 1 to %d", name, f, maxWindow)
			}
		}
	}
	return nil
}

var windowFields = []string{"StrideW", "StrideH", "StrideD", "DilationW", "DilationH", "DilationD", "FilterWidth", "FilterHeight", "BlockSize"}

// verifyTransposeConv compares the output size that the file states with the
// sizes that a convolution maps to the input's: other ones are written out of bounds.
func verifyTransposeConv(m *model.Model, sg *model.Subgraph, op *model.Operator) error {
	o, ok := op.Options.(*model.TransposeConvOptions)
	if !ok {
		return errors.New("no options: the strides are unknown")
	}
	if len(op.Inputs) < 3 || op.Inputs[0] < 0 || op.Inputs[1] < 0 || op.Inputs[2] < 0 {
		return fmt.Errorf("%d inputs of at least 3", len(op.Inputs))
	}
	data := m.Data(sg.Tensors[op.Inputs[0]])
	w, x := sg.Tensors[op.Inputs[1]].Shape, sg.Tensors[op.Inputs[2]].Shape
	if data == nil || len(w) != 4 || len(x) != 4 {
		return nil
	}
	size, err := model.Ints(sg.Tensors[op.Inputs[0]].Type, data)
	if err != nil || len(size) != 4 {
		return errors.New("the output size is not four numbers")
	}
	for axis, stride := range map[int]int32{1: o.StrideH, 2: o.StrideW} {
		if back := model.OutSize(o.Padding, size[axis], int64(w[axis]), int64(stride), 1); back != int64(x[axis]) {
			return fmt.Errorf("an output of %d on axis %d does not belong to an input of %d", size[axis], axis, x[axis])
		}
	}
	return nil
}
