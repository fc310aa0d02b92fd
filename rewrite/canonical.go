package rewrite

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"edged/model"
)

// canonical is a model's main graph in a form that two files share exactly if
// they compute the same by the same operators: tensors and operators in the
// order in which the outputs need them, constants by content, operator codes by
// value, no names, versions, metadata or padding. An operator that no output
// needs comes last; it is not left out, because an engine runs it too.
type canonical struct {
	src       *model.Model
	m         *model.Model
	g         *model.Subgraph
	tensors   []int32 // of the source, by canonical index
	operators []int   // of the source, by canonical index
	file      []byte
	index     map[int32]int32
	maker     map[int32]int
	done      map[int]bool
	buffers   map[string]uint32
	codes     map[model.OperatorCode]uint32
}

// mostOperators bounds how deep a walk from the outputs can go.
const mostOperators = 1 << 17

// canonicalOf brings the model's main graph into canonical form.
func canonicalOf(m *model.Model) (*canonical, error) {
	if len(m.Subgraphs) == 0 {
		return nil, &Refusal{Reason: "the model has no graph"}
	}
	if n := len(m.Subgraphs[0].Operators); n > mostOperators {
		return nil, &Refusal{Reason: fmt.Sprintf("the graph has %d operators; graphs of more than %d are not compared", n, mostOperators)}
	}
	c := &canonical{
		src: m, g: &model.Subgraph{}, index: map[int32]int32{}, maker: map[int32]int{}, done: map[int]bool{},
		buffers: map[string]uint32{"": 0}, codes: map[model.OperatorCode]uint32{},
	}
	c.m = &model.Model{Version: model.SchemaVersion, Subgraphs: []*model.Subgraph{c.g}, Buffers: []*model.Buffer{{}}}
	g := m.Subgraphs[0]
	for i, op := range g.Operators {
		for _, t := range op.Outputs {
			c.maker[t] = i
		}
	}
	c.g.Inputs = c.all(g.Inputs, false)
	c.g.Outputs = c.all(g.Outputs, true)
	for i := range g.Operators {
		c.operator(i)
	}
	var err error
	c.file, err = c.m.Write()
	return c, err
}

// sha is the SHA-256 of the canonical form in hex.
func (c *canonical) sha() string {
	sum := sha256.Sum256(c.file)
	return hex.EncodeToString(sum[:])
}

// all numbers a list of tensors, with what computes them first where asked for.
func (c *canonical) all(list []int32, made bool) []int32 {
	if len(list) == 0 {
		return nil
	}
	out := make([]int32, len(list))
	for i, t := range list {
		out[i] = -1
		if t < 0 {
			continue
		}
		if at, ok := c.maker[t]; ok && made {
			c.operator(at)
		}
		out[i] = c.tensor(t)
	}
	return out
}

// operator adds operator i of the source, and before it what it reads.
func (c *canonical) operator(i int) {
	if c.done[i] {
		return
	}
	c.done[i] = true
	op := *c.src.Subgraphs[0].Operators[i]
	code := *c.src.Code(&op)
	code.Version = 1
	if _, ok := c.codes[code]; !ok {
		c.codes[code] = uint32(len(c.m.OperatorCodes))
		c.m.OperatorCodes = append(c.m.OperatorCodes, &code)
	}
	op.Inputs = c.all(op.Inputs, true)
	op.Outputs = c.all(op.Outputs, false)
	op.Intermediates = c.all(op.Intermediates, false)
	op.OpcodeIndex, op.DebugMetadata = c.codes[code], 0
	if !slices.Contains(op.MutatingVariableInputs, true) {
		op.MutatingVariableInputs = nil
	}
	c.g.Operators = append(c.g.Operators, &op)
	c.operators = append(c.operators, i)
}

// tensor numbers tensor t of the source at its first use.
func (c *canonical) tensor(t int32) int32 {
	if at, ok := c.index[t]; ok {
		return at
	}
	x := *c.src.Subgraphs[0].Tensors[t]
	data := string(c.src.Data(&x))
	if _, ok := c.buffers[data]; !ok {
		c.buffers[data] = uint32(len(c.m.Buffers))
		c.m.Buffers = append(c.m.Buffers, &model.Buffer{Data: c.src.Data(&x)})
	}
	x.Name, x.Buffer = "", c.buffers[data]
	x.HasRank = x.HasRank || len(x.Shape) > 0 || data != ""
	if !slices.Contains(x.ShapeSignature, -1) {
		x.ShapeSignature = nil
	}
	if q := x.Quantization; q != nil && len(q.Scale) == 0 && len(q.ZeroPoint) == 0 && q.Details == nil {
		x.Quantization = nil
	}
	at := int32(len(c.g.Tensors))
	c.index[t] = at
	c.g.Tensors = append(c.g.Tensors, &x)
	c.tensors = append(c.tensors, t)
	return at
}

// name is what the source calls canonical tensor t.
func (c *canonical) name(t int32) string {
	return callName(c.src.Subgraphs[0], c.tensors[t])
}
