//go:build !amd64 || purego

package vec

func sumRowsF32([]float64, []float32, int, int) int { return 0 }
