//go:build !linux

package main

import (
	"fmt"
	"os"
)

// mapFile reads the file at path.
func mapFile(path string) (b []byte, unmap func(), err error) {
	if b, err = os.ReadFile(path); err != nil {
		return nil, nil, fmt.Errorf("model: %w", err)
	}
	return b, func() {}, nil
}
