//go:build !amd64 || purego

package vec

func pairF32(PairF32, []float32, []float32, []float32, float32, float32) int { return 0 }
func clampRowF32([]float32, []float32, float32, float32) int                 { return 0 }
func hardSwishF32([]float32, []float32) int                                  { return 0 }
func leakyReluF32([]float32, []float32, float32) int                         { return 0 }
func scaleF32([]float32, []float32, float32) int                             { return 0 }
