//go:build !amd64 || purego

package kernel

func sumBytes([]int32, []byte, bool) int { return 0 }
