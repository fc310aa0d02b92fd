//go:build !amd64 || purego

package kernel

func quantise([]byte, []float32, float32, int32, int32, int32) int { return 0 }
