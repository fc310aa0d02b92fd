//go:build (!amd64 && !arm64) || purego

package vec

func (t *Table) look([]byte, []byte) int { return 0 }
