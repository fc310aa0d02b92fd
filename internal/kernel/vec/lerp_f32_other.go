//go:build (!amd64 && !arm64) || purego

package vec

func (l *LerpF32) routine(_, _, _ []float32, _ float32) bool { return false }
