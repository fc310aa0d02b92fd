//go:build !linux

package main

import (
	"fmt"

	"edged/internal/infile"
)

// mapFile reads the file at path.
func mapFile(path string) (b []byte, unmap func(), err error) {
	if b, err = infile.Read(path, infile.Model); err != nil {
		return nil, nil, fmt.Errorf("model: %w", err)
	}
	return b, func() {}, nil
}
