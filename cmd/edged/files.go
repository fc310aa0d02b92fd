package main

import (
	"fmt"

	"edged/internal/atomicfile"
	"edged/internal/infile"
	"edged/internal/stage"
	"edged/model"
)

// readGraph loads a .tflite whole and gives its bytes too.
func readGraph(path string) (*model.Model, []byte, error) {
	b, err := infile.Read(path, infile.Model)
	if err != nil {
		return nil, nil, fmt.Errorf("model: %w", err)
	}
	m, err := model.Read(b)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	stage.Remark(path, m)
	return m, b, nil
}

// writeModel writes m to path at once: whoever reads the path finds the old
// file or the new one, never a part.
func writeModel(path string, m *model.Model) error {
	b, err := m.Write()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return atomicfile.Write(path, b)
}
