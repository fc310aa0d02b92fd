//go:build !amd64 || purego

package vec

func averageBytes([]byte, []int32, Pixels, int, int32, int32) int            { return 0 }
func averageF32([]float32, []float32, Pixels, float32, float32, float32) int { return 0 }
