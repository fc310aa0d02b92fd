//go:build !amd64 || purego

package vec

func quantise([]byte, []float32, float32, int32, int32, int32) int { return 0 }
