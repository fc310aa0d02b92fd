//go:build !amd64 || purego

package vec

import "math"

func expF32([]float32, []float32, float32, float32, *[8]float32) int { return 0 }
func topF32([]float32) (float32, int)                                { return float32(math.Inf(-1)), 0 }
func logisticF32([]float32, []float32) int                           { return 0 }
func tanhF32([]float32, []float32) int                               { return 0 }
func eluF32([]float32, []float32) int                                { return 0 }
