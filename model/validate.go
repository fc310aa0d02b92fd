package model

import (
	"fmt"
	"math"
	"slices"
)

// Validate checks what the types cannot say: that every index leads somewhere,
// and that constant data are as long as their tensor's shape asks for. Read
// and Write call it, so whoever holds a model that was read may index freely.
// The error is a *MalformedError, or an *UnsupportedError for a tensor of more
// dimensions than any runtime has.
func (m *Model) Validate() error {
	for i, id := range m.MetadataBuffer {
		if id < 0 || int(id) >= len(m.Buffers) {
			return under("metadataBuffer", underIndex(i, malformed("no buffer %d of %d", id, len(m.Buffers))))
		}
	}
	for i, e := range m.Metadata {
		if err := m.checkBuffer(e.Buffer); err != nil {
			return under("metadata", underIndex(i, err))
		}
	}
	for i, g := range m.Subgraphs {
		if err := m.checkSubgraph(g); err != nil {
			return under("subgraphs", underIndex(i, err))
		}
	}
	for i, s := range m.SignatureDefs {
		if err := m.checkSignature(s); err != nil {
			return under("signatureDefs", underIndex(i, err))
		}
	}
	return nil
}

func (m *Model) checkBuffer(i uint32) error {
	// Buffer 0 means "none", and small writers leave the list out altogether.
	if i != 0 && uint64(i) >= uint64(len(m.Buffers)) {
		return malformed("no buffer %d of %d", i, len(m.Buffers))
	}
	return nil
}

func (m *Model) checkSubgraph(g *Subgraph) error {
	for i, t := range g.Tensors {
		if err := m.checkTensor(t); err != nil {
			return under("tensors", underIndex(i, err))
		}
		if t.Quantization == nil {
			continue
		}
		if err := g.checkDetails(t.Quantization.Details); err != nil {
			return under("tensors", underIndex(i, under("quantization.details", err)))
		}
	}
	if err := g.checkIndices("inputs", g.Inputs, 0); err != nil {
		return err
	}
	if err := g.checkIndices("outputs", g.Outputs, 0); err != nil {
		return err
	}
	for i, op := range g.Operators {
		if err := m.checkOperator(g, op); err != nil {
			return under("operators", underIndex(i, err))
		}
	}
	return nil
}

// checkDetails checks the tensors that hold scales and zero points.
func (g *Subgraph) checkDetails(details any) error {
	scales, zeros := int32(0), int32(-1)
	switch d := details.(type) {
	case *BlockwiseQuantization:
		scales, zeros = d.Scales, d.ZeroPoints
	case *MultiAxisQuantization:
		scales, zeros = d.Scales, d.ZeroPoints
	default:
		return nil
	}
	if err := g.checkIndices("scales", []int32{scales}, 0); err != nil {
		return err
	}
	return g.checkIndices("zeroPoints", []int32{zeros}, -1)
}

// checkIndices checks tensor indices from lowest upwards.
func (g *Subgraph) checkIndices(what string, list []int32, lowest int32) error {
	for i, id := range list {
		if id < lowest || int(id) >= len(g.Tensors) {
			return under(what, underIndex(i, malformed("no tensor %d of %d", id, len(g.Tensors))))
		}
	}
	return nil
}

func (m *Model) checkOperator(g *Subgraph, op *Operator) error {
	if uint64(op.OpcodeIndex) >= uint64(len(m.OperatorCodes)) {
		return under("opcodeIndex", malformed("no operator code %d of %d", op.OpcodeIndex, len(m.OperatorCodes)))
	}
	const optional = -1
	if err := g.checkIndices("inputs", op.Inputs, optional); err != nil {
		return err
	}
	if err := g.checkIndices("outputs", op.Outputs, 0); err != nil {
		return err
	}
	if err := g.checkIndices("intermediates", op.Intermediates, optional); err != nil {
		return err
	}
	for _, id := range slices.Concat(op.subgraphs(), op.subgraphs2()) {
		if id < 0 || int(id) >= len(m.Subgraphs) {
			return under("options", malformed("no subgraph %d of %d", id, len(m.Subgraphs)))
		}
	}
	return nil
}

// subgraphs lists the subgraphs that the operator may call.
func (op *Operator) subgraphs() []int32 {
	switch o := op.Options.(type) {
	case *CallOptions:
		return []int32{int32(min(o.Subgraph, math.MaxInt32))}
	case *IfOptions:
		return []int32{o.ThenSubgraphIndex, o.ElseSubgraphIndex}
	case *WhileOptions:
		return []int32{o.CondSubgraphIndex, o.BodySubgraphIndex}
	case *CallOnceOptions:
		return []int32{o.InitSubgraphIndex}
	}
	return nil
}

// subgraphs2 lists the subgraphs that a StableHLO operator refers to.
func (op *Operator) subgraphs2() []int32 {
	switch o := op.Options2.(type) {
	case *StablehloReduceOptions:
		return []int32{o.BodySubgraphIndex}
	case *StablehloScatterOptions:
		return []int32{o.UpdateComputationSubgraphIndex}
	case *StablehloReduceWindowOptions:
		return []int32{o.BodySubgraphIndex}
	case *StablehloSortOptions:
		return []int32{o.ComparatorSubgraphIndex}
	case *StablehloWhileOptions:
		return []int32{o.CondSubgraphIndex, o.BodySubgraphIndex}
	case *StableHLOCompositeOptions:
		return []int32{o.DecompositionSubgraphIndex}
	case *StablehloCustomCallOptions:
		return o.CalledComputations
	case *StablehloCaseOptions:
		return o.BranchSubgraphIndices
	}
	return nil
}

// maxRank is far above what any runtime computes with (8). Without a limit, a
// small file of many operators on one tensor of a million dimensions would
// cost their product in memory.
const maxRank = 64

func (m *Model) checkTensor(t *Tensor) error {
	if len(t.Shape) > maxRank {
		return under("shape", unsupported("%d dimensions, more than %d", len(t.Shape), maxRank))
	}
	if err := m.checkBuffer(t.Buffer); err != nil {
		return under("buffer", err)
	}
	if t.ExternalBuffer != 0 {
		return under("externalBuffer", unsupported("the data of %q lie in another file%s: export the model with its weights inside",
			t.Name, m.externalName(t.ExternalBuffer)))
	}
	data := m.Data(t)
	bits := t.Type.Bits()
	if data == nil || bits == 0 || t.Sparsity != nil {
		return nil // not constant, or of a size that the shape does not give
	}
	n, err := Elements(t.Shape)
	if err != nil {
		return under("shape", err)
	}
	if want := (n*int64(bits) + 7) / 8; want != int64(len(data)) {
		return malformed("%q has %d bytes of data where %v%v takes %d", t.Name, len(data), t.Type, t.Shape, want)
	}
	return nil
}

// externalName is the file of an external buffer, for messages.
func (m *Model) externalName(id uint32) string {
	for _, b := range m.ExternalBuffers {
		if b.ID == id && uint64(b.Group) < uint64(len(m.ExternalBufferGroups)) {
			return fmt.Sprintf(", %q", m.ExternalBufferGroups[b.Group].Name)
		}
	}
	return ""
}

func (m *Model) checkSignature(s *SignatureDef) error {
	if uint64(s.SubgraphIndex) >= uint64(len(m.Subgraphs)) {
		return malformed("no subgraph %d of %d", s.SubgraphIndex, len(m.Subgraphs))
	}
	n := len(m.Subgraphs[s.SubgraphIndex].Tensors)
	for _, list := range [][]*TensorMap{s.Inputs, s.Outputs} {
		for _, t := range list {
			if uint64(t.TensorIndex) >= uint64(n) {
				return malformed("%q: no tensor %d of %d", t.Name, t.TensorIndex, n)
			}
		}
	}
	return nil
}

// maxElements bounds a tensor, so that its size in bytes fits an int64 with
// room to spare, whatever the type.
const maxElements = math.MaxInt64 / 1024

// Elements is the product of a shape's dimensions; a scalar has one. A
// negative dimension or a product that overflows is a *MalformedError.
func Elements(shape []int32) (int64, error) {
	n := int64(1)
	for _, d := range shape {
		if d < 0 {
			return 0, malformed("dimension %d in %v", d, shape)
		}
		if d > 0 && n > maxElements/int64(d) {
			return 0, malformed("%v has too many elements", shape)
		}
		n *= int64(d)
	}
	return n, nil
}

// TensorName is a tensor's name and number, for messages.
func (g *Subgraph) TensorName(i int32) string {
	if i < 0 || int(i) >= len(g.Tensors) {
		return fmt.Sprintf("t%d", i)
	}
	return fmt.Sprintf("t%d %q", i, g.Tensors[i].Name)
}
