//go:build amd64 || arm64 || riscv64

package model

import (
	"errors"
	"testing"
)

// The format's offsets end at 2 GB; the memory is asked for, but never touched.
func TestWriteRefusesOver2GB(t *testing.T) {
	m := &Model{Version: SchemaVersion, Buffers: []*Buffer{{}, {Data: make([]byte, 1<<30)}, {Data: make([]byte, 1<<30)}}}
	_, err := m.Write()
	var unknown *UnsupportedError
	if !errors.As(err, &unknown) {
		t.Errorf("error %v", err)
	}
}
