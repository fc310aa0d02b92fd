package quantize

import (
	"encoding/binary"
	"fmt"
	"strings"

	"edged/model"
)

// plain is a private copy of m whose constants are all float32: float16 weights
// behind DEQUANTIZE are widened. It refuses what is no float net of one picture.
func plain(m *model.Model) (*model.Model, error) {
	if len(m.Subgraphs) != 1 {
		return nil, refusef("it has %d graphs, one is known here", len(m.Subgraphs))
	}
	if err := m.CheckNumbers(); err != nil {
		return nil, err
	}
	if err := m.Rewritable(); err != nil {
		return nil, &Refusal{[]string{strings.TrimPrefix(err.Error(), "model: ")}}
	}
	c := m.Clone()
	g := c.Subgraphs[0]
	if err := widen(c, g); err != nil {
		return nil, err
	}
	if len(g.Inputs) != 1 {
		return nil, refusef("it has %d inputs, one picture is shown to it here", len(g.Inputs))
	}
	in := g.Tensors[g.Inputs[0]]
	if in.Type == model.TypeInt8 || in.Type == model.TypeUint8 || in.Type == model.TypeInt16 {
		return nil, refusef("its input %q is %s: it is quantised already; give the float32 net", in.Name, in.Type)
	}
	if in.Type != model.TypeFloat32 {
		return nil, refusef("its input %q is %s, not float32", in.Name, in.Type)
	}
	if s := c.OpenSize(); s != "" {
		return nil, refusef("its input's size is open (%s): give it one first with edged rewrite --input HxW", s)
	}
	for _, t := range g.Tensors {
		if t.IsVariable {
			return nil, refusef("tensor %q keeps a state between frames", t.Name)
		}
	}
	if err := c.InferKnown(0); err != nil {
		return nil, fmt.Errorf("quantize: %w", err)
	}
	return c, nil
}

// widen replaces each DEQUANTIZE of float16 constants by float32 constants.
func widen(m *model.Model, g *model.Subgraph) error {
	var keep []*model.Operator
	for _, op := range g.Operators {
		if m.Code(op).Builtin != model.OpDequantize || len(op.Inputs) != 1 || op.Inputs[0] < 0 {
			keep = append(keep, op)
			continue
		}
		from, to := g.Tensors[op.Inputs[0]], g.Tensors[op.Outputs[0]]
		data := m.Data(from)
		if from.Type != model.TypeFloat16 || data == nil || from.Sparsity != nil {
			keep = append(keep, op)
			continue
		}
		v, err := model.Floats(from.Type, data)
		if err != nil {
			return err
		}
		to.Shape, to.Buffer = from.Shape, addBuffer(m, floatBytes(v))
	}
	g.Operators = keep
	return nil
}

func addBuffer(m *model.Model, data []byte) uint32 {
	m.Buffers = append(m.Buffers, &model.Buffer{Data: data})
	return uint32(len(m.Buffers) - 1)
}

func floatBytes(v []float32) []byte {
	b, err := binary.Append(nil, binary.LittleEndian, v)
	if err != nil {
		panic(fmt.Sprintf("BUG: floats: %v", err))
	}
	return b
}

// compact drops the tensors and buffers that nothing reads any more.
func compact(m *model.Model) {
	g := m.Subgraphs[0]
	used := make([]bool, len(g.Tensors))
	mark := func(list []int32) {
		for _, t := range list {
			if t >= 0 {
				used[t] = true
			}
		}
	}
	mark(g.Inputs)
	mark(g.Outputs)
	for _, op := range g.Operators {
		mark(op.Inputs)
		mark(op.Outputs)
		mark(op.Intermediates)
	}
	to := make([]int32, len(g.Tensors))
	var tensors []*model.Tensor
	for i, t := range g.Tensors {
		if used[i] {
			to[i] = int32(len(tensors))
			tensors = append(tensors, t)
		}
	}
	renumber := func(list []int32) {
		for i, t := range list {
			if t >= 0 {
				list[i] = to[t]
			}
		}
	}
	renumber(g.Inputs)
	renumber(g.Outputs)
	for _, op := range g.Operators {
		renumber(op.Inputs)
		renumber(op.Outputs)
		renumber(op.Intermediates)
	}
	for _, s := range m.SignatureDefs {
		for _, t := range append(append([]*model.TensorMap{}, s.Inputs...), s.Outputs...) {
			t.TensorIndex = uint32(to[t.TensorIndex])
		}
	}
	g.Tensors = tensors
	compactBuffers(m)
	compactCodes(m)
}

func compactBuffers(m *model.Model) {
	to := map[uint32]uint32{0: 0}
	buffers := []*model.Buffer{{}}
	keep := func(id uint32) uint32 {
		if int(id) >= len(m.Buffers) {
			return 0
		}
		if _, ok := to[id]; !ok {
			to[id] = uint32(len(buffers))
			buffers = append(buffers, m.Buffers[id])
		}
		return to[id]
	}
	for _, t := range m.Subgraphs[0].Tensors {
		t.Buffer = keep(t.Buffer)
	}
	for i, id := range m.MetadataBuffer {
		m.MetadataBuffer[i] = int32(keep(uint32(id)))
	}
	for _, e := range m.Metadata {
		e.Buffer = keep(e.Buffer)
	}
	m.Buffers = buffers
}

func compactCodes(m *model.Model) {
	to := map[uint32]uint32{}
	var codes []*model.OperatorCode
	for _, op := range m.Subgraphs[0].Operators {
		if _, ok := to[op.OpcodeIndex]; !ok {
			to[op.OpcodeIndex] = uint32(len(codes))
			codes = append(codes, m.OperatorCodes[op.OpcodeIndex])
		}
		op.OpcodeIndex = to[op.OpcodeIndex]
	}
	m.OperatorCodes = codes
}
