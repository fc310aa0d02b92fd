package model

import "slices"

// OpVersion is the operator version that TensorFlow 2.16's rules give an
// operator of a subgraph: the least version whose kernels know these types and
// options. An older runtime refuses a version that is too high, a newer one
// may misread options whose version is too low. Custom operators keep theirs.
func (m *Model) OpVersion(g *Subgraph, op *Operator) int32 {
	code := m.Code(op)
	if code.Builtin == OpCustom {
		return code.Version
	}
	o := &signature{m, g, op}
	if special := specialVersions[code.Builtin]; special != nil {
		if v := special(o); v != 0 {
			return v
		}
	}
	rule := typeVersions[code.Builtin]
	if v := rule.versions[o.in(rule.input)]; v != 0 {
		return v
	}
	return 1
}

// UpdateVersions gives every built-in operator the version of OpVersion where
// that is higher than the one it has. Operators that share a code and need
// different versions get codes of their own.
func (m *Model) UpdateVersions() {
	for _, g := range m.Subgraphs {
		for _, op := range g.Operators {
			code := *m.Code(op)
			if v := m.OpVersion(g, op); v > code.Version {
				code.Version = v
				op.OpcodeIndex = m.CodeIndex(code)
			}
		}
	}
}

// CodeIndex finds an operator code, and adds it where it is missing.
func (m *Model) CodeIndex(code OperatorCode) uint32 {
	for i, c := range m.OperatorCodes {
		if *c == code {
			return uint32(i)
		}
	}
	m.OperatorCodes = append(m.OperatorCodes, &code)
	return uint32(len(m.OperatorCodes) - 1)
}

// signature answers what the version rules ask of an operator.
type signature struct {
	m  *Model
	g  *Subgraph
	op *Operator
}

const typeNone TensorType = -1

func tensorAt(g *Subgraph, ids []int32, i int) *Tensor {
	if i >= len(ids) || ids[i] < 0 {
		return nil
	}
	return g.Tensors[ids[i]]
}

func (s *signature) input(i int) *Tensor { return tensorAt(s.g, s.op.Inputs, i) }

func (s *signature) in(i int) TensorType { return typeOf(s.input(i)) }

func (s *signature) out(i int) TensorType { return typeOf(tensorAt(s.g, s.op.Outputs, i)) }

func typeOf(t *Tensor) TensorType {
	if t == nil {
		return typeNone
	}
	return t.Type
}

func (s *signature) rank(i int) int {
	if t := s.input(i); t != nil {
		return len(t.Shape)
	}
	return 0
}

// scaleOf is a tensor's first scale, 0 where it has none.
func scaleOf(t *Tensor) float64 {
	if t == nil || t.Quantization == nil || len(t.Quantization.Scale) == 0 {
		return 0
	}
	return float64(t.Quantization.Scale[0])
}

func (s *signature) perChannel(i int) bool {
	t := s.input(i)
	return t != nil && t.Quantization != nil && len(t.Quantization.Scale) > 1
}

// weights tells the types of activation, weights and output: the key of the
// rules of convolutions.
func (s *signature) weights() [3]TensorType { return [3]TensorType{s.in(0), s.in(1), s.out(0)} }

var (
	allInt8    = [3]TensorType{TypeInt8, TypeInt8, TypeInt8}
	allInt16   = [3]TensorType{TypeInt16, TypeInt16, TypeInt16}
	int4Filter = [3]TensorType{TypeInt8, TypeInt4, TypeInt8}
	int16x8    = [3]TensorType{TypeInt16, TypeInt8, TypeInt16}
	hybrid     = [3]TensorType{TypeFloat32, TypeInt8, TypeFloat32}
)

// stretches tells whether the two inputs differ in shape and one has over four
// dimensions: broadcasting of five is newer than that of four.
func (s *signature) stretches() bool {
	a, b := s.input(0), s.input(1)
	if a == nil || b == nil {
		return false
	}
	return max(len(a.Shape), len(b.Shape)) > 4 && !slices.Equal(a.Shape, b.Shape)
}
