package tflite

import (
	"errors"
	"fmt"

	"edged/model"
)

// read decodes a model and refuses, naming the operator, what TFLite would
// refuse without saying why, or abort on.
func read(file []byte) (*model.Model, error) {
	m, err := model.Read(file)
	if err != nil {
		return nil, err
	}
	if len(m.Subgraphs) == 0 {
		return nil, errors.New("the model holds no graph")
	}
	for s, sg := range m.Subgraphs {
		for i, op := range sg.Operators {
			if err := checkOperator(m.Code(op)); err != nil {
				return nil, fmt.Errorf("%s%s: %w", place(m, s), operatorName(m, op, i), err)
			}
		}
	}
	if err := checkUnused(m); err != nil {
		return nil, err
	}
	return m, verify(m)
}

// checkUnused is for codes that the graph does not use: the library asks for
// those too.
func checkUnused(m *model.Model) error {
	for i, code := range m.OperatorCodes {
		if err := checkOperator(code); err != nil && code.Builtin != model.OpCustom {
			return fmt.Errorf("operator code %d (%s version %d), which no operator has: %w", i, code.Builtin, code.Version, err)
		}
	}
	return nil
}

// checkOperator compares an operator with what the library registers.
func checkOperator(code *model.OperatorCode) error {
	if code.Builtin == model.OpCustom {
		if hasCustom(code.Custom) {
			return nil
		}
		return fmt.Errorf("custom operator that TFLite %s does not have (it has %s): try the engine go", version, customList())
	}
	first, last := versions(code.Builtin)
	switch {
	case last == 0:
		return fmt.Errorf("operator that TFLite %s does not have: convert the model for an older runtime, or try the engine go", version)
	case code.Version < first || code.Version > last:
		return fmt.Errorf("version %d is outside %d to %d, which TFLite %s runs: convert the model for an older runtime, or try the engine go",
			code.Version, first, last, version)
	}
	return nil
}

// operatorName is how messages call an operator: "operator 3 (CONV_2D version 1)".
func operatorName(m *model.Model, op *model.Operator, index int) string {
	code := m.Code(op)
	name := code.Builtin.String()
	if code.Builtin == model.OpCustom {
		name = code.Custom
	}
	return fmt.Sprintf("operator %d (%s version %d)", index, name, code.Version)
}

// place names the subgraph, where there are several.
func place(m *model.Model, subgraph int) string {
	if len(m.Subgraphs) == 1 {
		return ""
	}
	return fmt.Sprintf("subgraph %d: ", subgraph)
}

// skeleton is m without the contents of its buffers, but for those that may
// hold a shape. It shares the rest with nobody.
func skeleton(m *model.Model) *model.Model {
	const shapeBytes = 256 // axes, sizes, paddings of any rank that TFLite knows
	s := *m
	s.Buffers = make([]*model.Buffer, len(m.Buffers))
	for i, b := range m.Buffers {
		s.Buffers[i] = &model.Buffer{}
		if len(b.Data) <= shapeBytes {
			s.Buffers[i] = b
		}
	}
	return s.Clone()
}
