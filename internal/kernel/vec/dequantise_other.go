//go:build !amd64 || purego

package vec

func dequantise([]float32, []byte, float32, int32, bool) int { return 0 }
