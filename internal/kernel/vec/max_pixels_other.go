//go:build !amd64 || purego

package vec

func maxPixels([]byte, []byte, int, int, int, int, int, bool) int { return 0 }

func maxPixelsF32([]float32, []float32, int, int, int, int, int) int { return 0 }
