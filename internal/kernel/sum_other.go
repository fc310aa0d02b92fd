//go:build (!amd64 && !arm64) || purego

package kernel

func sumBytes([]int32, []byte, bool) int { return 0 }
