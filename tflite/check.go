package tflite

import (
	"errors"
	"fmt"
	"slices"

	"edged/model"
)

// read decodes a model and refuses, naming the operator, what TFLite would
// refuse without saying why, or abort on.
func read(file []byte) (*model.Model, error) {
	m, err := model.Read(file)
	if err != nil {
		return nil, err
	}
	return m, check(m)
}

// MissingError says that a file holds something which may well be right and
// which the library does not have.
type MissingError struct{ Problem string }

func (e *MissingError) Error() string { return e.Problem }

func missing(format string, args ...any) error {
	return &MissingError{fmt.Sprintf(format, args...)}
}

// check is read for a model that is decoded. Shapes that the file leaves open
// are inferred first: rules look at them.
func check(m *model.Model) error {
	if len(m.Subgraphs) == 0 {
		return errors.New("the model holds no graph")
	}
	for s, sg := range m.Subgraphs {
		for i, op := range sg.Operators {
			if err := checkOperator(m.Code(op)); err != nil {
				return fmt.Errorf("%s%s: %w", place(m, s), operatorName(m, op, i), err)
			}
		}
	}
	if err := checkUnused(m); err != nil {
		return err
	}
	return verify(inferred(m))
}

// inferred is m with the shapes that follow from its inputs'. Where a shape
// cannot be told, or contradicts another one, the file's stay: checkMemory says so.
func inferred(m *model.Model) *model.Model {
	shapes := skeleton(m)
	if shapes.InferKnown(0) != nil {
		return m
	}
	own := *m
	own.Subgraphs = slices.Clone(m.Subgraphs)
	first := *m.Subgraphs[0]
	first.Tensors = slices.Clone(first.Tensors)
	for i, t := range first.Tensors {
		sized := *t
		sized.Shape = shapes.Subgraphs[0].Tensors[i].Shape
		first.Tensors[i] = &sized
	}
	own.Subgraphs[0] = &first
	return &own
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
		if chip := model.ChipProblem(code.Custom); chip != "" {
			return missing("%s", chip)
		}
		return missing("custom operator that TFLite %s does not have (it has %s)", version, customList())
	}
	first, last := versions(code.Builtin)
	switch {
	case last == 0:
		return missing("operator that TFLite %s does not have: convert the model for an older runtime", version)
	case code.Version < first || code.Version > last:
		return missing("version %d is outside %d to %d, which TFLite %s runs: convert the model for an older runtime",
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
