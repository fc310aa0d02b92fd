//go:build (!amd64 && !arm64) || purego

package kernel

func (t *Table) look([]byte, []byte) int { return 0 }
