package quantize

import (
	"fmt"
	"slices"

	"edged"
	"edged/model"
)

// withIO gives an int8 net the input and the outputs asked for: uint8 and float32
// stand behind a QUANTIZE in front and a QUANTIZE or DEQUANTIZE at the end, which
// the outside keeps the names of.
func withIO(m *model.Model, t edged.DType) error {
	if t == edged.Int8 {
		return nil
	}
	typ := map[edged.DType]model.TensorType{edged.Uint8: model.TypeUint8, edged.Float32: model.TypeFloat32}[t]
	if typ == 0 && t != edged.Float32 {
		return fmt.Errorf("quantize: input and outputs of %v: choose int8, uint8 or float32", t)
	}
	g := m.Subgraphs[0]
	outer := func(inner int32) int32 {
		in := g.Tensors[inner]
		o := *in
		o.Type = typ
		o.Quantization = nil
		if typ == model.TypeUint8 {
			o.Quantization = &model.Quantization{Scale: slices.Clone(in.Quantization.Scale), ZeroPoint: []int64{in.Quantization.ZeroPoint[0] + 128}}
		}
		in.Name += "/int8"
		g.Tensors = append(g.Tensors, &o)
		return int32(len(g.Tensors) - 1)
	}
	add := func(code model.BuiltinOperator, options any, from, to int32) *model.Operator {
		return &model.Operator{OpcodeIndex: m.CodeIndex(model.OperatorCode{Builtin: code, Version: 1}), Options: options, Inputs: []int32{from}, Outputs: []int32{to}}
	}
	x := g.Inputs[0]
	g.Inputs[0] = outer(x)
	g.Operators = append([]*model.Operator{add(model.OpQuantize, &model.QuantizeOptions{}, g.Inputs[0], x)}, g.Operators...)
	moved := map[int32]int32{x: g.Inputs[0]}
	for i, y := range g.Outputs {
		if g.Tensors[y].Type != model.TypeInt8 {
			continue // class ids
		}
		if to, ok := moved[y]; ok {
			g.Outputs[i] = to
			continue
		}
		g.Outputs[i] = outer(y)
		moved[y] = g.Outputs[i]
		if typ == model.TypeFloat32 {
			g.Operators = append(g.Operators, add(model.OpDequantize, &model.DequantizeOptions{}, y, g.Outputs[i]))
		} else {
			g.Operators = append(g.Operators, add(model.OpQuantize, &model.QuantizeOptions{}, y, g.Outputs[i]))
		}
	}
	for _, s := range m.SignatureDefs {
		for _, e := range append(slices.Clone(s.Inputs), s.Outputs...) {
			if to, ok := moved[int32(e.TensorIndex)]; ok {
				e.TensorIndex = uint32(to)
			}
		}
	}
	m.UpdateVersions()
	return m.Validate()
}
