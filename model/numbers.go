package model

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// CheckNumbers looks for constants that make every result one that is not a
// number, or hide that it is none: a NaN in any constant that an operator
// reads, and an infinity in the weights or the bias of a layer. Such a net may
// well give class ids: an activation turns NaN into a number, and a maximum
// passes over it. The error names the tensor and the place.
func (m *Model) CheckNumbers() error {
	for _, g := range m.Subgraphs {
		made := g.producers()
		for _, op := range g.Operators {
			for k, t := range op.Inputs {
				if t < 0 {
					continue
				}
				if p := made[t]; p != nil && m.Code(p).Builtin == OpDequantize && len(p.Inputs) == 1 {
					t = p.Inputs[0] // float16 weights
				}
				weights := slices.Contains(weightInputs[m.Code(op).Builtin], k)
				if err := m.checkConstant(g, t, weights); err != nil {
					return fmt.Errorf("%w, read by %v: the file is damaged, or training diverged", err, m.Code(op).Builtin)
				}
			}
		}
	}
	return nil
}

// weightInputs are the inputs of a layer that hold weights and bias.
var weightInputs = map[BuiltinOperator][]int{
	OpConv2D: {1, 2}, OpDepthwiseConv2D: {1, 2}, OpFullyConnected: {1, 2}, OpTransposeConv: {1, 3}, OpConv3D: {1, 2},
}

func (m *Model) checkConstant(g *Subgraph, t int32, infinite bool) error {
	data := m.Data(g.Tensors[t])
	at := func(i int, what string) error {
		return fmt.Errorf("model: not a number: constant %s holds %s at element %d", g.TensorName(t), what, i)
	}
	switch g.Tensors[t].Type {
	case TypeFloat32:
		for i := 0; i+4 <= len(data); i += 4 {
			if w := binary.LittleEndian.Uint32(data[i:]) &^ (1 << 31); w > 0x7f800000 {
				return at(i/4, "NaN")
			} else if infinite && w == 0x7f800000 {
				return at(i/4, "an infinity")
			}
		}
	case TypeFloat16:
		for i := 0; i+2 <= len(data); i += 2 {
			if w := binary.LittleEndian.Uint16(data[i:]) &^ (1 << 15); w > 0x7c00 {
				return at(i/2, "NaN")
			} else if infinite && w == 0x7c00 {
				return at(i/2, "an infinity")
			}
		}
	}
	return nil
}

// producers are the operators that write each tensor, nil where none does.
func (g *Subgraph) producers() []*Operator {
	made := make([]*Operator, len(g.Tensors))
	for _, op := range g.Operators {
		for _, t := range op.Outputs {
			made[t] = op
		}
	}
	return made
}

// Lossy lists the computed float tensors of the main graph that an operator
// turns into whole numbers (ARG_MAX, QUANTIZE, CAST, a comparison ...): beyond
// it nothing tells that a value was not a number. A tensor that DEQUANTIZE made
// of whole numbers always holds numbers, and the graph's own outputs are seen.
func (m *Model) Lossy() []int32 {
	g := m.Subgraphs[0]
	made := g.producers()
	var list []int32
	for _, op := range g.Operators {
		if code := m.Code(op).Builtin; code == OpShape || code == OpRank || len(op.Outputs) == 0 || isFloat(g.Tensors[op.Outputs[0]].Type) {
			continue
		}
		for _, t := range op.Inputs {
			if t < 0 || !isFloat(g.Tensors[t].Type) || made[t] == nil || slices.Contains(list, t) || slices.Contains(g.Outputs, t) {
				continue
			}
			if p := made[t]; m.Code(p).Builtin == OpDequantize && !isFloat(g.Tensors[p.Inputs[0]].Type) {
				continue
			}
			list = append(list, t)
		}
	}
	return list
}

func isFloat(t TensorType) bool { return t == TypeFloat32 || t == TypeFloat16 || t == TypeFloat64 }

// WithOutputs is the model with further tensors of the main graph behind its
// own outputs. It shares all data with m.
func (m *Model) WithOutputs(more ...int32) *Model {
	c, g := *m, *m.Subgraphs[0]
	g.Outputs = append(slices.Clone(g.Outputs), more...)
	c.Subgraphs = append([]*Subgraph{&g}, m.Subgraphs[1:]...)
	return &c
}
